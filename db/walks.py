"""The ways through the tables, each by its key, so that a page is found by an index.

Plans are made once for any parameter, so a page begins at a bound and never at `:after IS NULL OR …`,
which no index knows: each page would be read from the first row on.
"""

from typing import Final

from db.invariant import Walk

EFFECTS: Final = Walk(
    page="""
    SELECT key AS at, key, kind, subject, generation, provider, account, provider_id FROM effects
    WHERE key > coalesce(CAST(:after AS uuid), '00000000-0000-0000-0000-000000000000') ORDER BY key LIMIT :page"""
)

WORK: Final = Walk(
    page="""
    SELECT subject AS at, subject, job FROM work
    WHERE subject > coalesce(CAST(:after AS uuid), '00000000-0000-0000-0000-000000000000') ORDER BY subject LIMIT :page"""
)

ENTRIES: Final = Walk(
    page="""
    SELECT id AS at, e.* FROM entries e WHERE id > coalesce(CAST(:after AS bigint), 0) ORDER BY id LIMIT :page"""
)

ACCOUNTS: Final = Walk(
    page="""
    SELECT id AS at, a.* FROM accounts a WHERE id > coalesce(CAST(:after AS bigint), 0) ORDER BY id LIMIT :page"""
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
    WHERE (schedule, tick_at) > (coalesce(split_part(CAST(:after AS text), ' ', 1), ''),
                                 coalesce(CAST(split_part(CAST(:after AS text), ' ', 2) AS timestamptz), '-infinity'))
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
