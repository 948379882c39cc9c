"""From a user profile as given to picks resolved to catalog ids and text understood."""
