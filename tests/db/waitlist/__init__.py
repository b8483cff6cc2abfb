"""Tests of the waitlist in the database."""
