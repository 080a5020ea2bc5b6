"""Scenarios: the YAML schema, distributions, reading with line numbers, and drawing one realisation."""
