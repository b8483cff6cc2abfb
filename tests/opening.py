"""Payouts of another system, as its export says them, and a bank that has what it sent."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from db import installation
from db.engine import Database
from db.importing.order import Imported
from db.payouts.openings import OpeningLines, look, take_over
from domain.answers import ProviderPayout
from domain.opening_lines import OpeningLine, parse_opening
from domain.opening_rules import FIELDS
from domain.payout_rules import RAZORPAYX
from domain.razorpayx_payouts import STATUSES
from tests.fakes.bank import FakeBank, Transfer

AS_OF: Final = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=2)
"""When the other system was stopped."""
SENT_AT: Final = AS_OF - timedelta(hours=4)
PAID_AT: Final = AS_OF - timedelta(hours=3)
SENT: Final = {"submitted_at": SENT_AT.isoformat(), "idempotency_key": "old-key-1"}

OF_STATE: Final[dict[str, dict[str, str]]] = {
    "PENDING": {},
    "APPROVED": {},
    "PROCESSING": SENT,
    "COMPLETED": SENT | {"completed_at": PAID_AT.isoformat(), "utr": "UTR1"},
    "REVERSED": SENT | {"completed_at": PAID_AT.isoformat()},
    "FAILED": SENT | {"reason": "beneficiary_bank_rejected"},
    "CANCELLED": {},
}
"""What a state needs to be believed, but the payment's name."""
WITHHELD: Final = {
    "source": "earnings",
    "gross": "1250.00",
    "tds_base": "1250.00",
    "tds_rate_bps": "10",
    "tds_deducted": "1.25",
}
"""Of an amount of 1000 rupees; the financial year is that of the day."""


def texts(external_id: str, state: str, **changes: str) -> dict[str, str]:
    """The fields of one row; `changes` by field."""
    return (
        dict.fromkeys(FIELDS, "")
        | {
            "external_id": external_id,
            "payee": f"Payee of {external_id}",
            "fund_account_id": "fa_1",
            "amount": "1000.00",
            "currency": "INR",
            "purpose": "payout",
            "state": state,
        }
        | OF_STATE[state]
        | changes
    )


def opening(external_id: str, state: str, **changes: str) -> OpeningLine:
    """One valid row as a line."""
    said = texts(external_id, state, **changes)
    line = parse_opening([said[field] for field in FIELDS], "old.csv", 2, RAZORPAYX, AS_OF)
    assert isinstance(line, OpeningLine), line
    return line


def taken(
    database: Database, lines: Sequence[OpeningLine], bank: FakeBank, *, dry_run: bool = False
) -> Imported:
    """Take lines over in a transaction of their own."""
    order = OpeningLines(
        lines=lines, file="old.csv", as_of=AS_OF, provider=bank.provider, account=bank.account
    )
    with database.begin(60) as tx:
        here = installation.get(tx).id
        if dry_run:
            return look(tx, here, order)
        return take_over(tx, here, order, actor="asha")


def sent_there(
    bank: FakeBank, line: OpeningLine, word: str = "processing", *, name: str | None = None
) -> ProviderPayout:
    """Let the bank have what the other system sent."""
    paid = ProviderPayout(
        provider_id=name or line.provider_id or f"pout_of_{line.external_id}",
        reference=line.reference,
        status=STATUSES[word],
        raw_status=word,
        amount_minor=line.net_minor,
        currency=line.currency,
        fund_account_id=line.request.fund_account_id,
        utr=line.utr,
        reason=None,
        created_at=line.submitted_at or SENT_AT,
    )
    key = line.idempotency_key or "old"
    bank.transfers.append(Transfer(key=key, body="{}", made_at=paid.created_at, payout=paid))
    return paid
