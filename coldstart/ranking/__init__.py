"""From signals to a ranked, filtered, diversified and explained list."""
