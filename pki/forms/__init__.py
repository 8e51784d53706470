"""Fillable PDF forms (ISO 32000-1, 12.7.3 and 12.7.4): what their fields ask, and filling them in once."""
