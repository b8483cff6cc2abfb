"""What keeps a payout that a batch made from being sent: a dispute, a refund on its way, less owed than approved, who may not be paid."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from db.dispersals import paying
from db.notices import write as notices
from db.payouts import mails, withholding
from db.payouts.details import Details
from db.payouts.withholding import Counted
from db.transitions import LeasedTx, move
from db.tx import Tx
from db.wallets.rows import balances_of, lock_wallets
from domain.findings import Finding, FindingKind
from domain.payout_modes import vpa_fault
from domain.payouts import PAYOUTS, PayoutState

DISPUTED_AGAIN: Final = timedelta(minutes=15)
"""How long a payout with an earning that is disputed, or being refunded, waits before it is looked at again."""
SHORT: Final = "owed less than approved: part of it was given back since"
SHORT_OF_WALLET: Final = "its wallet holds less than was approved: it was spent since"
SHORT_OF_DISPERSAL: Final = "its lender is owed less than was approved, or another payout paid it"
SHORT_OF_DEBT: Final = "its payee owes less than was kept back of it: it was settled since"


@dataclass(frozen=True, slots=True, kw_only=True)
class Behind:
    """What stands behind one payout now."""

    owed: int
    is_disputed: bool
    """Or a refund of it is on its way: either way it may turn out to be less."""


_BEHIND: Final = sa.text("""
    -- Locked to the end of the claim, in the order of their ids: whoever disputes or reduces one comes before it, and is
    -- seen here, or after it, and sees that it is being sent.
    WITH locked AS MATERIALIZED (
      SELECT l.payout, e.amount - e.refunded AS owed,
             -- What a refund on its way leaves of it is not known yet. It waits itself for what is PROCESSING: that is sent.
             e.disputed OR e.state <> 'BATCHED'
               OR l.payout = ANY(CAST(:approved AS uuid[])) AND EXISTS (
                 SELECT FROM refunds r WHERE r.payment = e.id AND r.origin <> 'again'
                   AND r.state IN ('RESERVED', 'PROCESSING', 'SUCCEEDED')) AS is_disputed
      FROM payout_earnings l JOIN earnings e ON e.id = l.earning
      WHERE l.payout = ANY(CAST(:payouts AS uuid[])) AND l.live ORDER BY e.id FOR SHARE OF e)
    SELECT payout, CAST(sum(owed) AS bigint) AS owed, bool_or(is_disputed) AS is_disputed FROM locked GROUP BY payout""")


def behind(tx: Tx, rows: Sequence[Details]) -> Mapping[UUID, Behind]:
    """What stands behind those of `rows` that a batch made and that are about to be sent for the first time.

    Of earnings also where a claim was released unsent: the payout is PROCESSING already, and nothing has left.
    One without any is absent: withholding parks it.
    """
    return {**_of_earnings(tx, rows), **_of_wallets(tx, rows), **_of_dispersals(tx, rows)}


def _of_earnings(tx: Tx, rows: Sequence[Details]) -> Mapping[UUID, Behind]:
    payouts = [
        row.id
        for row in rows
        if row.is_earned
        and (
            row.state == PayoutState.APPROVED
            or (row.state == PayoutState.PROCESSING and not row.sends)
        )
    ]
    if not payouts:
        return {}
    approved = [row.id for row in rows if row.state == PayoutState.APPROVED]
    return {
        row.payout: Behind(owed=row.owed, is_disputed=row.is_disputed)
        for row in tx.rows(_BEHIND, payouts=payouts, approved=approved)
    }


def _of_wallets(tx: Tx, rows: Sequence[Details]) -> Mapping[UUID, Behind]:
    """What their wallets hold for each, one after another; what was claimed before has left its wallet."""
    mine = [row for row in rows if row.wallet and row.state == PayoutState.APPROVED]
    if not mine:
        return {}
    lock_wallets(tx, {row.wallet for row in mine if row.wallet})
    return _one_after_another(tx, mine)


def _of_dispersals(tx: Tx, rows: Sequence[Details]) -> Mapping[UUID, Behind]:
    """What their lenders are owed for each, likewise; nothing for what another payout has paid meanwhile."""
    mine = [row for row in rows if row.dispersal and row.state == PayoutState.APPROVED]
    if not mine:
        return {}
    due = paying.to_be_paid(tx, [row.id for row in mine])
    nothing = {row.id: Behind(owed=0, is_disputed=False) for row in mine if row.id not in due}
    return {**nothing, **_one_after_another(tx, [row for row in mine if row.id in due])}


def _one_after_another(tx: Tx, rows: Sequence[Details]) -> Mapping[UUID, Behind]:
    """What the account that each is paid out of holds for it."""
    left = balances_of(tx, {row.payable for row in rows})
    found = {}
    for row in sorted(rows, key=lambda row: row.id):
        found[row.id] = Behind(owed=min(row.amount, left[row.payable]), is_disputed=False)
        left[row.payable] -= row.amount if row.amount <= left[row.payable] else 0
    return found


def short_of(row: Details) -> str:
    """Why less is there than was approved."""
    if row.dispersal:
        return SHORT_OF_DISPERSAL
    return SHORT_OF_WALLET if row.wallet else SHORT


_RELEASE: Final = sa.text("""
    WITH touched AS (
      UPDATE payouts SET error = :reason WHERE id = ANY(CAST(:payouts AS uuid[]))),
    unlinked AS (
      UPDATE payout_earnings SET live = false WHERE payout = ANY(CAST(:payouts AS uuid[])) AND live RETURNING earning)
    UPDATE earnings e SET state = earning_released(e.disputed, e.refunded, e.amount) FROM unlinked u
    WHERE e.id = u.earning AND e.state = 'BATCHED'""")


def fail_short(leased: LeasedTx, rows: Sequence[tuple[Details, str]]) -> list[Counted]:
    """Fail held payouts that cannot be paid as approved, each for its reason; what is left waits for the next batch.

    Returns what is to leave its tax year: it was put back with its tax computed, and is never to be sent now.
    """
    return [
        counted
        for reason in sorted({reason for _, reason in rows})
        for counted in _fail(leased, [row for row, why in rows if why == reason], reason)
    ]


def _fail(leased: LeasedTx, rows: Sequence[Details], reason: str) -> list[Counted]:
    moved = move(
        leased,
        PAYOUTS,
        [row.id for row in rows],
        source=PayoutState.APPROVED,
        target=PayoutState.FAILED,
        reason=reason,
    )
    if not moved:
        return []
    leased.run(_RELEASE, payouts=list(moved), reason=reason)
    failed = [row for row in rows if row.id in set(moved)]
    paying.failed(leased, [row.id for row in failed if row.dispersal])
    notices.write(leased, [(row.id, PayoutState.FAILED) for row in failed if row.is_told])
    mails.tell(leased, [(row.id, PayoutState.FAILED) for row in failed if row.is_mailed])
    return [withholding.ended_unsent(row.id, row.tax_year) for row in failed if row.tax_year]


def not_payable(row: Details) -> str | None:
    """Why nothing may be paid to whom, or where, `row` would pay.

    Whatever made it: what a non-resident is owed has other tax withheld (Income-tax Act, section 195), which nobody
    computes here. An imported payout names its account itself, and waits for no proof of it (decision 41).
    """
    if not row.resident:
        return withholding.NON_RESIDENT
    if not row.active:
        return "its payout account is not active"
    if (row.is_earned or row.wallet or row.dispersal) and not row.verified:
        return "its payout account is not verified"
    return vpa_fault(row.mode, row.amount) if row.is_vpa else None


def finding(payout: UUID, reason: str) -> Finding:
    """What a person is told of a payout that may not be paid."""
    return Finding(kind=FindingKind.PAYOUT_NOT_PAYABLE, subject=f"payout {payout}", detail=reason)
