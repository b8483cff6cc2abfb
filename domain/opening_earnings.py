"""One earning as another system left it: what was earned, where it is, which payout has it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Final

from domain.earning_lines import FIELDS as OF_EARNING, EarningLine, parse_earning
from domain.earnings import EarningState
from domain.errors import BadInputError
from domain.money import EXPONENTS, format_major, parse_major
from domain.payouts import PayoutState
from domain.records import LABEL_RULE, Records, faults, fits_label

OLD: Final = ("state", "refunded", "payout")
FIELDS: Final = (*OF_EARNING, *OLD)
_E, _P = EarningState, PayoutState

FITTING: Final = {
    _E.READY: frozenset({_P.FAILED, _P.CANCELLED, _P.REVERSED}),
    _E.HELD: frozenset({_P.FAILED, _P.CANCELLED, _P.REVERSED}),
    _E.BATCHED: frozenset({_P.PENDING, _P.APPROVED, _P.PROCESSING}),
    _E.PAID: frozenset({_P.COMPLETED}),
    _E.REFUNDED: frozenset[PayoutState](),
}
"""In which state the other system had the payout of an earning in each state."""
LIVE: Final = frozenset({_E.BATCHED, _E.PAID})
"""What is in a payout, which pays it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpeningEarning:
    """One valid row. `refunded` is what was given back of the share before a payout paid the rest; minor units."""

    earning: EarningLine
    state: EarningState
    refunded_minor: int
    payout: str | None
    """The external id of the payout that it is in, or was in."""

    @property
    def external_id(self) -> str:
        """What the other system calls it."""
        return self.earning.external_id

    @property
    def payee(self) -> str:
        """The payee's name."""
        return self.earning.payee

    @property
    def amount_minor(self) -> int:
        """The payee's share of the sale."""
        return self.earning.amount_minor

    @property
    def currency(self) -> str:
        """Of the amount."""
        return self.earning.currency

    @property
    def owed_minor(self) -> int:
        """What is left of the share."""
        return self.amount_minor - self.refunded_minor

    @property
    def label(self) -> str:
        """The state the other system had it in."""
        return self.state

    @property
    def record(self) -> tuple[str, ...]:
        """Its texts in the order of `FIELDS`; one spelling each."""
        refunded = format_major(self.refunded_minor, self.currency)
        return (*self.earning.record, self.state, refunded, self.payout or "")

    @property
    def content_hash(self) -> str:
        """SHA-256 (64 hex digits) of what the line states; never that of an earning of our own."""
        return sha256(f"taken over\n{json.dumps(self.record)}".encode()).hexdigest()

    def opens(self, payout: PayoutState | None) -> int:
        """What of it is owed in the books, its payout being in that state there; minor units.

        What is on its way was opened with its payout, and what was paid left nothing.
        """
        gone = {_P.PROCESSING, _P.COMPLETED}
        return 0 if payout in gone else self.owed_minor

    def stands(self, there: PayoutState | None, now: PayoutState | None) -> EarningState:
        """Where it is, its payout having been in a state `there`, and being in another `now`."""
        if now in {_P.PENDING, _P.APPROVED, _P.PROCESSING}:
            return _E.BATCHED
        # What failed there was paid to nobody's earnings: should it be paid after all, its payee owes it.
        if now is _P.COMPLETED and there not in {_P.FAILED, _P.CANCELLED}:
            return _E.PAID
        if self.owed_minor == 0:
            return _E.REFUNDED
        return _E.HELD if self.state is _E.HELD else _E.READY


def parse_opening_earning(
    record: Sequence[str], file: str, row: int, as_of: datetime
) -> OpeningEarning | list[BadInputError]:
    """Read texts in the order of `FIELDS` as a line, or name every rule that they break.

    Nothing may have been earned after `as_of`, for which the file speaks.
    """
    earning, place = parse_earning(record[: len(OF_EARNING)], file, row), f"{file} row {row}"
    told = record[len(OF_EARNING) :]
    errors = faults(OLD, told, place, lambda field, value, _: _rule(field, value, record))
    if isinstance(earning, list):
        return [*earning, *errors]
    if errors:
        return errors
    state, refunded, payout = told
    line = OpeningEarning(
        earning=earning,
        state=EarningState(state),
        refunded_minor=parse_major(refunded or "0", earning.currency, "refunded"),
        payout=payout or None,
    )
    said = dict(zip(FIELDS, record, strict=True))
    return [
        BadInputError(f"{place} field {field}", said[field], rule)
        for field, rule in _together(line, as_of)
    ] or line


def _rule(field: str, value: str, record: Sequence[str]) -> str | None:
    match field:
        case "state":
            return None if value in set(_E) else f"must be one of {', '.join(_E)}"
        case "payout":
            return None if not value or fits_label(value) else LABEL_RULE
        case _:
            currency = record[FIELDS.index("currency")]
            if not value or currency not in EXPONENTS:  # a currency is named at its own field
                return None
            try:
                parse_major(value, currency, field)
            except BadInputError as error:
                return error.rule
            return None


def _together(line: OpeningEarning, as_of: datetime) -> list[tuple[str, str]]:
    broken: list[tuple[str, str]] = []
    if line.earning.earned_at >= as_of:
        told = f"{as_of:%Y-%m-%dT%H:%M:%SZ}"
        broken.append(("earned_at", f"must be before {told}: the file says what was so then"))
    if line.state is _E.REFUNDED and line.owed_minor:
        broken.append(("refunded", "must be the amount: all of what is REFUNDED was given back"))
    if line.state is not _E.REFUNDED and line.owed_minor <= 0:
        broken.append(("refunded", "must be less than the amount: else it is REFUNDED"))
    if line.state in LIVE and line.payout is None:
        broken.append(("payout", f"must be given for an earning that is {line.state}"))
    if line.state is _E.REFUNDED and line.payout is not None:
        broken.append(("payout", "must be empty: what is REFUNDED no payout pays"))
    return broken


def opening_earning_records(as_of: datetime) -> Records[OpeningEarning]:
    """A file of earnings of another system, as they were at `as_of`."""
    return Records(
        name="earnings of another system",
        fields=FIELDS,
        parse=lambda record, file, row: parse_opening_earning(record, file, row, as_of),
        key=lambda line: line.external_id,
        key_field="external_id",
        amounts=frozenset({"gross", "amount", "refunded"}),
        optional=frozenset({"refunded", "payout"}),
    )
