"""The report beside a dataset: how far its synthetic windows are from the real ones, in pictures and figures."""
