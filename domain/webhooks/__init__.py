"""Webhooks: whether a provider sent what was received, and what makes it one event. Pure."""
