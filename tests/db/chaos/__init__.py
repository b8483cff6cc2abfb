"""Tests of `db/chaos`."""
