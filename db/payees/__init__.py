"""Payees and their accounts at the provider."""
