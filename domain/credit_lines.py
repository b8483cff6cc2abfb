"""One referral credit as an import file states it: what a customer is given to spend here."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from operator import attrgetter
from typing import Final

from domain import field_rules as rules
from domain.errors import BadInputError
from domain.money import EXPONENTS, format_major, parse_major
from domain.records import Records


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditLine:
    """One valid row: what a customer is given, in minor units, once."""

    external_id: str
    customer: str
    """Their external id."""
    amount_minor: int
    currency: str

    @property
    def label(self) -> str:
        """A file's lines are not told apart."""
        return ""

    @property
    def record(self) -> tuple[str, ...]:
        """The line as texts in the order of its fields, the amount in major units; one spelling each."""
        amount = format_major(self.amount_minor, self.currency)
        return (self.external_id, self.customer, amount, self.currency)

    @property
    def content_hash(self) -> str:
        """SHA-256 (64 hex digits) of what the line states, however its file spelled it."""
        return sha256("\n".join(self.record).encode()).hexdigest()


_FIELDS: Final[dict[str, rules.Check]] = {
    "external_id": rules.label,
    "customer": rules.label,
    "amount": lambda _: None,  # its digits depend on the currency
    "currency": rules.one_of(*sorted(EXPONENTS)),
}


def parse_credit(record: Sequence[str], file: str, row: int) -> CreditLine | list[BadInputError]:
    """Read texts in the order of its fields as a line, or name every rule that they break."""
    place = f"{file} row {row}"
    if errors := rules.broken(_FIELDS, record, place):
        return errors
    external_id, customer, amount, currency = record
    try:
        minor = parse_major(amount, currency, f"{place} field amount")
    except BadInputError as error:
        return [error]
    if not minor:
        return [BadInputError(f"{place} field amount", amount, "must be more than zero")]
    return CreditLine(
        external_id=external_id, customer=customer, amount_minor=minor, currency=currency
    )


CREDIT_RECORDS: Final = Records(
    name="referral credits",
    fields=tuple(_FIELDS),
    parse=parse_credit,
    key=attrgetter("external_id"),
    key_field="external_id",
)
