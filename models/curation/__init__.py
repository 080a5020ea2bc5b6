"""Curation: which labelled real series are fit for training, what is cut from them and why, one rule a file."""
