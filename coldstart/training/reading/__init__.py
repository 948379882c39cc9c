"""Teaching a language model to read requests."""
