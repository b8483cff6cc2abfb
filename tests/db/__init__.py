"""Tests of what the database remembers."""
