"""Train, validation and test splits: by user, by time, by item."""
