"""Bursar beside what a user would pick instead: the same work, the same machine, in turns."""
