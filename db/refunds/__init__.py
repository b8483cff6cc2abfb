"""Refunds in the database: reserved, given, bound to what the gateway calls them, and then in the books."""
