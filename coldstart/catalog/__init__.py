"""Items, their titles, content vectors and similarities, synced with catalog changes."""
