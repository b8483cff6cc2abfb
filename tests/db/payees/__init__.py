"""Payees in the database."""
