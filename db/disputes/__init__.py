"""Disputes about payments: heard of from gateways, holding what was earned until they end."""
