"""One earning as an import file states it, read from a record of texts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from operator import attrgetter
from typing import Final

from domain.earnings import HOLDS, EarningKind
from domain.errors import BadInputError
from domain.money import EXPONENTS, format_major, parse_major
from domain.records import LABEL_RULE, Records, faults, fits_label

FIELDS: Final = ("external_id", "payee", "kind", "gross", "amount", "currency", "earned_at")
_GROSS, _CURRENCY = FIELDS.index("gross"), FIELDS.index("currency")
_MOMENT_RULE: Final = "must be ISO 8601 with its zone, such as 2026-01-05T06:00:00Z"


@dataclass(frozen=True, slots=True, kw_only=True)
class EarningLine:
    """One valid row. Amounts in minor units: what the customer paid, and the payee's share of it."""

    external_id: str
    payee: str
    kind: EarningKind
    gross_minor: int
    amount_minor: int
    currency: str
    earned_at: datetime

    @property
    def ready_at(self) -> datetime:
        """The end of its hold."""
        return self.earned_at + HOLDS[self.kind]

    @property
    def label(self) -> str:
        """A file's lines are not told apart."""
        return ""

    @property
    def record(self) -> tuple[str, ...]:
        """The line as texts in the order of `FIELDS`, amounts in major units; one spelling each."""
        return (
            self.external_id,
            self.payee,
            self.kind,
            format_major(self.gross_minor, self.currency),
            format_major(self.amount_minor, self.currency),
            self.currency,
            self.earned_at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        )

    @property
    def content_hash(self) -> str:
        """SHA-256 (64 hex digits) of what the line states, however its file spelled it."""
        return sha256("\n".join(self.record).encode()).hexdigest()


def parse_earning(record: Sequence[str], file: str, row: int) -> EarningLine | list[BadInputError]:
    """Read texts in the order of `FIELDS` as a line, or name every rule that they break."""
    if errors := faults(FIELDS, record, f"{file} row {row}", _rule):
        return errors
    external_id, payee, kind, gross, amount, currency, earned_at = record
    return EarningLine(
        external_id=external_id,
        payee=payee,
        kind=EarningKind(kind),
        gross_minor=parse_major(gross, currency, "gross"),
        amount_minor=parse_major(amount, currency, "amount"),
        currency=currency,
        earned_at=datetime.fromisoformat(earned_at).astimezone(UTC),
    )


def _rule(field: str, value: str, record: Sequence[str]) -> str | None:
    match field:
        case "kind":
            known = ", ".join(EarningKind)
            return None if value in set(EarningKind) else f"must be one of {known}"
        case "currency":
            known = ", ".join(sorted(EXPONENTS))
            return None if value in EXPONENTS else f"must be one of {known}"
        case "gross" | "amount":
            return _money_rule(field, value, record)
        case "earned_at":
            return _moment_rule(value)
        case _:
            return None if fits_label(value) else LABEL_RULE


def _money_rule(field: str, value: str, record: Sequence[str]) -> str | None:
    currency = record[_CURRENCY]
    if currency not in EXPONENTS:  # named at its own field; which digits are allowed depends on it
        return None
    try:
        minor = parse_major(value, currency, field)
        gross = parse_major(record[_GROSS], currency, "gross") if field == "amount" else minor
    except BadInputError as error:
        return error.rule if error.place == field else None
    if minor == 0:
        return "must be more than zero"
    return None if minor <= gross else "must not be more than the gross it is a share of"


def _moment_rule(value: str) -> str | None:
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return _MOMENT_RULE
    if moment.tzinfo is None:
        return _MOMENT_RULE
    try:
        moment.astimezone(UTC) + max(HOLDS.values())
    except OverflowError:
        return "must lie in the years 1 to 9999 of UTC"
    return None


EARNING_RECORDS: Final = Records(
    name="earnings",
    fields=FIELDS,
    parse=parse_earning,
    key=attrgetter("external_id"),
    key_field="external_id",
    amounts=frozenset({"gross", "amount"}),
)
