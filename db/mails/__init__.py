"""Mails in the database: written with what they tell of, claimed, sent once or left to a person."""
