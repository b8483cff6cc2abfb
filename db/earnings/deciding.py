"""What is said of earnings: held or released, by people or by a dispute, a share given back. Sets, by compare-and-swap.

Lock order: earnings in the order of their ids, then accounts. A claim holds the earnings of what it
sends, so whatever is decided here is seen by the next claim, or waits for it and sees that it was made.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from db import changes, ledger
from db.accounts import Owner, open_accounts
from db.tx import Row, Tx
from domain.earnings import EarningState
from domain.ledger import AccountKind, Entry, EntryType, Posting
from domain.payouts import PayoutState


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """What became of one earning.

    moved | same | illegal | disputed (by its gateway, which has not said how that ended) | beyond (its share)
    | sending (its payout is under way).
    """

    subject: UUID
    outcome: str
    source: str | None


_LOCK: Final = sa.text("""
    SELECT id FROM earnings WHERE id = ANY(CAST(:ids AS uuid[])) ORDER BY id FOR UPDATE""")

_HOLD: Final = sa.text("""
    WITH meant AS MATERIALIZED (
      SELECT e.id, e.state, e.held, e.contested,
             CASE WHEN :by_people THEN :holds ELSE e.held END AS to_be_held,
             -- What a dispute holds, people release only where that has ended: lost, say, and not to be taken back.
             CASE WHEN :by_people THEN e.contested AND (:holds OR EXISTS (
                    SELECT FROM disputes d WHERE d.payment = e.id AND d.state = 'OPEN'))
                  ELSE :holds END AS to_be_contested
      FROM earnings e WHERE e.id = ANY(CAST(:ids AS uuid[]))),
    judged AS MATERIALIZED (
      SELECT *, CASE WHEN state = 'REFUNDED' THEN 'illegal' WHEN (held, contested) <> (to_be_held, to_be_contested) THEN 'moved'
                     WHEN :by_people AND contested AND NOT :holds THEN 'disputed' ELSE 'same' END AS outcome FROM meant),
    moved AS (
      UPDATE earnings e SET held = j.to_be_held, contested = j.to_be_contested, updated_at = clock_timestamp(),
             state = CASE WHEN e.state NOT IN ('READY', 'HELD') THEN e.state
                          WHEN j.to_be_held OR j.to_be_contested THEN 'HELD' ELSE 'READY' END
      FROM judged j WHERE e.id = j.id AND j.outcome = 'moved' RETURNING e.id, j.state AS source, e.state AS target),
    told AS (
      INSERT INTO moves (kind, subject, source, target, actor, reason)
      SELECT 'earning', id, source, target, :actor, :why FROM moved WHERE source <> target)
    SELECT id, outcome, state FROM judged ORDER BY id""")


def hold(tx: Tx, earnings: Sequence[UUID], *, actor: str, why: str) -> list[Decided]:
    """Hold each, as an operator says; one that is in a payout keeps that payout from being sent."""
    done = _hold(tx, earnings, holds=True, by_people=True, actor=actor, why=why)
    _note(tx, "earning.hold", done, actor=actor, why=why)
    return done


def release(tx: Tx, earnings: Sequence[UUID], *, actor: str, why: str) -> list[Decided]:
    """Release each, as an operator says: what people hold, and what a dispute holds that has ended."""
    done = _hold(tx, earnings, holds=False, by_people=True, actor=actor, why=why)
    _note(tx, "earning.release", done, actor=actor, why=why)
    return done


def hold_rows(tx: Tx, earnings: Sequence[UUID]) -> None:
    """Lock earnings in key order, for who decides of some of them this and of others that."""
    tx.rows(_LOCK, ids=list(earnings))


def contest(
    tx: Tx, earnings: Sequence[UUID], *, opens: bool, actor: str, why: str
) -> list[Decided]:
    """A gateway tells that a dispute about their payments is open, or none any more: what people hold stays held."""
    return _hold(tx, earnings, holds=opens, by_people=False, actor=actor, why=why)


def _hold(
    tx: Tx, earnings: Sequence[UUID], *, holds: bool, by_people: bool, actor: str, why: str
) -> list[Decided]:
    ids = sorted(set(earnings))
    hold_rows(tx, ids)
    rows = tx.rows(_HOLD, ids=ids, holds=holds, by_people=by_people, actor=actor, why=why)
    return [Decided(subject=row.id, outcome=row.outcome, source=row.state) for row in rows]


_READ: Final = sa.text("""
    SELECT e.id, e.payee, e.state, e.amount, e.refunded, e.currency, p.state AS payout_state
    FROM earnings e
    LEFT JOIN payout_earnings l ON l.earning = e.id AND l.live
    LEFT JOIN payouts p ON p.id = l.payout
    WHERE e.id = ANY(CAST(:ids AS uuid[])) ORDER BY e.id""")

_REDUCE: Final = sa.text("""
    WITH moved AS (
      UPDATE earnings e SET refunded = r.refunded, updated_at = clock_timestamp(),
             state = CASE WHEN r.refunded = e.amount AND e.state IN ('READY', 'HELD') THEN 'REFUNDED' ELSE e.state END
      FROM unnest(CAST(:ids AS uuid[]), CAST(:refunded AS bigint[]), CAST(:sources AS text[])) AS r (id, refunded, source)
      WHERE e.id = r.id RETURNING e.id, r.source, e.state AS target),
    told AS (
      INSERT INTO moves (kind, subject, source, target, actor, reason)
      SELECT 'earning', id, source, target, :actor, :why FROM moved WHERE source <> target)
    SELECT id FROM moved""")


def reduce(tx: Tx, totals: Mapping[UUID, int | None], *, actor: str, why: str) -> list[Decided]:
    """Let `refunded` of each earning grow to a total (minor units; None: the whole share), with its entry.

    The total, not a difference: said again it changes nothing. What is being sent at the moment is
    left for later; what was paid is owed back by its payee.
    """
    ids = sorted(totals)
    hold_rows(tx, ids)
    rows = tx.rows(_READ, ids=ids)
    wanted = {row.id: row.amount if (total := totals[row.id]) is None else total for row in rows}
    done = [
        Decided(subject=row.id, outcome=_judge(row, wanted[row.id]), source=row.state)
        for row in rows
    ]
    moving = [row for row, one in zip(rows, done, strict=True) if one.outcome == "moved"]
    if moving:
        tx.rows(
            _REDUCE,
            ids=[row.id for row in moving],
            refunded=[wanted[row.id] for row in moving],
            sources=[row.state for row in moving],
            actor=actor,
            why=why,
        )
        _post(tx, moving, wanted, actor)
    _note(tx, "earning.reduce", done, actor=actor, why=why)
    return done


def _judge(row: Row, total: int) -> str:
    if not row.refunded <= total <= row.amount:
        return "beyond"
    if total == row.refunded:
        return "same"
    return "sending" if row.payout_state == PayoutState.PROCESSING else "moved"


def _post(tx: Tx, rows: Sequence[Row], wanted: Mapping[UUID, int], actor: str) -> None:
    liabilities = {
        currency: Owner(kind=AccountKind.IMPORTED_LIABILITY, owner="", currency=currency)
        for currency in {row.currency for row in rows}
    }
    owing = {row.id: _owing(row) for row in rows}
    opened = open_accounts(tx, [*liabilities.values(), *owing.values()])
    day = ledger.today(tx)
    entries = [
        Entry(
            type=EntryType.EARNING_REDUCED,
            key=f"earning:{row.id}:reduced:{wanted[row.id]}",
            currency=row.currency,
            effective_on=day,
            postings=(
                Posting(
                    debit=opened[owing[row.id]],
                    credit=opened[liabilities[row.currency]],
                    amount=wanted[row.id] - row.refunded,
                ),
            ),
        )
        for row in rows
    ]
    ledger.post(tx, entries, run=None, actor=actor)


def _owing(row: Row) -> Owner:
    """Whose account a reduction is taken from: owed less, or owed back once it was paid."""
    paid = row.state == EarningState.PAID
    kind = AccountKind.PAYEE_RECEIVABLE if paid else AccountKind.PAYEE_PAYABLE
    return Owner(kind=kind, owner=str(row.payee), currency=row.currency)


def _note(tx: Tx, what: str, done: Sequence[Decided], *, actor: str, why: str) -> None:
    moved = [str(one.subject) for one in done if one.outcome == "moved"]
    changes.note(tx, what, moved, who=actor, why=why)
