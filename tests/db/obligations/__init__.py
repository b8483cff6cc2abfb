"""Tests of obligations as rows and entries."""
