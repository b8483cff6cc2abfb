"""Tests, as a mirror of the tree."""
