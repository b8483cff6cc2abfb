"""The cash of obligations: held against the books each day."""
