"""What was paid after it had ended unpaid: its earnings taken back where nobody paid them, else the payee owes it.

When it failed, its money went back to the payee's account and its earnings became payable again. If both
are still there, this payment is what they were for; of what was given back meanwhile the payee owes the
difference. If they were spent meanwhile, the payee was paid twice.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from db.accounts import Owner, open_accounts
from db.payouts.details import Details
from db.payouts.tax_records import Ended
from db.transitions import LeasedTx
from db.wallets.rows import lock_wallets
from domain.ledger import AccountKind, EntryType, payout_entry_key
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
_PAYEES: Final = sa.text("""
    SELECT a.id, a.owner FROM accounts a WHERE a.id = ANY(CAST(:accounts AS bigint[]))""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bearing:
    """Whose side of a payment or its reversal is what, in minor units; both together are its amount."""

    owed: int
    """Of what is owed to the payee."""
    receivable: int | None = None
    """The account of what the payee owes, which bears the rest; None where there is no rest."""


def hold(tx: LeasedTx, ended: Sequence[Ended]) -> None:
    """Lock earnings and wallets of what was paid late, in key order: before tax years and accounts, which come after them."""
    lock_wallets(tx, {one.row.wallet for one in ended if one.source in SETTLED and one.row.wallet})
    late = [one.row.id for one in ended if one.source in SETTLED and one.row.is_earned]
    if late:
        tx.rows(_HOLD, ids=late)


def bearings(tx: LeasedTx, ended: Sequence[Ended]) -> Mapping[UUID, Bearing]:
    """What bears each of `ended` that was paid late or given back; of what is absent, all is owed.

    What is taken back is taken back here; its earnings are held since `hold`.
    """
    late = {one.row.id: one.row for one in ended if one.source in SETTLED}
    back = {one.row.id: one.row for one in ended if one.target is PayoutState.REVERSED}
    # What is paid late and given back in the same breath comes out of what is owed and goes back there.
    owed = {
        **_owed_late(tx, [row for row in late.values() if row.id not in back]),
        **_owed_back(tx, [row for row in back.values() if row.id not in late]),
    }
    rows = {**late, **back}
    receivables = _receivables(tx, [rows[id_] for id_, n in owed.items() if n < rows[id_].amount])
    return {id_: Bearing(owed=n, receivable=receivables.get(id_)) for id_, n in owed.items()}


def _owed_late(tx: LeasedTx, rows: Sequence[Details]) -> dict[UUID, int]:
    """How much of each payment was still owed: all of it, what was not given back, or nothing."""
    if not rows:
        return {}
    ids = [row.id for row in rows]
    own = {row.payout: row for row in tx.rows(_OWN, ids=ids)}
    never = {row.payout for row in tx.rows(_NEVER_OWED, ids=ids)} - own.keys()
    payables = sorted({row.payable for row in rows})
    left = Counter({row.account: row.balance for row in tx.rows(_LEFT, accounts=payables)})
    owed = {}
    for row in sorted(rows, key=lambda row: row.id):
        mine = own.get(row.id)
        due = min(row.amount, mine.owed) if mine and row.is_earned else row.amount
        is_there = (mine.are_free if mine else row.id not in never) and left[row.payable] >= due
        owed[row.id] = due if is_there else 0
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


def _receivables(tx: LeasedTx, rows: Sequence[Details]) -> dict[UUID, int]:
    """What each payee owes back, as an account."""
    if not rows:
        return {}
    payables = [row.payable for row in rows]
    names = {row.id: row.owner for row in tx.rows(_PAYEES, accounts=payables)}
    wanted = {
        row.id: Owner(
            kind=AccountKind.PAYEE_RECEIVABLE, owner=names[row.payable], currency=row.currency
        )
        for row in rows
    }
    accounts = open_accounts(tx, wanted.values())
    return {payout: accounts[owner] for payout, owner in wanted.items()}
