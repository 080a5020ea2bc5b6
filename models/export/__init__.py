"""From Keras to what runs on the chip: int8 TFLite models, judged by TensorFlow Lite Micro alone (docs/export.md)."""
