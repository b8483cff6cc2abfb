"""What was paid after it had ended unpaid: its earnings taken back where nobody paid them, else the payee owes it.

When it failed, its money went back to the payee's account and its earnings became payable again. If both
are still there, this payment is what they were for. If they were spent meanwhile, the payee was paid twice.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from db.accounts import Owner, open_accounts
from db.payouts.details import Details
from db.payouts.tax_records import Ended
from db.transitions import LeasedTx
from domain.ledger import AccountKind, EntryType, payout_entry_key
from domain.payouts import SETTLED, PayoutState

_TAKE_BACK: Final = sa.text("""
    WITH own AS MATERIALIZED (
      SELECT l.payout, l.earning, e.state = 'READY' AS is_free
      FROM payout_earnings l JOIN earnings e ON e.id = l.earning
      WHERE l.payout = ANY(CAST(:ids AS uuid[])) ORDER BY e.id FOR UPDATE OF e),
    -- All of a payout's or none: part of an amount was not paid.
    free AS MATERIALIZED (SELECT payout FROM own GROUP BY payout HAVING bool_and(is_free)),
    linked AS (
      UPDATE payout_earnings l SET live = true FROM free f WHERE l.payout = f.payout RETURNING l.earning),
    paid AS (
      UPDATE earnings e SET state = 'PAID' FROM linked l WHERE e.id = l.earning)
    SELECT DISTINCT payout FROM own WHERE payout NOT IN (SELECT payout FROM free)""")
_LEFT: Final = sa.text("""
    SELECT account, credits - debits AS balance FROM balances WHERE account = ANY(CAST(:accounts AS bigint[]))""")
_PAYEES: Final = sa.text("""
    SELECT a.id, a.owner FROM accounts a WHERE a.id = ANY(CAST(:accounts AS bigint[]))""")


def charged(tx: LeasedTx, ended: Sequence[Ended]) -> Sequence[Ended]:
    """Return `ended`, those paid late (and their reversals) with the account that bears it for their payable.

    What is taken back is taken back here.
    """
    back = {one.row.id: one.row for one in ended if one.target is PayoutState.REVERSED}
    # What is given back in the same breath comes out of what is owed and goes back there: nothing to take.
    late = [o.row for o in ended if o.source in SETTLED and o.row.id not in back]
    bearing = {**_paid_from(tx, list(back.values())), **_bearing(tx, late)}
    if not bearing:
        return ended
    return [
        one._replace(row=one.row._replace(payable=bearing.get(one.row.id, one.row.payable)))
        for one in ended
    ]


def _bearing(tx: LeasedTx, rows: Sequence[Details]) -> dict[UUID, int]:
    """Which account each payment comes out of: what is owed to the payee, or what the payee owes."""
    if not rows:
        return {}
    spent = {row.payout for row in tx.rows(_TAKE_BACK, ids=[row.id for row in rows])}
    payables = sorted({row.payable for row in rows})
    left = Counter({row.account: row.balance for row in tx.rows(_LEFT, accounts=payables)})
    twice = []
    for row in sorted(rows, key=lambda row: row.id):
        if row.id in spent or left[row.payable] < row.amount:
            twice.append(row)
        else:
            left[row.payable] -= row.amount
    return {**{row.id: row.payable for row in rows}, **_receivables(tx, twice)}


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


_POSTED: Final = sa.text("""
    SELECT id, key FROM entries WHERE key = ANY(CAST(:keys AS text[]))""")
_DEBITED: Final = sa.text("""
    SELECT entry, debit FROM postings WHERE entry = ANY(CAST(:entries AS bigint[]))""")


def _paid_from(tx: LeasedTx, rows: Sequence[Details]) -> dict[UUID, int]:
    """The account that each of `rows` was paid from late, where it was: its reversal goes there."""
    if not rows:
        return {}
    paid_late = EntryType.PAYOUT_PAID_LATE
    keys = {payout_entry_key(row.id, row.generation, paid_late): row.id for row in rows}
    posted = {row.id: keys[row.key] for row in tx.rows(_POSTED, keys=list(keys))}
    found = tx.rows(_DEBITED, entries=list(posted)) if posted else []
    return {posted[row.entry]: row.debit for row in found}
