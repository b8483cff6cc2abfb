"""One obligation as an import file states it, read from a record of texts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from hashlib import sha256
from operator import attrgetter
from typing import Final

from domain.errors import BadInputError
from domain.line_rules import day_rule, money_rule, word_rule
from domain.money import EXPONENTS, format_major, parse_major
from domain.obligations import ObligationKind, ObligationState
from domain.records import LABEL_RULE, Records, faults, fits_label
from domain.servicing import PPM, Frequency

FIELDS: Final = (
    "external_id", "mortgage", "borrower", "kind", "amount", "currency", "due_on", "principal", "fee_rate", "frequency",
    "state", "settled_on",
)  # fmt: skip
_CURRENCY, _STATE = FIELDS.index("currency"), FIELDS.index("state")
_DIGITS_MAX: Final = 4
"""Digits after the point of a rate in per cent: a part per million is the smallest."""
_RATE_RULE: Final = "must be per cent a year, from 0 to 100 with at most 4 digits after the point"
STATES: Final = {
    state.value.lower(): state for state in (ObligationState.DUE, ObligationState.SETTLED)
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ObligationLine:
    """One valid row. Amounts in minor units; the fee rate in parts per million a year."""

    external_id: str
    mortgage: str
    borrower: str
    kind: ObligationKind
    amount_minor: int
    currency: str
    due_on: date
    principal_minor: int
    fee_rate_ppm: int
    frequency: Frequency
    state: ObligationState = ObligationState.DUE
    """SETTLED where another system says so; its money is what the receipts say."""
    settled_on: date | None = None

    @property
    def record(self) -> tuple[str, ...]:
        """The line as texts in the order of `FIELDS`, amounts in major units; one spelling each."""
        return (
            self.external_id,
            self.mortgage,
            self.borrower,
            self.kind.value,
            format_major(self.amount_minor, self.currency),
            self.currency,
            self.due_on.isoformat(),
            format_major(self.principal_minor, self.currency),
            format(Decimal(self.fee_rate_ppm).scaleb(-_DIGITS_MAX), f".{_DIGITS_MAX}f"),
            self.frequency.value,
            self.state.value.lower(),
            "" if self.settled_on is None else self.settled_on.isoformat(),
        )

    @property
    def content_hash(self) -> str:
        """SHA-256 (64 hex digits) of what the line states, however its file spelled it."""
        return sha256("\n".join(self.record).encode()).hexdigest()


def parse_obligation(
    record: Sequence[str], file: str, row: int
) -> ObligationLine | list[BadInputError]:
    """Read texts in the order of `FIELDS` as a line, or name every rule that they break."""
    if errors := faults(FIELDS, record, f"{file} row {row}", _rule):
        return errors
    said = dict(zip(FIELDS, record, strict=True))
    currency, settled = said["currency"], said["settled_on"]
    return ObligationLine(
        external_id=said["external_id"],
        mortgage=said["mortgage"],
        borrower=said["borrower"],
        kind=ObligationKind(said["kind"]),
        amount_minor=parse_major(said["amount"], currency, "amount"),
        currency=currency,
        due_on=date.fromisoformat(said["due_on"]),
        principal_minor=parse_major(said["principal"], currency, "principal"),
        fee_rate_ppm=_rate(said["fee_rate"]) or 0,
        frequency=Frequency(said["frequency"]),
        state=STATES[said["state"] or "due"],
        settled_on=date.fromisoformat(settled) if settled else None,
    )


def _rule(field: str, value: str, record: Sequence[str]) -> str | None:
    match field:
        case "kind":
            return word_rule(value, ObligationKind)
        case "frequency":
            return word_rule(value, Frequency)
        case "currency":
            return word_rule(value, EXPONENTS)
        case "amount" | "principal":
            return money_rule(field, value, record[_CURRENCY], zero=field == "principal")
        case "due_on":
            return day_rule(value)
        case "fee_rate":
            return None if _rate(value) is not None else _RATE_RULE
        case "state":
            return word_rule(value, STATES) if value else None
        case "settled_on":
            return _settled_rule(value, record[_STATE])
        case _:
            return None if fits_label(value) else LABEL_RULE


def _settled_rule(value: str, state: str) -> str | None:
    if value and STATES.get(state) is not ObligationState.SETTLED:
        return "must be empty unless the state is settled"
    return day_rule(value) if value else None


def _rate(text: str) -> int | None:
    """Per cent a year as parts per million, exactly; None for what is no such rate."""
    whole, _, fraction = text.partition(".")
    digits = whole + fraction
    if not (digits.isascii() and digits.isdecimal() and whole and len(digits) <= _RATE_DIGITS_MAX):
        return None
    if len(fraction) > _DIGITS_MAX or text.endswith("."):
        return None
    ppm = int(whole + fraction.ljust(_DIGITS_MAX, "0"))
    return ppm if ppm <= PPM else None


_RATE_DIGITS_MAX: Final = 20

OBLIGATION_RECORDS: Final = Records(
    name="obligations",
    fields=FIELDS,
    parse=parse_obligation,
    key=attrgetter("external_id"),
    key_field="external_id",
    amounts=frozenset({"amount", "principal", "fee_rate"}),
    optional=frozenset({"state", "settled_on"}),
)
