"""What may be said of a payout that another system made: which states need which facts, and which exclude them.

A state is believed with what proves it alone. What says that nothing was sent, and names a key or a
payment, is no such state: it may have been sent, and then it is PROCESSING.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Final

from domain import payout_rules
from domain.errors import BadInputError
from domain.field_rules import MOMENT_RULE, moment_of
from domain.money import EXPONENTS, format_major, parse_major
from domain.payouts import PayoutState
from domain.records import LABEL_RULE, faults, fits_label
from domain.tax import CURRENCY
from domain.tax_periods import check_financial_year, period
from domain.tax_rates import RATES

OF_REQUEST: Final = len(payout_rules.FIELDS)
TAX: Final = ("gross", "tds_base", "tds_deducted", "tds_rate_bps", "tds_financial_year")
"""What was withheld from it; the first three are amounts."""
TIMES: Final = ("created_at", "submitted_at", "completed_at")
FIELDS: Final = (
    *payout_rules.FIELDS,
    "state", "generation", "source", "provider_id", "reference", "idempotency_key", "utr",
    *TIMES, "reason", *TAX,
)  # fmt: skip
"""Of a record, in the order of a file's header."""
GENERATIONS_MAX: Final = 99
RUPEE: Final = 100
"""How far withheld tax may be from base times rate, in minor units: rounding was the other system's."""


class Origin(StrEnum):
    """What a payout was made of."""

    IMPORT = "import"
    """Its amount was told: nothing is withheld from it."""
    EARNINGS = "earnings"
    """A batch made it of earnings, which are taken over by a file of their own."""


_P = PayoutState
_SENT: Final = ("provider_id", "reference", "idempotency_key", "utr", "submitted_at", "completed_at")  # fmt: skip
_NEEDED: Final[Mapping[PayoutState, tuple[str, ...]]] = {
    _P.PENDING: (),
    _P.APPROVED: (),
    _P.PROCESSING: ("submitted_at",),
    _P.COMPLETED: ("provider_id", "submitted_at", "completed_at"),
    _P.REVERSED: ("provider_id", "submitted_at", "completed_at"),
    _P.FAILED: ("submitted_at", "reason"),
    _P.CANCELLED: (),
}
_EXCLUDED: Final[Mapping[PayoutState, tuple[str, ...]]] = {
    _P.PENDING: (*_SENT, *TAX),
    _P.APPROVED: (*_SENT, *TAX),
    _P.PROCESSING: ("completed_at",),
    _P.COMPLETED: (),
    _P.REVERSED: TAX,
    _P.FAILED: ("completed_at", *TAX),
    _P.CANCELLED: ("completed_at", *TAX),
}
_WHY_NOT: Final[Mapping[PayoutState, str]] = {
    _P.PENDING: "must be empty: nothing was sent of what is PENDING; what may have been sent is PROCESSING",
    _P.APPROVED: "must be empty: nothing was sent of what is APPROVED; what may have been sent is PROCESSING",
    _P.PROCESSING: "must be empty: what is PROCESSING was not completed",
    _P.REVERSED: "must be empty: of what was given back nothing is withheld; its amount is what was sent",
    _P.FAILED: "must be empty: what FAILED was not completed, and nothing is withheld from it",
    _P.CANCELLED: "must be empty: what was CANCELLED was not completed, and nothing is withheld from it",
}
_MOMENT_RULE: Final = MOMENT_RULE.replace("must be", "must be empty or")
_NUMBER: Final = re.compile(r"0|[1-9][0-9]{0,4}", re.ASCII)
_FULL_BPS: Final = 10_000


def generation_of(text: str) -> int:
    """Read a generation; the first where nothing is said."""
    return int(text or 1)


def opening_faults(record: Sequence[str], place: str, as_of: datetime) -> list[BadInputError]:
    """Every rule that the fields after those of a request break; `place` is file and row."""
    said = dict(zip(FIELDS, record, strict=True))
    own = FIELDS[OF_REQUEST:]
    errors = faults(own, record[OF_REQUEST:], place, lambda field, value, _: _alone(field, value))
    if errors:
        return errors  # what they mean together is asked once each is readable
    told = [*_of_state(said), *_of_times(said, as_of), *_of_tax(said)]
    return [BadInputError(f"{place} field {field}", said[field], rule) for field, rule in told]


def _alone(field: str, value: str) -> str | None:
    """The rule a value breaks by itself."""
    if field == "state":
        return None if value in set(PayoutState) else f"must be one of {', '.join(PayoutState)}"
    if not value:
        return None
    match field:
        case "source":
            return None if value in set(Origin) else f"must be empty or one of {', '.join(Origin)}"
        case "generation" | "tds_rate_bps":
            first, last = (1, GENERATIONS_MAX) if field == "generation" else (0, _FULL_BPS)
            fits = _NUMBER.fullmatch(value) and first <= int(value) <= last
            return None if fits else f"must be empty or a number from {first} to {last}"
        case "tds_financial_year":
            return _refusal(lambda: check_financial_year(value, field))
        case "gross" | "tds_base" | "tds_deducted":
            return _refusal(lambda: parse_major(value, CURRENCY, field))
        case _ if field in TIMES:
            return _moment_rule(value)
        case _:
            return None if fits_label(value) or field == "reason" else LABEL_RULE


def _refusal(read: Callable[[], object]) -> str | None:
    try:
        read()
    except BadInputError as error:
        return error.rule
    return None


def _moment_rule(value: str) -> str | None:
    try:
        moment_of(value)
    except ValueError:
        return _MOMENT_RULE
    return None


Broken = tuple[str, str]
"""A field, and the rule its value breaks beside the others."""


def _of_state(said: Mapping[str, str]) -> list[Broken]:
    state = PayoutState(said["state"])
    broken = [
        (field, f"must be given for a payout that is {state}")
        for field in _NEEDED[state]
        if not said[field]
    ]
    broken += [(field, _WHY_NOT[state]) for field in _EXCLUDED[state] if said[field]]
    if state is _P.PROCESSING and not (said["provider_id"] or said["reference"]):
        rule = (
            "must be given where there is no provider_id: its provider can be asked by nothing else"
        )
        broken.append(("reference", rule))
    if state is _P.CANCELLED and not said["submitted_at"]:
        rule = "must be empty without a submitted_at: it names what was sent"
        broken += [(field, rule) for field in _SENT[:4] if said[field]]
    if said["utr"] and not said["provider_id"]:
        broken.append(("utr", "must be empty without a provider_id: the bank names what was sent"))
    return broken


def _of_times(said: Mapping[str, str], as_of: datetime) -> list[Broken]:
    broken: list[Broken] = []
    latest, named = None, ""
    for field in TIMES:
        at = moment_of(said[field])
        if at is None:
            continue
        if at >= as_of:
            told = f"{as_of:%Y-%m-%dT%H:%M:%SZ}"
            broken.append((field, f"must be before {told}: the file says what was so then"))
        elif latest is not None and at < latest:
            broken.append((field, f"must not be before {named}"))
        latest, named = at, field
    return broken


def _of_tax(said: Mapping[str, str]) -> list[Broken]:
    given = [field for field in TAX if said[field]]
    if not given or PayoutState(said["state"]) not in {_P.PROCESSING, _P.COMPLETED}:
        return []
    if len(given) < len(TAX):
        rule = f"must be given with {', '.join(given)}: what was withheld is told whole"
        return [(field, rule) for field in TAX if not said[field]]
    if said["source"] != Origin.EARNINGS:
        return [
            ("source", "must be earnings where tax is told: of an amount that was told none is")
        ]
    if said["currency"] != CURRENCY:
        return [(field, f"must be empty: tax is withheld in {CURRENCY}") for field in given]
    return [*_amounts(said), *_year(said)]


def _amounts(said: Mapping[str, str]) -> list[Broken]:
    try:
        amount = parse_major(said["amount"], CURRENCY, "amount")
    except BadInputError:  # named at its own field
        return []
    gross, base, tax = (parse_major(said[field], CURRENCY, field) for field in TAX[:3])
    broken: list[Broken] = []
    if gross < amount:
        broken.append(
            ("gross", "must not be less than the amount: that is the payee's share of it")
        )
    if tax >= amount:
        broken.append(("tds_deducted", "must be less than the amount: the rest of it was sent"))
    if abs(tax * _FULL_BPS - base * int(said["tds_rate_bps"])) > RUPEE * _FULL_BPS:
        broken.append(("tds_deducted", "must be tds_base times tds_rate_bps, within a rupee"))
    return broken


def _year(said: Mapping[str, str]) -> list[Broken]:
    dated = "completed_at" if said["completed_at"] else "submitted_at"
    at = moment_of(said[dated])
    if at is None:
        return []
    day, year, _ = period(at)
    if day < RATES[0].since:
        return [(dated, f"must not be before {RATES[0].since}: what was withheld then is unknown")]
    if year == said["tds_financial_year"]:
        return []
    return [("tds_financial_year", f"must be {year}, in which {dated} lies in India")]


def texts(said: Mapping[str, str], currency: str) -> tuple[str, ...]:
    """The texts after those of a request, amounts spelled in one way."""
    own = dict(said)
    for field in TAX[:3]:
        if own[field] and currency in EXPONENTS:
            own[field] = format_major(parse_major(own[field], currency, field), currency)
    return tuple(own[field] for field in FIELDS[OF_REQUEST:])
