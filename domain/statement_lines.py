"""One line of a statement as a file states it."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from operator import attrgetter
from typing import Final

from domain.errors import BadInputError, BrokenError
from domain.money import EXPONENTS, parse_major
from domain.records import LABEL_RULE, Records, faults, fits_label
from domain.statements import Side, Source, StatementLine

FIELDS: Final = (
    "line_id", "account", "occurred_at", "side", "amount", "fee", "currency", "balance", "utr",
    "source", "source_id",
)  # fmt: skip
"""Fields of a record, in the order of a file's header."""

SIDES: Final = {side.value: side for side in Side}
SOURCES: Final = {source.value: source for source in Source}
fits_utr: Final = re.compile(r"[A-Za-z0-9]{6,40}").fullmatch

_UTR_RULE: Final = "must be empty or 6 to 40 letters and digits; a spreadsheet rounds long numbers"
_TIME_RULE: Final = "must be ISO 8601 with its zone, such as 2026-01-05T06:00:00Z"


def parse_line(record: Sequence[str], file: str, row: int) -> StatementLine | list[BadInputError]:
    """Read texts in the order of `FIELDS` as a line, or name every rule that they break."""
    if line := _fitting(record):
        return line
    errors = faults(FIELDS, record, f"{file} row {row}", _rule)
    if not errors:
        raise BrokenError(f"{file} row {row} fits no rule and breaks none: {record!r}")
    return errors


def _fitting(record: Sequence[str]) -> StatementLine | None:
    """Read the record where every field fits. The fast path: no message is made here."""
    line_id, account, at, side, amount, fee, currency, balance, utr, source, source_id = record
    if not (
        fits_label(line_id)
        and fits_label(account)
        and side in SIDES
        and currency in EXPONENTS
        and (not utr or fits_utr(utr))
        and source in SOURCES
        and (not source_id or fits_label(source_id))
    ):
        return None
    occurred_at = _instant(at)
    try:
        amount_minor = parse_major(amount, currency, "amount")
        fee_minor = parse_major(fee, currency, "fee") if fee else 0
        balance_minor = _signed(balance, currency)
    except BadInputError:
        return None
    if occurred_at is None or not 0 < amount_minor >= fee_minor:
        return None
    return StatementLine(
        line_id=line_id,
        account=account,
        occurred_at=occurred_at,
        side=SIDES[side],
        amount_minor=amount_minor,
        fee_minor=fee_minor,
        currency=currency,
        balance_minor=balance_minor,
        utr=utr or None,
        source=SOURCES[source],
        source_id=source_id or None,
    )


def _rule(field: str, value: str, record: Sequence[str]) -> str | None:
    """The rule that a field's value breaks in its record, or None."""
    currency = record[FIELDS.index("currency")]
    match field:
        case "line_id" | "account":
            return None if fits_label(value) else LABEL_RULE
        case "occurred_at":
            return None if _instant(value) else _TIME_RULE
        case "side":
            return None if value in SIDES else f"must be one of {', '.join(SIDES)}"
        case "source":
            return None if value in SOURCES else f"must be one of {', '.join(SOURCES)}"
        case "currency":
            return None if value in EXPONENTS else f"must be one of {', '.join(sorted(EXPONENTS))}"
        case "utr":
            return None if not value or fits_utr(value) else _UTR_RULE
        case "source_id":
            return None if not value or fits_label(value) else f"must be empty or {LABEL_RULE}"
        case _:
            return _money_rule(field, value, record) if currency in EXPONENTS else None


def _money_rule(field: str, value: str, record: Sequence[str]) -> str | None:
    given = dict(zip(FIELDS, record, strict=True))
    currency = given["currency"]
    try:
        if field == "balance":
            _signed(value, currency)
            return None
        minor = parse_major(value, currency, field) if value or field == "amount" else 0
    except BadInputError as error:
        return f"{error.rule}; the side says in which direction" if value[:1] == "-" else error.rule
    if field == "amount":
        return None if minor else "must be more than zero"
    try:
        return None if minor <= parse_major(given["amount"], currency, "amount") else _FEE_RULE
    except BadInputError:
        return None


_FEE_RULE: Final = "must be a part of the amount"


def _signed(text: str, currency: str) -> int:
    minor = parse_major(text.removeprefix("-"), currency, "balance")
    return -minor if text.startswith("-") else minor


def _instant(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
        return found.astimezone(UTC) if found.tzinfo else None
    except (ValueError, OverflowError):
        return None


STATEMENT_RECORDS: Final = Records(
    name="statement lines",
    fields=FIELDS,
    parse=parse_line,
    key=attrgetter("line_id"),
    key_field="line_id",
    amounts=frozenset({"amount", "fee", "balance"}),
    optional=frozenset({"fee", "utr", "source_id"}),
)
