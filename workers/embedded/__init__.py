"""A real Postgres and a real Redis that live with one home: for `up`, `demo` and the tests."""

from workers.embedded.homes import Home
from workers.embedded.postgres import Tuning
from workers.embedded.servers import Servers, is_kept, join, start

__all__ = ["Home", "Servers", "Tuning", "is_kept", "join", "start"]
