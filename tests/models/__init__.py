"""Models: the protocol explored exhaustively, and the real database held against a few lines of what must be true."""
