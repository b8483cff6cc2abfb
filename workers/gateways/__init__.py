"""The outside world over HTTP: one adapter per provider, each behind a port of `domain`."""
