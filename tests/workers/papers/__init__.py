"""Papers for people outside, to the byte."""
