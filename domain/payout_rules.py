"""What each field of an imported payout must be for its provider, and which rules a record breaks."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from domain import records, stripe
from domain.errors import BadInputError
from domain.money import parse_major
from domain.payout_modes import Mode, mode_fault
from domain.records import LABEL_RULE, fits_label

FIELDS: Final = (
    "external_id", "payee", "fund_account_id", "amount", "currency", "mode", "purpose", "narration",
)  # fmt: skip
"""The fields of a record, in the order of a file's header."""

CURRENCY: Final = "INR"
"""The one currency RazorpayX pays out, and that of an amount whose own is unknown."""

fits_fund_account: Final = re.compile(r"(?![0-9]+\Z)[A-Za-z0-9_]{1,40}").fullmatch
fits_purpose: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9 ]{0,28}[A-Za-z0-9])?").fullmatch
fits_narration: Final = re.compile(r"[A-Za-z0-9 ]{0,30}").fullmatch


AmountFault = Callable[[Mode | None, int], str | None]
"""The rule that an amount in minor units breaks under a mode, or None where they fit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What one provider lets a payout be, with its words for what does not fit."""

    currencies: frozenset[str]
    modes: Mapping[str, Mode | None]
    """By a file's spelling; empty means that a rule chooses at approval."""
    fits_fund_account: Callable[[str], object]
    amount_fault: AmountFault
    words: Mapping[str, str]

    def fault(self, field: str, value: str) -> str | None:
        """Return the rule that `value` breaks in a field other than the amount, by itself."""
        fits = {
            "fund_account_id": self.fits_fund_account,
            "currency": self.currencies.__contains__,
            "mode": self.modes.__contains__,
            **_FITS,
        }
        return None if fits[field](value) else {**_WORDS, **self.words}[field]


_FITS: Final[dict[str, Callable[[str], object]]] = {
    "external_id": fits_label,
    "payee": fits_label,
    "purpose": fits_purpose,
    "narration": fits_narration,
}
"""How a field is judged that every provider takes alike."""

_WORDS: Final = {
    "external_id": LABEL_RULE,
    "payee": LABEL_RULE,
    "purpose": "must be 1 to 30 characters A-Z a-z 0-9 and inner spaces, such as payout, salary "
    "or vendor bill",
    "narration": "must be empty or up to 30 characters A-Z a-z 0-9 and space",
}


def _no_amount(_mode: Mode | None, amount_minor: int) -> str | None:
    return None if amount_minor else "must be more than 0"


FUND_ACCOUNT_RULE: Final = (
    "must be the provider's token of 1 to 40 characters A-Z a-z 0-9 _, such as fa_00000000000001; "
    "never a bank account number"
)
RAZORPAYX: Final = Rules(
    currencies=frozenset({CURRENCY}),
    modes={"": None} | {mode.value: mode for mode in Mode},
    fits_fund_account=fits_fund_account,
    amount_fault=mode_fault,
    words={
        "fund_account_id": FUND_ACCOUNT_RULE,
        "currency": f"must be {CURRENCY}: the provider pays out no other",
        "mode": f"must be empty or one of {', '.join(Mode)}",
    },
)
STRIPE: Final = Rules(
    currencies=stripe.CURRENCIES,
    modes={"": None},
    fits_fund_account=lambda text: fits_fund_account(text) and stripe.fits_account(text),
    amount_fault=_no_amount,
    words={
        "fund_account_id": "must be a connected account of 6 to 40 characters, such as "
        "acct_1032D82eZvKYlo2C: the provider pays to no other",
        "currency": f"must be one of {', '.join(sorted(stripe.CURRENCIES))}",
        "mode": "must be empty: a transfer has none",
    },
)


def rules_of(provider: str | None) -> Rules:
    """Return the rules of the provider that a database is bound to; of none, RazorpayX's."""
    return STRIPE if provider == stripe.PROVIDER else RAZORPAYX


def faults(record: Sequence[str], place: str, rules: Rules) -> list[BadInputError]:
    """Every rule that `record` (texts in the order of `FIELDS`) breaks; `place` is file and row."""
    return records.faults(
        FIELDS, record, place, lambda field, value, whole: _rule(field, value, whole, rules)
    )


def _rule(field: str, value: str, record: Sequence[str], rules: Rules) -> str | None:
    if field != "amount":
        return rules.fault(field, value)
    currency = record[FIELDS.index("currency")]
    try:
        known = currency if currency in rules.currencies else CURRENCY
        amount_minor = parse_major(value, known, "amount")
    except BadInputError as error:
        return error.rule
    return rules.amount_fault(rules.modes.get(record[FIELDS.index("mode")]), amount_minor)
