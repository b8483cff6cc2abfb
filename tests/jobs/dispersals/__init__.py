"""Tests of the jobs of dispersals."""
