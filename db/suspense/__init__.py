"""Suspense: money set apart until a person has looked, an item each: opened, read, resolved."""
