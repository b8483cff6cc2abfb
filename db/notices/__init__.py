"""Notices in the database: written with the move they tell of, claimed in order, delivered or given up."""
