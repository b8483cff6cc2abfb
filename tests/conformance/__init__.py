"""One suite per port, for every adapter of it."""
