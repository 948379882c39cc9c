"""Where interactions, users and items come from."""
