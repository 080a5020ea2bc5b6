"""All models on a folder of labelled sets, beside what the original project reports."""
