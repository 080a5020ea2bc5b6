"""Hybrid augmentation: simulated faults on real healthy recordings, and real recordings carried to other speeds."""
