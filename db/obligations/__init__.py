"""Obligations: accrued, received, settled, waived, written off, reversed."""
