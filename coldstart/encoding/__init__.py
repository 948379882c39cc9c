"""Text encoders: texts to unit vectors, and their cache."""
