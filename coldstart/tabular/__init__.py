"""Files of tables as people have them: encodings, separators, quotes and missing values."""
