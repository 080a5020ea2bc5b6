"""Datasets: labelled windows in Parquet parts with a manifest; making them in parallel, reading and looking at them."""
