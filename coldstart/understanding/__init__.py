"""Reading of a request in words: what is wanted, what is rejected, and for whom."""
