"""Tools for testing recommenders and the parts that plug into them."""
