"""Refunds in the database."""
