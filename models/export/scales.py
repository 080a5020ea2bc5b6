"""The scales that are the same in every exported model, beside preprocessing's INPUT_SCALE of the input."""

SMALLEST, LARGEST = -128, 127
PROBABILITY_SCALE, PROBABILITY_ZERO = 1 / 256, -128
"""Of a classifier's int8 output: probability = (value + 128) / 256."""
