"""What Bursar remembers: the only package that speaks SQL."""
