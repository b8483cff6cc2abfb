"""Wallets as the database keeps them."""
