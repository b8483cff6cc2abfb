"""Payouts in the database: claimed, submitted, put back, concluded, imported, read."""
