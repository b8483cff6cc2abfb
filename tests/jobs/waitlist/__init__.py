"""The jobs of the waitlist."""
