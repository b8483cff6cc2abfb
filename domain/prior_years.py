"""What a payee was paid in a financial year by another system, as a file of payees states it beside each."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final

from domain.errors import BadInputError
from domain.money import format_major, parse_major
from domain.payee_lines import FIELDS as OF_PAYEES, PAYEE_RECORDS, PayeeLine, parse_payee
from domain.records import Records, faults
from domain.tax import CURRENCY, Year
from domain.tax_periods import check_financial_year, period

PRIOR: Final = ("prior_year", "prior_gross", "prior_share", "prior_base", "prior_tax")
"""The financial year, and what it adds up to: gross sales, the payee's share, what was taxed, the tax."""
FIELDS: Final = (*OF_PAYEES, *PRIOR)
_AMOUNTS: Final = PRIOR[1:]
_WHOLE: Final = "must be given with the others of prior_…: a year is told whole, or not at all"


@dataclass(frozen=True, slots=True, kw_only=True)
class PriorYear:
    """A year before the cut-over; amounts in minor units."""

    financial_year: str
    year: Year

    @property
    def record(self) -> tuple[str, ...]:
        """Its texts in the order of `PRIOR`; one spelling each."""
        return (self.financial_year, *(format_major(minor, CURRENCY) for minor in self.year))


@dataclass(frozen=True, slots=True, kw_only=True)
class OpeningPayee:
    """One valid row: a payee with an account, and a year of theirs where one is told."""

    payee: PayeeLine
    prior: PriorYear | None

    @property
    def content_hash(self) -> str:
        """SHA-256 (64 hex digits) of what the line states, however its file spelled it."""
        prior = self.prior.record if self.prior else ()
        return sha256("\n".join((*self.payee.record, *prior)).encode()).hexdigest()


def parse_opening_payee(
    record: Sequence[str], file: str, row: int, as_of: datetime
) -> OpeningPayee | list[BadInputError]:
    """Read texts in the order of `FIELDS` as a line, or name every rule that they break.

    No year may begin after `as_of`, for which the file speaks.
    """
    payee = parse_payee(record[: len(OF_PAYEES)], file, row)
    told, place = record[len(OF_PAYEES) :], f"{file} row {row}"
    errors = faults(PRIOR, told, place, _rule) or _together(told, place, as_of)
    if isinstance(payee, list):
        return [*payee, *errors]
    return errors or OpeningPayee(payee=payee, prior=_prior(told) if told[0] else None)


def _rule(field: str, value: str, record: Sequence[str]) -> str | None:
    if not value:
        return _WHOLE if any(record) else None
    try:
        if field == PRIOR[0]:
            check_financial_year(value, field)
        else:
            parse_major(value, CURRENCY, field)
    except BadInputError as error:
        return error.rule
    return None


def _together(told: Sequence[str], place: str, as_of: datetime) -> list[BadInputError]:
    if not told[0]:
        return []
    newest = period(as_of - timedelta(microseconds=1)).financial_year
    broken = [] if told[0] <= newest else [(0, f"must not be later than {newest}")]
    gross, share, base, tax = _prior(told).year
    broken += [
        (at, rule)
        for at, fits, rule in (
            (2, share <= gross, "must not be more than prior_gross, which it is a share of"),
            (3, base <= gross, "must not be more than prior_gross: no more can be taxed"),
            (4, tax <= base, "must not be more than prior_base, which it was taken from"),
        )
        if not fits
    ]
    return [BadInputError(f"{place} field {PRIOR[at]}", told[at], rule) for at, rule in broken]


def _prior(told: Sequence[str]) -> PriorYear:
    amounts = [
        parse_major(text, CURRENCY, field)
        for field, text in zip(PRIOR, told, strict=True)
        if field in _AMOUNTS
    ]
    return PriorYear(financial_year=told[0], year=Year(*amounts))


def opening_payee_records(as_of: datetime) -> Records[OpeningPayee]:
    """A file of payees of another system, as they were at `as_of`."""
    return Records(
        name="payees of another system",
        fields=FIELDS,
        parse=lambda record, file, row: parse_opening_payee(record, file, row, as_of),
        key=lambda line: PAYEE_RECORDS.key(line.payee),
        key_field=PAYEE_RECORDS.key_field,
        amounts=frozenset(_AMOUNTS),
        optional=PAYEE_RECORDS.optional | frozenset(PRIOR),
        flags=PAYEE_RECORDS.flags,
        absent=PAYEE_RECORDS.absent,
    )
