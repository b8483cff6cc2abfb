"""Payouts as the audit and the listings know them."""

from typing import Final

from db import aggregates
from db.earnings.promises import HELD_WHILE_PAID
from db.family import Family
from db.payouts import promises, promises_outside, promises_payable, promises_tax
from db.wallets.promises import WALLET_ACCOUNTS_HAVE_A_WALLET, WALLETS_ARE_WHAT_WAS_POSTED
from domain import payouts

PAYOUTS: Final = Family(
    machine=payouts.PAYOUTS,
    promises=(
        promises.STATE_HAS_ITS_ENTRIES,
        aggregates.last_move_is_the_state(payouts.PAYOUTS, "last-move-is-the-state"),
        promises.SEAL_FITS,
        promises.EARNINGS_ARE_LIVE_ONCE,
        HELD_WHILE_PAID,
        WALLETS_ARE_WHAT_WAS_POSTED,
        WALLET_ACCOUNTS_HAVE_A_WALLET,
        promises.IN_TRANSIT_IS_PROCESSING,
        promises_payable.PAYABLE_IS_WHAT_IS_OWED,
        promises_payable.RECOVERED_IS_POSTED,
        promises_outside.SENDS_ARE_COUNTED,
        promises_outside.COMPLETED_WAS_ACCEPTED,
        promises_outside.REJECTED_IS_NOT_PROCESSING,
        promises_outside.WORK_FITS_STATE,
        promises_tax.WITHHELD_IS_RECORDED,
        promises_tax.YEARS_ARE_THEIR_PAYOUTS,
        promises_tax.RECORDS_ARE_OWED,
    ),
    columns=("external_id", "state", "amount", "currency", "error", "id"),
    named_by="external_id",
)
