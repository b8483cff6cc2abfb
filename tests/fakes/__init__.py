"""Stand-ins for what is outside, faked at the ports only."""
