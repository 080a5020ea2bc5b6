"""An exported artifact at work on a stream of samples, live or recorded; needs LiteRT, not TensorFlow."""
