"""Tests of the process supervisor, with real processes."""
