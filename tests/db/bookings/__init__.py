"""Bookings in the database."""
