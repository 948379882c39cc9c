"""Runtime environment: caches, downloads, hardware, base model weights."""
