"""Earnings in the database."""
