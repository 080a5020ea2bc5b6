"""Training, evaluation and comparison of models on datasets made by `simtwin augment`."""
