"""Statistics of user-item interactions: popularity, demographics, co-occurrence."""
