"""Tests of the bell, on a real Redis."""
