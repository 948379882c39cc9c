"""Learning from recorded requests: the request encoder, the request scorers, their blend."""
