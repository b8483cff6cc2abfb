"""Jobs on the waitlist."""
