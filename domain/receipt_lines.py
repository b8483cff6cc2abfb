"""One receipt as an import file states it: money that came in, read from a record of texts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from operator import attrgetter
from typing import Final

from domain.errors import BadInputError
from domain.line_rules import day_rule, money_rule, word_rule
from domain.money import EXPONENTS, format_major, parse_major
from domain.records import LABEL_RULE, Records, faults, fits_label
from domain.servicing import Method

FIELDS: Final = ("external_id", "reference", "amount", "currency", "received_on", "method")
_CURRENCY: Final = FIELDS.index("currency")
REFERENCE_MAX: Final = 140
"""Characters of what a payer may say, as transfers between banks carry them."""
_REFERENCE_RULE: Final = f"must be at most {REFERENCE_MAX} printable characters"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptLine:
    """One valid row: an amount in minor units, above zero, and what whoever paid said it is for."""

    external_id: str
    reference: str
    """The external id of an obligation, where they said it right; may be empty."""
    amount_minor: int
    currency: str
    received_on: date
    method: Method = Method.UNKNOWN

    @property
    def record(self) -> tuple[str, ...]:
        """The line as texts in the order of `FIELDS`, the amount in major units; one spelling each."""
        return (
            self.external_id,
            self.reference,
            format_major(self.amount_minor, self.currency),
            self.currency,
            self.received_on.isoformat(),
            self.method.value,
        )

    @property
    def content_hash(self) -> str:
        """SHA-256 (64 hex digits) of what the line states, however its file spelled it."""
        return sha256("\n".join(self.record).encode()).hexdigest()


def parse_receipt(record: Sequence[str], file: str, row: int) -> ReceiptLine | list[BadInputError]:
    """Read texts in the order of `FIELDS` as a line, or name every rule that they break."""
    if errors := faults(FIELDS, record, f"{file} row {row}", _rule):
        return errors
    external_id, reference, amount, currency, received_on, method = record
    return ReceiptLine(
        external_id=external_id,
        reference=reference,
        amount_minor=parse_major(amount, currency, "amount"),
        currency=currency,
        received_on=date.fromisoformat(received_on),
        method=Method(method or Method.UNKNOWN),
    )


def _rule(field: str, value: str, record: Sequence[str]) -> str | None:
    match field:
        case "reference":
            fits = len(value) <= REFERENCE_MAX and (not value or value.isprintable())
            return None if fits else _REFERENCE_RULE
        case "amount":
            return money_rule(field, value, record[_CURRENCY])
        case "currency":
            return word_rule(value, EXPONENTS)
        case "received_on":
            return day_rule(value)
        case "method":
            return word_rule(value, Method) if value else None
        case _:
            return None if fits_label(value) else LABEL_RULE


RECEIPT_RECORDS: Final = Records(
    name="receipts",
    fields=FIELDS,
    parse=parse_receipt,
    key=attrgetter("external_id"),
    key_field="external_id",
    optional=frozenset({"reference", "method"}),
)
