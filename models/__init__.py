"""Readers of real data, curation, splits, models and the evaluation of augmentation."""
