"""Bookings in the database: checkouts, captures, releases, and what each promises."""
