"""Readers of real recordings: the known sets, files described in YAML, and datasets of simtwin itself."""
