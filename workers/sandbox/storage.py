"""What the sandbox bank remembers: an SQLite file that survives SIGKILL, a clock it can move."""

import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from domain.errors import BrokenError

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS facts (
  name TEXT PRIMARY KEY,
  value INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS keys (
  key TEXT PRIMARY KEY,
  sends INTEGER NOT NULL,
  sticky INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS payouts (
  number INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  key TEXT NOT NULL,
  body_hash TEXT NOT NULL,
  reference TEXT,
  fund_account_id TEXT NOT NULL,
  amount INTEGER NOT NULL CHECK (amount > 0),
  currency TEXT NOT NULL,
  mode TEXT NOT NULL,
  purpose TEXT NOT NULL,
  narration TEXT,
  notes TEXT NOT NULL,
  created_ms INTEGER NOT NULL,
  final_status TEXT NOT NULL,
  final_ms INTEGER,
  reverse_ms INTEGER,
  cancel_ms INTEGER
);
CREATE INDEX IF NOT EXISTS payouts_by_key ON payouts (key, number);
CREATE INDEX IF NOT EXISTS payouts_by_reference ON payouts (reference);
CREATE INDEX IF NOT EXISTS payouts_by_time ON payouts (created_ms, number);
CREATE INDEX IF NOT EXISTS payouts_queued ON payouts (number)
  WHERE final_ms IS NULL AND cancel_ms IS NULL;
CREATE TABLE IF NOT EXISTS lines (
  number INTEGER PRIMARY KEY,
  payout INTEGER REFERENCES payouts (number),
  at_ms INTEGER NOT NULL,
  change INTEGER NOT NULL,
  balance INTEGER
);
CREATE INDEX IF NOT EXISTS lines_to_come ON lines (at_ms) WHERE balance IS NULL;
CREATE INDEX IF NOT EXISTS lines_by_payout ON lines (payout);
CREATE INDEX IF NOT EXISTS lines_by_time ON lines (at_ms, number);
CREATE TABLE IF NOT EXISTS events (
  number INTEGER PRIMARY KEY,
  payout INTEGER REFERENCES payouts (number),
  "order" INTEGER REFERENCES orders (number),
  refund INTEGER REFERENCES refunds (number),
  dispute INTEGER REFERENCES disputes (number),
  event TEXT NOT NULL,
  at_ms INTEGER NOT NULL,
  due_ms INTEGER NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS events_by_due ON events (due_ms);
CREATE TABLE IF NOT EXISTS orders (
  number INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  provider TEXT NOT NULL,
  reference TEXT,
  amount INTEGER NOT NULL CHECK (amount > 0),
  currency TEXT NOT NULL,
  created_ms INTEGER NOT NULL,
  key TEXT UNIQUE,
  body_hash TEXT NOT NULL,
  payment_id TEXT UNIQUE,
  paid_ms INTEGER,
  cancel_ms INTEGER
);
CREATE INDEX IF NOT EXISTS orders_by_reference ON orders (reference);
CREATE TABLE IF NOT EXISTS refunds (
  number INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  "order" INTEGER NOT NULL REFERENCES orders (number),
  reference TEXT,
  amount INTEGER NOT NULL CHECK (amount > 0),
  created_ms INTEGER NOT NULL,
  final_ms INTEGER NOT NULL,
  final_status TEXT NOT NULL,
  key TEXT UNIQUE,
  body_hash TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS refunds_by_order ON refunds ("order");
CREATE TABLE IF NOT EXISTS disputes (
  number INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  "order" INTEGER NOT NULL UNIQUE REFERENCES orders (number),
  amount INTEGER NOT NULL CHECK (amount > 0),
  created_ms INTEGER NOT NULL,
  end_status TEXT,
  end_ms INTEGER
);
CREATE TABLE IF NOT EXISTS told (
  digest TEXT PRIMARY KEY,
  sends INTEGER NOT NULL DEFAULT 0,
  heard INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
"""

Value = str | int | None


class Storage:
    """One connection to the bank's file, used by one thread."""

    def __init__(self, path: Path, facts: Mapping[str, int]) -> None:
        """Open `path`, making it with `facts` where it is new."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(path, isolation_level=None, timeout=5.0)
        self._db.row_factory = sqlite3.Row
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.executescript(SCHEMA)
        self._db.executemany(
            "INSERT INTO facts (name, value) VALUES (?, ?) ON CONFLICT DO NOTHING", facts.items()
        )
        self._ahead_ms = self.fact("ahead_ms")

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit everything inside together, or nothing of it."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def rows(self, sql: str, **values: Value) -> list[sqlite3.Row]:
        """Run one statement and return its rows."""
        return self._db.execute(sql, values).fetchall()

    def row(self, sql: str, **values: Value) -> sqlite3.Row | None:
        """Run one statement and return its first row."""
        found: sqlite3.Row | None = self._db.execute(sql, values).fetchone()
        return found

    def one(self, sql: str, **values: Value) -> sqlite3.Row:
        """Run one statement that always returns a row."""
        found = self.row(sql, **values)
        if found is None:
            raise BrokenError(f"no row where there is always one: {sql}")
        return found

    def run(self, sql: str, **values: Value) -> int:
        """Run one statement and return how many rows it changed."""
        return self._db.execute(sql, values).rowcount

    def fact(self, name: str) -> int:
        """Return a number the bank keeps under `name`; 0 where it keeps none."""
        row = self.row("SELECT value FROM facts WHERE name = :name", name=name)
        return int(row["value"]) if row else 0

    def facts(self) -> dict[str, int]:
        """Return every number the bank keeps."""
        return {row["name"]: row["value"] for row in self.rows("SELECT name, value FROM facts")}

    def add(self, name: str, change: int = 1) -> None:
        """Add to a number the bank keeps under `name`."""
        self.run(
            "INSERT INTO facts (name, value) VALUES (:name, :change)"
            " ON CONFLICT (name) DO UPDATE SET value = value + excluded.value",
            name=name,
            change=change,
        )

    def now_ms(self) -> int:
        """Return the bank's time: this machine's, and as far ahead as it was moved."""
        return time.time_ns() // 1_000_000 + self._ahead_ms

    def advance(self, seconds: float) -> None:
        """Move the bank's clock ahead, for good."""
        self.add("ahead_ms", round(seconds * 1000))
        self._ahead_ms = self.fact("ahead_ms")
