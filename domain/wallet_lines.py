"""One credit of a wallet as an import file states it, read from a record of texts."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from operator import attrgetter
from typing import Final

from domain.errors import BadInputError
from domain.money import EXPONENTS, format_major, parse_major
from domain.records import LABEL_RULE, Records, faults, fits_label

FIELDS: Final = ("external_id", "payee", "amount", "currency")
_CURRENCY = FIELDS.index("currency")


@dataclass(frozen=True, slots=True, kw_only=True)
class WalletLine:
    """One valid row: what is put into the wallet of a payee, in minor units."""

    external_id: str
    payee: str
    amount_minor: int
    currency: str

    @property
    def label(self) -> str:
        """A file's lines are not told apart."""
        return ""

    @property
    def record(self) -> tuple[str, ...]:
        """The line as texts in the order of `FIELDS`, the amount in major units; one spelling each."""
        amount = format_major(self.amount_minor, self.currency)
        return (self.external_id, self.payee, amount, self.currency)

    @property
    def content_hash(self) -> str:
        """SHA-256 (64 hex digits) of what the line states, however its file spelled it."""
        return sha256("\n".join(self.record).encode()).hexdigest()


def parse_wallet(record: Sequence[str], file: str, row: int) -> WalletLine | list[BadInputError]:
    """Read texts in the order of `FIELDS` as a line, or name every rule that they break."""
    if errors := faults(FIELDS, record, f"{file} row {row}", _rule):
        return errors
    external_id, payee, amount, currency = record
    minor = parse_major(amount, currency, "amount")
    return WalletLine(external_id=external_id, payee=payee, amount_minor=minor, currency=currency)


def _rule(field: str, value: str, record: Sequence[str]) -> str | None:
    match field:
        case "currency":
            known = ", ".join(sorted(EXPONENTS))
            return None if value in EXPONENTS else f"must be one of {known}"
        case "amount":
            return _money_rule(value, record[_CURRENCY])
        case _:
            return None if fits_label(value) else LABEL_RULE


def _money_rule(value: str, currency: str) -> str | None:
    if currency not in EXPONENTS:  # named at its own field; which digits are allowed depends on it
        return None
    try:
        minor = parse_major(value, currency, "amount")
    except BadInputError as error:
        return error.rule
    return "must be more than zero" if minor == 0 else None


WALLET_RECORDS: Final = Records(
    name="credits of wallets",
    fields=FIELDS,
    parse=parse_wallet,
    key=attrgetter("external_id"),
    key_field="external_id",
)
