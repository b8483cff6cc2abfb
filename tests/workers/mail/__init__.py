"""Mail as it is read, and the server that takes it."""
