"""Dispersals: what settled obligations received, divided among their lenders."""
