"""Findings: one row per thing a person must look at, however often it is seen.

Reported again, a finding is counted, not repeated; one that was resolved and is seen again opens
anew, without an owner. What a check no longer sees is resolved by itself (`heal`).
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import sqlalchemy as sa

from db.tx import Row, Rows, Tx
from domain.errors import BadInputError
from domain.findings import Finding, FindingKind, Severity
from domain.listings import FindingState

AGAIN_SECONDS: Final = 3600.0
"""An alert nobody took is sent again after this."""

_REPORT: Final = sa.text("""
    WITH asked AS MATERIALIZED (
      SELECT DISTINCT ON (key) *
      FROM unnest(CAST(:keys AS text[]), CAST(:kinds AS text[]), CAST(:subjects AS text[]),
                  CAST(:severities AS text[]), CAST(:details AS text[]))
        AS a (key, kind, subject, severity, detail)
      ORDER BY key),
    moment AS MATERIALIZED (SELECT clock_timestamp() AS at)
    INSERT INTO findings AS f (key, kind, subject, severity, detail, opened_at, seen_at)
    SELECT a.key, a.kind, a.subject, a.severity, a.detail, m.at, m.at
    FROM asked a CROSS JOIN moment m ORDER BY a.key
    -- A resolved one that is seen again is a new matter: opened now, nobody's, not yet alerted.
    ON CONFLICT (key) DO UPDATE SET seen = f.seen + 1, seen_at = excluded.seen_at,
      severity = excluded.severity, detail = excluded.detail,
      opened_at = CASE WHEN f.resolved_at IS NULL THEN f.opened_at ELSE excluded.opened_at END,
      owner = CASE WHEN f.resolved_at IS NULL THEN f.owner END,
      alerted_at = CASE WHEN f.resolved_at IS NULL THEN f.alerted_at END,
      resolved_at = NULL, resolved_by = NULL, resolution = NULL, auto_healed = false
    RETURNING key, opened_at = seen_at AS is_new""")


def report(tx: Tx, findings: Sequence[Finding]) -> list[str]:
    """Write down what was seen, in one statement; returns the keys that were opened by it."""
    if not findings:
        return []
    rows = tx.rows(
        _REPORT,
        keys=[f.key for f in findings],
        kinds=[f.kind.value for f in findings],
        subjects=[f.subject for f in findings],
        severities=[f.kind.severity.value for f in findings],
        details=[f.detail for f in findings],
    )
    return [row.key for row in rows if row.is_new]


_HEAL: Final = sa.text("""
    UPDATE findings SET resolved_at = clock_timestamp(), resolved_by = 'bursar',
           resolution = 'no longer seen', auto_healed = true
    WHERE kind = :kind AND resolved_at IS NULL AND key <> ALL(CAST(:keys AS text[]))
    RETURNING key""")


def heal(tx: Tx, kind: FindingKind, still_true: Collection[str]) -> list[str]:
    """Resolve open findings of `kind` whose key is not in `still_true`; returns their keys."""
    return [row.key for row in tx.rows(_HEAL, kind=kind.value, keys=list(still_true))]


_CEASE: Final = sa.text("""
    UPDATE findings SET resolved_at = clock_timestamp(), resolved_by = 'bursar',
           resolution = 'no longer seen', auto_healed = true
    WHERE key = ANY(CAST(:keys AS text[])) AND resolved_at IS NULL
    RETURNING key""")


def cease(tx: Tx, keys: Sequence[str]) -> list[str]:
    """Resolve these open findings: who reported them sees them no longer."""
    return [row.key for row in tx.rows(_CEASE, keys=list(keys))]


def observe(tx: Tx, kind: FindingKind, seen: Sequence[Finding]) -> None:
    """Report everything of `kind` that is true now, and heal what is not."""
    if any(finding.kind is not kind for finding in seen):
        raise AssertionError("a check observes one kind")
    report(tx, seen)
    heal(tx, kind, [finding.key for finding in seen])


_TAKE: Final = sa.text("""
    UPDATE findings SET owner = :owner
    WHERE key = ANY(CAST(:keys AS text[])) AND resolved_at IS NULL
    RETURNING key""")


def take(tx: Tx, keys: Sequence[str], owner: str) -> list[str]:
    """Make `owner` the one who looks after open findings; returns those taken."""
    return [row.key for row in tx.rows(_TAKE, keys=list(keys), owner=owner)]


_RESOLVE: Final = sa.text("""
    UPDATE findings SET resolved_at = clock_timestamp(), resolved_by = :by, resolution = :why
    WHERE key = ANY(CAST(:keys AS text[])) AND resolved_at IS NULL RETURNING key""")


def resolve(tx: Tx, keys: Sequence[str], *, by: str, why: str) -> list[str]:
    """Close open findings by hand; returns those closed. What is still true opens again."""
    return [row.key for row in tx.rows(_RESOLVE, keys=list(keys), by=by, why=why)]


_MUTE: Final = sa.text("""
    UPDATE findings SET muted_until = :until, muted_by = :by, muted_why = :why
    WHERE key = ANY(CAST(:keys AS text[])) AND resolved_at IS NULL RETURNING key""")


def mute(tx: Tx, keys: Sequence[str], *, until: datetime, by: str, why: str) -> list[str]:
    """Send no alert about open findings before `until`; they stay listed. Returns those muted."""
    return [row.key for row in tx.rows(_MUTE, keys=list(keys), until=until, by=by, why=why)]


_TO_ALERT: Final = sa.text("""
    SELECT key, kind, subject, severity, detail, opened_at, seen_at, seen FROM findings
    WHERE resolved_at IS NULL AND severity IN ('P0', 'P1')
      AND (muted_until IS NULL OR muted_until <= clock_timestamp())
      AND (alerted_at IS NULL
           OR owner IS NULL AND alerted_at <= clock_timestamp() - make_interval(secs => :again))
    ORDER BY severity, opened_at, key LIMIT :limit""")


def to_alert(tx: Tx, limit: int = 100) -> Sequence[Row]:
    """Open P0 and P1 never sent, or sent an hour ago and still nobody's; gravest, oldest first."""
    return tx.rows(_TO_ALERT, again=AGAIN_SECONDS, limit=limit)


def mark_alerted(tx: Tx, keys: Sequence[str]) -> int:
    """Remember that alerts about `keys` were delivered now."""
    statement = sa.text("""
    UPDATE findings SET alerted_at = clock_timestamp() WHERE key = ANY(CAST(:keys AS text[]))""")
    return tx.run(statement, keys=list(keys))


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which findings to list: without a `state` those not resolved; elsewhere None does not narrow.

    `after` is the key the last page ended with.
    """

    state: FindingState | None = None
    severity: Severity | None = None
    kind: FindingKind | None = None
    owner: str | None = None
    after: str | None = None
    limit: int = 50


_LISTING: Final = sa.text("""
    SELECT * FROM (
      SELECT f.*, CASE WHEN auto_healed THEN 'healed'
                     WHEN resolved_at IS NOT NULL THEN 'resolved'
                     WHEN muted_until > clock_timestamp() THEN 'muted'
                     WHEN owner IS NOT NULL THEN 'taken'
                     ELSE 'open' END AS state
      FROM findings f) f
    WHERE CASE coalesce(:state, '') WHEN '' THEN resolved_at IS NULL WHEN 'all' THEN true ELSE state = :state END
      AND (CAST(:severity AS text) IS NULL OR severity = :severity)
      AND (CAST(:kind AS text) IS NULL OR kind = :kind)
      AND (CAST(:owner AS text) IS NULL OR owner = :owner)
      AND (CAST(:after AS text) IS NULL
           OR (opened_at, key) < (SELECT a.opened_at, a.key FROM findings a WHERE a.key = :after))
    ORDER BY opened_at DESC, key DESC LIMIT :limit""")


def listing(tx: Tx, which: Filter) -> Rows:
    """One page of findings, newest first, each with its `state`.

    Raises `BadInputError` where `after` is no finding: a page must not read as the end.
    """
    if which.after is not None and get(tx, which.after) is None:
        raise BadInputError("--after", which.after, "must be the key of a finding")
    return tx.page(
        _LISTING,
        state=which.state,
        severity=which.severity,
        kind=which.kind,
        owner=which.owner,
        after=which.after,
        limit=which.limit,
    )


_KNOWN: Final = sa.text("SELECT key FROM findings WHERE key = ANY(CAST(:keys AS text[]))")


def known(tx: Tx, keys: Sequence[str]) -> set[str]:
    """Of these keys, those of a finding, however it stands."""
    return {row.key for row in tx.rows(_KNOWN, keys=list(keys))}


def get(tx: Tx, key: str) -> Row | None:
    """One finding, whole."""
    return tx.row(sa.text("SELECT * FROM findings WHERE key = :key"), key=key)
