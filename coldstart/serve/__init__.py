"""``coldstart serve``: recommendations over HTTP. Needs the extra ``serve``."""
