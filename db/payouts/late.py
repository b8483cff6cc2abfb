"""What was paid after it had ended unpaid: its earnings taken back where nobody paid them, else the payee owes it.

When it failed, its money went back to the payee's account and its earnings became payable again. If both
are still there, this payment is what they were for; of what was given back meanwhile the payee owes the
difference. If they were spent meanwhile, the payee was paid twice.

What paid a dispersal that another payout has paid meanwhile, or may have, was paid twice likewise.

What a payout kept back of a debt was owed again since it failed: paid late, it settles that debt once more, where
it is there. What comes back after its payee has settled more than that is put into the payee's wallet.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from db.dispersals import paying
from db.payouts import recovering
from db.payouts.details import Details
from db.payouts.recovering import Debts
from db.payouts.tax_records import Ended
from db.transitions import LeasedTx
from db.wallets.rows import lock_wallets, open_wallets
from domain.ledger import EntryType, payout_entry_key
from domain.payouts import SETTLED, PayoutState

_HOLD: Final = sa.text("""
    SELECT FROM payout_earnings l JOIN earnings e ON e.id = l.earning
    WHERE l.payout = ANY(CAST(:ids AS uuid[])) ORDER BY e.id FOR UPDATE OF e""")
_OWN: Final = sa.text("""
    -- All of a payout's or none: part of an amount was not paid. What was given back whole nobody else can pay.
    SELECT l.payout, bool_and(e.state IN ('READY', 'REFUNDED')) AS are_free, CAST(sum(e.amount - e.refunded) AS bigint) AS owed
    FROM payout_earnings l JOIN earnings e ON e.id = l.earning
    WHERE l.payout = ANY(CAST(:ids AS uuid[])) GROUP BY l.payout""")
_TAKE_BACK: Final = sa.text("""
    WITH linked AS (
      UPDATE payout_earnings l SET live = true FROM earnings e
      WHERE l.payout = ANY(CAST(:ids AS uuid[])) AND e.id = l.earning AND e.state = 'READY' RETURNING l.earning)
    UPDATE earnings e SET state = 'PAID' FROM linked l WHERE e.id = l.earning""")
_NEVER_OWED: Final = sa.text("""
    -- What another system had withdrawn, or owed by earnings that it did not tell: no debt of it was ever opened here.
    SELECT t.payout FROM takeovers t JOIN payouts p ON p.id = t.payout
    WHERE t.payout = ANY(CAST(:ids AS uuid[]))
      AND (t.state IN ('CANCELLED', 'REVERSED') OR t.state IN ('PENDING', 'APPROVED', 'FAILED') AND p.source = 'earnings')""")
_LEFT: Final = sa.text("""
    SELECT account, credits - debits AS balance FROM balances WHERE account = ANY(CAST(:accounts AS bigint[]))""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bearing:
    """Whose side of a payment or its return is what, in minor units; together they are what was sent, and its tax."""

    owed: int
    """Of what is owed to the payee."""
    rest: int = 0
    """Of what the payee owes. Below zero where less was sent than was owed: a debt was kept back of it."""
    receivable: int | None = None
    """The account of the rest; None where there is none."""
    surplus: int = 0
    """What came back and the payee has settled already: it goes to their wallet."""
    wallet: int | None = None
    """The account of the surplus; None where there is none."""


def hold_earnings(tx: LeasedTx, payouts: Sequence[UUID]) -> None:
    """Lock whatever `payouts` pay or paid, in key order."""
    if payouts:
        tx.rows(_HOLD, ids=list(payouts))


def hold(tx: LeasedTx, ended: Sequence[Ended]) -> None:
    """Lock earnings, wallets and payees of what was paid late or came back, in key order: tax years and accounts follow."""
    hold_earnings(tx, [one.row.id for one in ended if one.source in SETTLED and one.row.is_earned])
    lock_wallets(tx, {one.row.wallet for one in ended if one.source in SETTLED and one.row.wallet})
    paying.hold(tx, {one.row.id for one in ended if one.row.dispersal})
    recovering.hold_payees(tx, {one.row.id for one in ended if _may_settle(one)})


def _may_settle(one: Ended) -> bool:
    """Whether a move may take from what its payee owes."""
    return one.source in SETTLED or one.target is PayoutState.REVERSED


def bearings(tx: LeasedTx, ended: Sequence[Ended]) -> Mapping[UUID, Bearing]:
    """What bears each of `ended` that was paid late or given back; of what is absent, all that was sent is owed.

    What is taken back is taken back here; its earnings and its payee are held since `hold`.
    """
    late = {one.row.id: one.row for one in ended if one.source in SETTLED}
    back = {one.row.id: one.row for one in ended if one.target is PayoutState.REVERSED}
    # What is paid late and given back in the same breath comes out of what is owed and goes back there.
    mine = [row for id_, row in late.items() if id_ not in back]
    returned = [row for id_, row in back.items() if id_ not in late]
    debts = recovering.debts(tx, [row.id for row in (*mine, *returned)])
    owed = {**_owed_late(tx, mine, debts), **_owed_back(tx, returned)}
    surplus = {row.id: _surplus(row, owed[row.id], debts) for row in returned}
    rows = {row.id: row for row in (*mine, *returned)}
    rests = {id_: row.sent - owed[id_] - surplus.get(id_, 0) for id_, row in rows.items()}
    receivables = recovering.receivables(tx, [rows[id_] for id_, rest in rests.items() if rest])
    wallets = _wallets(tx, [rows[id_] for id_, more in surplus.items() if more])
    return {
        id_: Bearing(
            owed=owed[id_],
            rest=rest,
            receivable=receivables.get(id_),
            surplus=surplus.get(id_, 0),
            wallet=wallets.get(id_),
        )
        for id_, rest in rests.items()
    }


def _owed_late(tx: LeasedTx, rows: Sequence[Details], debts: Debts) -> dict[UUID, int]:
    """How much of each payment was still owed: all of it, what was not given back, or nothing."""
    if not rows:
        return {}
    ids = [row.id for row in rows]
    own = {row.payout: row for row in tx.rows(_OWN, ids=ids)}
    never = {row.payout for row in tx.rows(_NEVER_OWED, ids=ids)} - own.keys()
    shares = [row.id for row in rows if row.dispersal]
    never |= set(shares) - paying.still_open(tx, shares)
    payables = sorted({row.payable for row in rows})
    left = Counter({row.account: row.balance for row in tx.rows(_LEFT, accounts=payables)})
    owed = {}
    for row in sorted(rows, key=lambda row: row.id):
        mine = own.get(row.id)
        due = min(row.amount, mine.owed) if mine and row.is_earned else row.amount
        is_there = (mine.are_free if mine else row.id not in never) and left[row.payable] >= due
        # Less was sent than is owed now: the rest settles a debt, where that is still there to be settled.
        owed[row.id] = due if is_there and debts.has(row, due - row.sent) else 0
        left[row.payable] -= owed[row.id]
    tx.run(_TAKE_BACK, ids=[id_ for id_, due in owed.items() if due and id_ in own])
    return owed


_STILL: Final = sa.text("""
    SELECT l.payout, CAST(sum(e.amount - e.refunded) AS bigint) AS owed
    FROM payout_earnings l JOIN earnings e ON e.id = l.earning
    WHERE l.payout = ANY(CAST(:ids AS uuid[])) GROUP BY l.payout""")
_PAID_LATE: Final = sa.text("""
    SELECT e.key, bool_or(a.kind <> 'payee_receivable') AS was_owed
    FROM entries e JOIN postings p ON p.entry = e.id JOIN accounts a ON a.id = p.debit
    WHERE e.key = ANY(CAST(:keys AS text[])) GROUP BY e.key""")


def _owed_back(tx: LeasedTx, rows: Sequence[Details]) -> dict[UUID, int]:
    """How much of each that is given back is owed again.

    Not what was given back to customers after the payment, nor what was paid twice: the payee owes
    that, and with this owes it no more.
    """
    if not rows:
        return {}
    paid_late = EntryType.PAYOUT_PAID_LATE
    keys = {payout_entry_key(row.id, row.generation, paid_late): row.id for row in rows}
    late = {keys[row.key]: row.was_owed for row in tx.rows(_PAID_LATE, keys=list(keys))}
    earned = [row.id for row in rows if row.is_earned]
    still = {row.payout: row.owed for row in tx.rows(_STILL, ids=earned)} if earned else {}
    return {
        row.id: min(row.amount, still.get(row.id, row.amount)) if late.get(row.id, True) else 0
        for row in rows
    }


def _surplus(row: Details, owed: int, debts: Debts) -> int:
    """What comes back of a payout beyond what is owed again and what its payee owes still."""
    rest = max(0, row.sent - owed)
    return rest - debts.take(row, rest)


def _wallets(tx: LeasedTx, rows: Sequence[Details]) -> dict[UUID, int]:
    """The wallet of each payee, as an account, by payout."""
    if not rows:
        return {}
    payees = recovering.payees(tx, rows)
    opened = open_wallets(tx, {(payees[row.id], row.currency) for row in rows})
    return {row.id: opened[payees[row.id], row.currency].account for row in rows}
