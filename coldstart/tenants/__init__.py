"""Many recommenders on one copy of each base model."""
