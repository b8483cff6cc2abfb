"""Earnings: what payees are owed, before there is a payout of it."""
