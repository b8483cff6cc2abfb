"""What is true without a clock, a database or a network."""
