"""Payouts: submitted once, recovered when in doubt, followed to their end."""
