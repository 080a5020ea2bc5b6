"""An int8 .tflite to self-contained C: graph -> steps, row by row -> plan of memory -> text (docs/c_model.md)."""
