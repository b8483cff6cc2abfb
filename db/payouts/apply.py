"""One completion function: whatever a provider says, and whoever heard it, settles through `apply`.

Follow, recover, the submit itself and webhooks each make verdicts; `apply` writes them for the whole
set, in lock order: effects and their evidence, the state by CAS, earnings, tax, the work row, the books.
Everything after the CAS is fed from what the CAS returned.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from itertools import pairwise
from typing import Final, NamedTuple
from uuid import UUID

import sqlalchemy as sa

from db import effects, findings, ledger
from db.accounts import Owner, open_accounts
from db.dispersals import paying
from db.dispersals.paying import Ending
from db.effects import Outcome
from db.notices import write as notices
from db.payouts import late, mails, recovering, tax_records
from db.payouts.details import Details, read
from db.payouts.late import Bearing
from db.payouts.posting import Leg, entry, reserved
from db.payouts.tax_records import Ended
from db.transitions import LeasedTx, move
from db.work import Next
from domain.findings import Finding
from domain.ledger import AccountKind, Entry, EntryType
from domain.payout_words import Path
from domain.payouts import PAYOUTS, PayoutState


class Verdict(NamedTuple):
    """What becomes of one held payout: its effect, the states it goes through, its work row."""

    subject: UUID
    next: Next
    outcome: Outcome | None = None
    path: Path = ()
    """From the state it is in to where it comes; empty: it stays."""
    reason: str | None = None
    finding: Finding | None = None


def apply(
    tx: LeasedTx, verdicts: Sequence[Verdict], rows: Mapping[UUID, Details] | None = None
) -> set[UUID]:
    """Write the verdicts; returns the subjects whose CAS was lost (parked, for a person to see).

    `rows` are the payouts where this transaction has read them already, held.
    """
    effects.answered(tx, [(v.subject, v.outcome) for v in verdicts if v.outcome is not None])
    ended: list[Ended] = []
    lost: set[UUID] = set()
    steps = _steps(verdicts)
    if len(steps) > 1:
        # Each step changes the earnings of its payouts: all of them are locked before the first, in key order.
        moving = [v.subject for v in verdicts if v.path]
        late.hold_earnings(tx, [id_ for id_ in moving if rows is None or rows[id_].is_earned])
    for (_, source, target), group in steps:
        going = [v for v in group if v.subject not in lost]
        moved = _move(tx, going, source, target)
        if moved:
            ended += _ended(tx, moved, rows, source, target)
        if len(moved) < len(going):
            lost |= {v.subject for v in going} - set(moved)
    late.hold(tx, ended)
    tax_records.keep(tx, ended)
    tx.settle([_lost(tx, v) if v.subject in lost else v.next for v in verdicts])
    notices.write(tx, [(one.row.id, one.target) for one in ended if one.row.is_told])
    mails.tell(tx, [(one.row.id, one.target) for one in ended if one.row.is_mailed])
    findings.report(tx, [v.finding for v in verdicts if v.finding is not None])
    ledger.post(tx, _entries(tx, ended), run=tx.holder, actor=tx.actor)
    return lost


def _steps(
    verdicts: Sequence[Verdict],
) -> list[tuple[tuple[int, PayoutState, PayoutState], list[Verdict]]]:
    """The verdicts by the move they make; the first move of each before any second one."""
    steps: defaultdict[tuple[int, PayoutState, PayoutState], list[Verdict]] = defaultdict(list)
    for verdict in verdicts:
        for place, (source, target) in enumerate(pairwise(verdict.path)):
            steps[place, source, target].append(verdict)
    return sorted(steps.items())


_EARNINGS: Final = sa.text("""
    WITH unlinked AS (
      UPDATE payout_earnings l SET live = false
      WHERE :releases AND l.payout = ANY(CAST(:ids AS uuid[])) AND l.live RETURNING l.earning),
    paid AS (
      SELECT l.earning FROM payout_earnings l WHERE :completed AND l.payout = ANY(CAST(:ids AS uuid[])) AND l.live),
    -- In key order, as whoever disputes or reduces them locks them.
    locked AS MATERIALIZED (
      SELECT e.id FROM earnings e
      WHERE e.id IN (SELECT earning FROM unlinked UNION ALL SELECT earning FROM paid) AND e.state IN ('BATCHED', 'PAID')
      ORDER BY e.id FOR UPDATE)
    UPDATE earnings e SET state = CASE WHEN :completed THEN 'PAID' ELSE earning_released(e.disputed, e.refunded, e.amount) END
    FROM locked x WHERE e.id = x.id""")


def _move(
    tx: LeasedTx, group: Sequence[Verdict], source: PayoutState, target: PayoutState
) -> list[UUID]:
    # What was put back is not in error: its work row says what it waits for.
    is_said = target is not PayoutState.APPROVED
    words = {v.subject: v.reason if is_said else None for v in group}
    return move(tx, PAYOUTS, list(words), source=source, target=target, words=words)


def _ended(
    tx: LeasedTx,
    moved: Sequence[UUID],
    rows: Mapping[UUID, Details] | None,
    source: PayoutState,
    target: PayoutState,
) -> list[Ended]:
    """What was moved, its earnings moved along. Only what was put back is another than it was read."""
    known = (
        read(tx, moved)
        if rows is None or target is PayoutState.APPROVED
        else [rows[id_] for id_ in moved]
    )
    if earned := [row.id for row in known if row.is_earned]:
        tx.run(
            _EARNINGS,
            ids=earned,
            completed=target is PayoutState.COMPLETED,
            releases=target in {PayoutState.FAILED, PayoutState.CANCELLED, PayoutState.REVERSED},
        )
    return [Ended(row, source, target) for row in known]


def _entries(tx: LeasedTx, ended: Sequence[Ended]) -> list[Entry]:
    if not ended:
        return []
    day, taxes = ledger.today(tx), _tax_accounts(tx, ended)
    borne = late.bearings(tx, ended)
    owing = recovering.receivables(tx, [one.row for one in ended if _reinstates(one)])
    made = [
        _entry(one, taxes.get(one.row.currency), borne.get(one.row.id), day, owing.get(one.row.id))
        for one in ended
    ]
    return made + _of_dispersals(tx, ended, borne)


def _of_dispersals(
    tx: LeasedTx, ended: Sequence[Ended], borne: Mapping[UUID, Bearing]
) -> list[Entry]:
    """Move what these payouts pay, each once, from where its payout was to where it came."""
    endings = dict[UUID, Ending]()
    for row, source, target in ended:
        if row.dispersal is not None:
            first = endings.get(row.id)
            mine = (bearing := borne.get(row.id)) is None or bearing.owed > 0
            begun = source if first is None else first.source
            endings[row.id] = Ending(payout=row.id, source=begun, target=target, is_its_own=mine)
    return paying.follow(tx, list(endings.values())) if endings else []


def _reinstates(ended: Ended) -> bool:
    """Whether what was kept back of a debt is owed again."""
    unpaid = {PayoutState.APPROVED, PayoutState.FAILED, PayoutState.CANCELLED}
    return ended.row.recovered > 0 and ended.target in unpaid


def _tax_accounts(tx: LeasedTx, ended: Sequence[Ended]) -> dict[str, int]:
    """Where tax is owed, by currency; opened with the first of it."""
    currencies = {one.row.currency for one in ended if one.row.withheld}
    owners = [Owner(kind=AccountKind.TDS_PAYABLE, owner="", currency=c) for c in currencies]
    opened = open_accounts(tx, owners) if owners else {}
    return {owner.currency: account for owner, account in opened.items()}


def _entry(
    ended: Ended, taxes: int | None, borne: Bearing | None, day: date, owing: int | None
) -> Entry:
    row, source, target = ended
    match source, target:
        case PayoutState.PROCESSING, PayoutState.COMPLETED:
            sent = (row.in_transit, row.cash, row.net)
            withheld = (row.in_transit, taxes, row.withheld)
            return entry(row, EntryType.PAYOUT_COMPLETED, [sent, withheld], day)
        case PayoutState.PROCESSING, PayoutState.APPROVED:
            number = row.put_backs or 0
            return entry(row, EntryType.PAYOUT_PUT_BACK, reserved(row, owing), day, number)
        case PayoutState.PROCESSING, PayoutState.FAILED | PayoutState.CANCELLED:
            return entry(row, EntryType.PAYOUT_FAILED, reserved(row, owing), day)
        case PayoutState.FAILED | PayoutState.CANCELLED, PayoutState.COMPLETED:
            legs = _split(_payees(row, borne), [*_paid(row, taxes), _settled(borne)])
            return entry(row, EntryType.PAYOUT_PAID_LATE, legs, day)
        case PayoutState.COMPLETED, PayoutState.REVERSED:
            legs = _split([*_paid(row, taxes), _settled(borne)], _payees(row, borne))
            return entry(row, EntryType.PAYOUT_REVERSED, legs, day)
        case _:
            raise AssertionError(f"{source} to {target} has no entry")


Part = tuple[int | None, int]
"""An account, None where there is none, and how much of one side of an entry is its."""


def _paid(row: Details, taxes: int | None) -> tuple[Part, ...]:
    """Where the money of a payment is."""
    return (row.cash, row.net), (taxes, row.withheld)


def _payees(row: Details, borne: Bearing | None) -> tuple[Part, ...]:
    """Whose it is: what is owed to the payee, what the payee owes, and what the payee has settled already."""
    if borne is None:
        return ((row.payable, row.sent),)
    rest = (borne.receivable, max(0, borne.rest))
    return (row.payable, borne.owed), rest, (borne.wallet, borne.surplus)


def _settled(borne: Bearing | None) -> Part:
    """What was kept back of a debt, as far as it is or was settled by the payment."""
    return (None, 0) if borne is None else (borne.receivable, max(0, -borne.rest))


def _split(debits: Sequence[Part], credits_: Sequence[Part]) -> list[Leg]:
    """Pair two sides of the same sum, in their order."""
    legs: list[Leg] = []
    left = list(credits_)
    for debit, amount in debits:
        rest = amount
        while rest:
            credit, room = left.pop(0)
            taken = min(rest, room)
            legs.append((debit, credit, taken))
            rest -= taken
            if room > taken:
                left.insert(0, (credit, room - taken))
    return legs


def _lost(tx: LeasedTx, verdict: Verdict) -> Next:
    reason = f"its state was changed under the lease, from outside: expected {verdict.path[0]}"
    return Next(subject=verdict.subject, job=tx.job(verdict.subject), parked=reason, error=reason)
