"""Wallets: what people and organisations keep with us, to spend or to have paid out."""
