"""What each field of an imported payout must be, and which rules a record breaks."""

import re
from collections.abc import Callable, Sequence
from typing import Final

from domain.errors import BadInputError
from domain.money import parse_major
from domain.payout_modes import Mode, mode_fault

FIELDS: Final = (
    "external_id", "payee", "fund_account_id", "amount", "currency", "mode", "purpose", "narration",
)  # fmt: skip
"""The fields of a record, in the order of a file's header."""

CURRENCY: Final = "INR"
"""The one currency the provider pays out (RazorpayX: `currency` must be INR)."""

LABEL_MAX: Final = 64
"""Characters in an external id or a payee's name."""

FIELDS_MAX: Final = 64
"""Names in a header or an object that are worth naming one by one where they are wrong."""

SHOWN_MAX: Final = 80
"""Characters of a bad value that an error repeats."""

MODES: Final[dict[str, Mode | None]] = {"": None} | {mode.value: mode for mode in Mode}
"""A mode as a file spells it; empty means that a rule chooses at approval."""

fits_fund_account: Final = re.compile(r"(?![0-9]+\Z)[A-Za-z0-9_]{1,40}").fullmatch
fits_purpose: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9 ]{0,28}[A-Za-z0-9])?").fullmatch
fits_narration: Final = re.compile(r"[A-Za-z0-9 ]{0,30}").fullmatch


def fits_label(text: str) -> bool:
    """Tell whether `text` may be an external id or a payee: 1 to 64 printable, no outer space."""
    return text.isprintable() and 0 < len(text) <= LABEL_MAX and text[0] != " " != text[-1]


def shown(value: str) -> str:
    """Return `value`, cut to what an error may repeat of it."""
    return value if len(value) <= SHOWN_MAX else f"{value[:SHOWN_MAX]}…"


def _is_currency(text: str) -> bool:
    return text == CURRENCY


_FITS: Final[dict[str, Callable[[str], object]]] = {
    "external_id": fits_label,
    "payee": fits_label,
    "fund_account_id": fits_fund_account,
    "currency": _is_currency,
    "mode": MODES.__contains__,
    "purpose": fits_purpose,
    "narration": fits_narration,
}
"""How each field but the amount is judged by itself."""

_LABEL_RULE: Final = f"must be 1 to {LABEL_MAX} printable characters, no space at either end"
_RULES: Final = {
    "external_id": _LABEL_RULE,
    "payee": _LABEL_RULE,
    "fund_account_id": "must be the provider's token of 1 to 40 characters A-Z a-z 0-9 _, such as "
    "fa_00000000000001; never a bank account number",
    "currency": f"must be {CURRENCY}: the provider pays out no other",
    "mode": f"must be empty or one of {', '.join(Mode)}",
    "purpose": "must be 1 to 30 characters A-Z a-z 0-9 and inner spaces, such as payout, salary "
    "or vendor bill",
    "narration": "must be empty or up to 30 characters A-Z a-z 0-9 and space",
}


def named(name: str) -> str:
    """Return a field's `name` as an error may print it in its place, whatever it holds."""
    return shown(name) if name.isprintable() else ascii(shown(name))


def faults(record: Sequence[str], place: str) -> list[BadInputError]:
    """Every rule that `record` (texts in the order of `FIELDS`) breaks; `place` is file and row."""
    return [
        BadInputError(f"{place} field {field}", shown(value), rule)
        for field, value in zip(FIELDS, record, strict=True)
        if (rule := _unreadable(value) or _rule(field, value, record))
    ]


def _unreadable(value: str) -> str | None:
    for char in value:
        if "\ud800" <= char <= "\udfff":
            return "must be UTF-8 text: it holds other bytes (save the file as UTF-8)"
        if char == "\0":
            return "must not hold a NUL byte"
    return None


def _rule(field: str, value: str, record: Sequence[str]) -> str | None:
    if field == "amount":
        return _amount_rule(value, record[FIELDS.index("mode")])
    return None if _FITS[field](value) else _RULES[field]


def _amount_rule(value: str, mode: str) -> str | None:
    try:
        amount_minor = parse_major(value, CURRENCY, "amount")
    except BadInputError as error:
        return error.rule
    return mode_fault(MODES.get(mode), amount_minor)
