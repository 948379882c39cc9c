"""Generation by a server over HTTP."""
