"""Tests of payouts in the database."""
