"""What size costs the product: payouts that are due, finished ones behind them, processes that share the work."""

import itertools
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, LiteralString

import psycopg

from domain.errors import BrokenError
from tests.bench.effects import Rate
from tests.bench.world import World
from workers.bench.child import Orders
from workers.bench.crew import Crew, crew
from workers.bench.drain import Drain
from workers.bench.stand import SEED, Stand, seed

BASE: Final = 20_000
"""Payouts that are really paid before their rows are multiplied into a history."""
COPIED: Final[dict[LiteralString, dict[str, str]]] = {
    "payouts": {"id": "uuid", "external_id": "text", "effect_key": "uuid"},
    "moves": {"subject": "uuid"},
    "effects": {"key": "uuid", "subject": "uuid", "provider_id": "text"},
    "effect_payments": {"provider_id": "text", "key": "uuid"},
    "effect_answers": {"key": "uuid"},
    "entries": {"id": "number", "key": "text"},
    "postings": {"entry": "number"},
}
"""The tables that grow with each payout, and what must differ in a copy."""
_FRESH: Final = {
    "uuid": "CAST(md5(t.{0} || '/' || n) AS uuid)",
    "text": "t.{0} || '/' || n",
    "number": "t.{0} + n * (SELECT max(id) FROM entries)",
}
_COLUMNS: Final = """
    SELECT column_name FROM information_schema.columns
    WHERE table_schema = 'bursar' AND table_name = %s AND is_generated = 'NEVER'
    ORDER BY ordinal_position"""
_FINISH: Final[tuple[LiteralString, ...]] = (
    "SET search_path = bursar",
    "SET session_replication_role = replica",  # constraints that look elsewhere were held by the first of each
    """INSERT INTO moves (kind, subject, source, target, actor)
       SELECT 'payout', id, 'PROCESSING', 'COMPLETED', 'bench' FROM payouts""",
    "UPDATE payouts SET state = 'COMPLETED', completed_at = now()",
    "DELETE FROM work",
)
_COUNTS: Final = """
    SELECT (SELECT count(*) FROM bursar.payouts) AS payouts, (SELECT count(*) FROM bursar.effects) AS effects,
           (SELECT count(*) FROM bursar.work) AS work"""
_BLOCKS: Final = "SELECT setval('entry_blocks', 10 + (SELECT max(id) FROM entries) / 1000)"
"""Entry ids come in blocks of a thousand and some."""
_QUEUED: Final = "SELECT min(id) FROM bursar.runs WHERE state = 'queued'"
_WAKE: Final = """
    INSERT INTO bursar.runs (job, queue, origin, wake_key)
    VALUES ('payouts.process', 'money', 'wake', 'payouts.process') RETURNING id"""
_DRAINED: Final = """
    SELECT count(*), count(DISTINCT a.key),
           count(*) FILTER (WHERE e.state = 'accepted' AND e.sends = 1 AND a.moved),
           count(*) FILTER (WHERE p.state = 'PROCESSING'),
           (SELECT count(*) FROM bursar.entries WHERE type = 'payout.submitted' AND created_at >= %(began)s),
           CAST(extract(epoch FROM max(a.at) - min(a.at)) AS float8),
           CAST(extract(epoch FROM percentile_disc(0.9) WITHIN GROUP (ORDER BY a.at)
                                 - percentile_disc(0.1) WITHIN GROUP (ORDER BY a.at)) AS float8)
    FROM bursar.effect_answers a JOIN bursar.effects e USING (key) JOIN bursar.payouts p ON p.id = e.subject
    WHERE a.at >= %(began)s"""
_seeds = itertools.count(SEED + 1)


@contextmanager
def due(stand: Stand, items: int) -> Iterator[str]:
    """Yield a database in which so many payouts are due."""
    with stand.database() as url:
        seed(url, items)
        _tidy(stand, url)
        yield url


@contextmanager
def history(stand: Stand, items: int) -> Iterator[str]:
    """Yield a database in which about so many payouts are finished, and none is due.

    20,000 are paid by the product; the rest are copies of all their rows under other keys.
    """
    with stand.database() as url:
        if items:
            base = min(items, BASE)
            seed(url, base)
            some(url, Drain(items=base), 600.0)
            _multiply(_superuser(stand, url), items // base)
        _tidy(stand, url)
        yield url


def more(url: str, items: int) -> None:
    """Let others become due."""
    seed(url, items, next(_seeds))


def counted(url: str) -> dict[str, int]:
    """Return how many payouts, effects and work rows there are."""
    with psycopg.connect(_libpq(url), row_factory=psycopg.rows.dict_row) as connection:
        return connection.execute(_COUNTS).fetchone() or {}


def some(url: str, plan: Drain, seconds: float) -> Rate:
    """Drain for so long, or to the end. Raises `BrokenError` unless what was sent was sent and booked once."""
    orders = Orders(
        url=url,
        gateway_seconds=plan.gateway_seconds,
        concurrency=plan.concurrency,
        batch=plan.batch,
        budget_seconds=seconds,
    )
    with crew(orders, plan.processes) as made:
        with psycopg.connect(_libpq(url), autocommit=True) as connection:
            began = connection.execute("SELECT clock_timestamp()").fetchone()
            found = connection.execute(_QUEUED).fetchone()
            if found is None or found[0] is None:
                found = connection.execute(_WAKE).fetchone()
        assert began is not None
        assert found is not None
        _hand_out(made, int(found[0]), seconds)
        with psycopg.connect(_libpq(url)) as connection:
            seen = connection.execute(_DRAINED, {"began": began[0]}).fetchone()
    assert seen is not None
    items, *same, whole, steady = seen
    if not items or set(same) != {items}:
        raise BrokenError(f"of what was drained within {seconds} s: {seen}")
    return Rate(
        items=items, per_second=0.8 * items / max(steady, 1e-9), whole_per_second=items / whole
    )


def _hand_out(made: Crew, run: int, seconds: float) -> None:
    """Let the crew work until the time is over, and end what it has begun."""
    limit = time.monotonic() + seconds
    made.waiting.append(run)
    made._hand_out()
    while len(made.idle) < len(made.children):
        made._hear(seconds + 60)
        if time.monotonic() < limit:
            made._hand_out()


def _multiply(url: str, times: int) -> None:
    """Finish all payouts, then copy every row of theirs so often that there are `times` of each."""
    with psycopg.connect(_libpq(url)) as connection:
        for statement in _FINISH:
            connection.execute(statement)
        for table, fresh in COPIED.items():
            columns = [name for (name,) in connection.execute(_COLUMNS, (table,)).fetchall()]
            values = [_FRESH[fresh[c]].format(c) if c in fresh else f"t.{c}" for c in columns]
            if table == "postings":  # after the entries were multiplied their largest id is another
                values = [value.replace("max(id)", f"max(id) / {times}") for value in values]
            connection.execute(
                f"INSERT INTO {table} ({', '.join(columns)}) "  # noqa: S608  names of ours
                f"SELECT {', '.join(values)} FROM {table} t, generate_series(1, {times - 1}) n"
            )
        connection.execute(
            "UPDATE balances SET debits = debits * %(n)s, credits = credits * %(n)s", {"n": times}
        )
        connection.execute(
            "UPDATE ledger_totals SET amount = amount * %(n)s, entries = entries * %(n)s",
            {"n": times},
        )
        connection.execute(_BLOCKS)


def _tidy(stand: Stand, url: str) -> None:
    """Let the planner know what there is, and let no checkpoint of the filling fall into a measurement."""
    with psycopg.connect(_libpq(_superuser(stand, url)), autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")
        connection.execute("CHECKPOINT")


def _superuser(stand: Stand, url: str) -> str:
    name = World(url=url, broker_url="", notes="").libpq["dbname"]
    head, _, query = stand.share.superuser_url.partition("?")
    return f"{head.rsplit('/', 1)[0]}/{name}?{query}"


def _libpq(url: str) -> str:
    return World(url=url, broker_url="", notes="").conninfo
