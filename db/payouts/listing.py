"""Payouts as operators read them: pages by age, newest first, and everything about one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from db.tx import Row, Rows, Tx
from domain.errors import BadInputError
from domain.ids import uuid_of
from domain.payouts import FOLLOW, RECOVER, SENDERS, PayoutState

FIELDS: Final = (
    "id", "external_id", "payee", "state", "amount_minor", "currency", "mode", "provider_id", "utr",
    "effect_state", "error", "created_at", "updated_at",
)  # fmt: skip
"""What a listing holds of each payout, in this order, under these names."""

_FIELDS: Final = """
      p.id, p.external_id, y.name AS payee, p.state, p.amount AS amount_minor, p.currency,
      coalesce(p.mode, e.request ->> 'mode') AS mode, e.provider_id, e.utr, e.state AS effect_state,
      CASE WHEN p.state IN ('APPROVED', 'PROCESSING') THEN coalesce(w.last_error, e.error, p.error)
           ELSE p.error END AS error,
      p.created_at, p.updated_at"""
_JOINS: Final = """
    JOIN payees y ON y.id = p.payee
    LEFT JOIN effects e ON e.key = p.effect_key
    LEFT JOIN work w ON w.subject = p.id"""

_AFTER: Final = """(created_at, id) < (
        coalesce((SELECT a.created_at FROM payouts a WHERE a.id = CAST(:after AS uuid)), 'infinity'),
        coalesce(CAST(:after AS uuid), 'ffffffff-ffff-ffff-ffff-ffffffffffff'))"""

_NEWEST: Final = sa.text(f"""
    WITH page AS MATERIALIZED (
      SELECT * FROM payouts
      WHERE {_AFTER} AND (CAST(:state AS text) IS NULL OR state = :state)
      ORDER BY created_at DESC, id DESC LIMIT :limit)
    SELECT {_FIELDS} FROM page p {_JOINS} ORDER BY p.created_at DESC, p.id DESC""")

_WAITING: Final = sa.text(f"""
    -- States that wait for a job are found through its work: few rows, however long history grows.
    WITH page AS MATERIALIZED (
      SELECT * FROM payouts
      WHERE {_AFTER} AND state = :state AND id IN (SELECT subject FROM work WHERE job = ANY(CAST(:jobs AS text[])))
      ORDER BY created_at DESC, id DESC LIMIT :limit)
    SELECT {_FIELDS} FROM page p {_JOINS} ORDER BY p.created_at DESC, p.id DESC""")

_JOBS: Final[Mapping[PayoutState, tuple[str, ...]]] = {
    PayoutState.APPROVED: tuple(SENDERS.values()),
    PayoutState.PROCESSING: (*SENDERS.values(), RECOVER, FOLLOW),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Which payouts to list; None does not narrow. `after` is the id the last page ended with."""

    state: PayoutState | None = None
    after: UUID | None = None
    limit: int = 50


def listing(tx: Tx, page: Page) -> Rows:
    """One page of payouts, newest first, with the fields of `FIELDS`.

    Raises `BadInputError` where `after` is no payout: a page must not silently begin anew.
    """
    if page.after is not None and not states(tx, [page.after]):
        raise BadInputError("--after", str(page.after), "must be the id of a payout")
    narrow = {"after": page.after, "limit": page.limit, "state": page.state}
    if page.state is not None and page.state in _JOBS:
        return tx.page(_WAITING, jobs=list(_JOBS[page.state]), **narrow)
    return tx.page(_NEWEST, **narrow)


_IN_STATE: Final = sa.text("""
    SELECT id FROM payouts
    WHERE state = :state AND id > coalesce(CAST(:after AS uuid), '00000000-0000-0000-0000-000000000000') ORDER BY id LIMIT :limit""")


def in_state(tx: Tx, state: PayoutState, *, after: UUID | None, limit: int) -> list[UUID]:
    """A page of the ids of all payouts in `state`, in the order of ids."""
    return [row.id for row in tx.rows(_IN_STATE, state=state, after=after, limit=limit)]


def states(tx: Tx, payouts: Sequence[UUID]) -> dict[UUID, PayoutState]:
    """The state of each payout that exists."""
    statement = sa.text("SELECT id, state FROM payouts WHERE id = ANY(CAST(:ids AS uuid[]))")
    return {row.id: PayoutState(row.state) for row in tx.rows(statement, ids=list(payouts))}


_NAMED: Final = sa.text("""
    SELECT n.name, p.id FROM unnest(CAST(:names AS text[])) AS n (name)
    JOIN payouts p ON p.external_id = n.name""")


def find(tx: Tx, names: Sequence[str]) -> dict[str, UUID]:
    """Return the payout that each name stands for: its id, or else its external id.

    Raises `BadInputError` for the first name of no payout.
    """
    named = {row.name: row.id for row in tx.rows(_NAMED, names=list(names))}
    ids = {name: id_ for name in names if (id_ := named.get(name) or uuid_of(name)) is not None}
    known = states(tx, list(ids.values()))
    for name in names:
        if name not in ids or ids[name] not in known:
            raise BadInputError("payout", name, "must be the id or the external id of a payout")
    return ids


_SHOW: Final = sa.text(f"""
    SELECT {_FIELDS}, a.fund_account_id, p.purpose, p.narration, p.generation, p.effect_key, p.approved_by, p.approved_at,
           p.created_by, p.completed_at, p.source, p.payee_kind, coalesce(p.net_amount, p.amount) AS net_minor, p.tds_deducted AS tds_minor, p.recovered AS recovered_minor,
           p.tds_gross AS tds_gross_minor, p.tds_base AS tds_base_minor, p.tds_rate_bps, p.tds_engine, p.tds_financial_year,
           e.sends, e.put_backs, e.status AS provider_status, e.first_sent_at, e.accepted_at,
           w.job AS waits_for, NULLIF(w.due_at, 'infinity') AS due_at, w.leased_until, w.holder AS held_by_run, w.tries, w.parked_reason
    FROM payouts p JOIN payout_accounts a ON a.id = p.account {_JOINS}
    WHERE p.id = :id""")


def show(tx: Tx, payout: UUID) -> Row | None:
    """Everything about one payout: the row, its newest effect, what it waits for."""
    return tx.row(_SHOW, id=payout)


_HISTORY: Final = sa.text("""
    SELECT at, 'move' AS what, source || ' -> ' || target AS fact, reason AS detail, actor, run
    FROM moves WHERE subject = :id
    UNION ALL
    SELECT a.at, 'answer', a.answer || CASE WHEN a.moved THEN '' ELSE ' (came too late to move anything)' END, a.detail,
           NULL, a.run
    FROM payouts p CROSS JOIN generate_series(1, p.generation) g
    JOIN effect_answers a ON a.key = effect_key('payout.submit', p.id, g) WHERE p.id = :id
    ORDER BY at LIMIT :limit""")


def history(tx: Tx, payout: UUID, limit: int = 1_000) -> Sequence[Row]:
    """What became of one payout, oldest first: its moves and what its provider answered."""
    return tx.rows(_HISTORY, id=payout, limit=limit)
