"""Alembic's migrations; each expands, backfills or contracts under a lock time-out."""
