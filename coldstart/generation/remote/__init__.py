"""Text generation on a server over HTTP."""
