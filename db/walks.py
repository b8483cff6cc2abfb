"""The ways through the tables, each by its key, so that a page is found by an index."""

from typing import Final

from db.invariant import Walk

EFFECTS: Final = Walk(
    page="""
    SELECT key AS at, key, kind, subject, generation, provider, account, provider_id FROM effects
    WHERE CAST(:after AS uuid) IS NULL OR key > CAST(:after AS uuid) ORDER BY key LIMIT :page"""
)

WORK: Final = Walk(
    page="""
    SELECT subject AS at, subject, job FROM work
    WHERE CAST(:after AS uuid) IS NULL OR subject > CAST(:after AS uuid) ORDER BY subject LIMIT :page"""
)

ENTRIES: Final = Walk(
    page="""
    SELECT id AS at, e.* FROM entries e
    WHERE CAST(:after AS bigint) IS NULL OR id > CAST(:after AS bigint) ORDER BY id LIMIT :page"""
)

ACCOUNTS: Final = Walk(
    page="""
    SELECT id AS at, a.* FROM accounts a
    WHERE CAST(:after AS bigint) IS NULL OR id > CAST(:after AS bigint) ORDER BY id LIMIT :page"""
)

RUNNING: Final = Walk(
    paged=False,
    page="""
    SELECT id AS at, id, job, started_at FROM runs WHERE state = 'running'""",
)

TICKS: Final = Walk(
    page="""
    SELECT concat_ws(' ', schedule, to_char(tick_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24\\:MI\\:SS.US"Z"')) AS at,
           schedule, tick_at, outcome, run, recorded_at
    FROM ticks
    WHERE CAST(:after AS text) IS NULL
       OR (schedule, tick_at) > (split_part(:after, ' ', 1), CAST(split_part(:after, ' ', 2) AS timestamptz))
    ORDER BY schedule, tick_at LIMIT :page"""
)

CURRENCIES: Final = Walk(paged=False, page="SELECT DISTINCT currency AS at, currency FROM accounts")

TYPES: Final = Walk(
    paged=False,
    page="""
    SELECT type || ' ' || currency AS at, type, currency, CAST(sum(entries) AS bigint) AS entries,
           CAST(sum(amount) AS bigint) AS amount
    FROM ledger_totals WHERE :deep GROUP BY type, currency""",
)
