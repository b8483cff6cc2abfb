"""Tests of jobs about the cash of obligations."""
