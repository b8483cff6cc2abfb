"""What a RazorpayX payout request must be, frozen as canonical text: pure, whatever the clock says.

Source of the rules: RazorpayX create-payout and payout-idempotency pages.
"""

import re
from json.encoder import encode_basestring_ascii as _text
from typing import Final

from domain.errors import BadInputError
from domain.payout_modes import Mode, mode_fault
from domain.ports import PayoutOrder

PROVIDER: Final = "razorpayx"
CURRENCY: Final = "INR"
REFERENCE_MAX: Final = 40
NARRATION_MAX: Final = 30
PURPOSE_MAX: Final = 30
NOTES_MAX: Final = 15
NOTE_LENGTH_MAX: Final = 256

_MODES: Final = {mode.value: mode for mode in Mode}
fits_key: Final = re.compile(r"[A-Za-z0-9 _-]{4,36}", re.ASCII).fullmatch
"""The idempotency header: 4 to 36 letters, digits, hyphens, underscores or spaces."""
fits_narration: Final = re.compile(r"[A-Za-z0-9 ]{0,30}", re.ASCII).fullmatch
_NOT_NARRATION: Final = re.compile(r"[^A-Za-z0-9]+", re.ASCII)


def narrate(text: str) -> str:
    """Return `text` as a bank statement may print it: at most 30 of `[A-Za-z0-9 ]`."""
    return _NOT_NARRATION.sub(" ", text).strip()[:NARRATION_MAX].rstrip()


def freeze(order: PayoutOrder, account_number: str) -> str:
    """Return the exact body of `order`'s request: ASCII JSON, keys sorted, no spaces.

    The same order always gives the same text; it is replayed byte for byte, since the provider
    refuses a key that comes back with another body. Raises `BadInputError` naming the field that
    the provider would refuse.
    """
    narration = narrate(order.narration)
    # Written out: the text is the promise, and an encoder would cost more than all the rest.
    return (
        f'{{"account_number":{_text(account_number)},"amount":{_amount(order):d},'
        f'"currency":{_text(_currency(order.currency))},'
        f'"fund_account_id":{_text(_present("fund_account_id", order.fund_account_id))},'
        f'"mode":{_text(order.mode)},'
        + (f'"narration":"{narration}",' if narration else "")
        + f'"purpose":{_text(_purpose(order.purpose))},"queue_if_low_balance":true,'
        f'"reference_id":{_text(_reference(order))}}}'
    )


def _amount(order: PayoutOrder) -> int:
    mode = _MODES.get(order.mode)
    if mode is None:
        raise BadInputError("mode", order.mode, f"must be one of {', '.join(Mode)}")
    if fault := mode_fault(mode, order.amount_minor):
        raise BadInputError("amount", order.amount_minor, fault)
    return order.amount_minor


def _currency(text: str) -> str:
    if text != CURRENCY:
        raise BadInputError("currency", text, f"must be {CURRENCY}: RazorpayX pays out no other")
    return text


def _reference(order: PayoutOrder) -> str:
    if len(_present("reference", order.reference)) > REFERENCE_MAX:
        rule = f"must be at most {REFERENCE_MAX} characters"
        raise BadInputError("reference", order.reference, rule)
    return order.reference


def _purpose(text: str) -> str:
    if len(_present("purpose", text)) > PURPOSE_MAX:
        raise BadInputError("purpose", text, f"must be at most {PURPOSE_MAX} characters")
    return text


def _present(field: str, text: str) -> str:
    if not text:
        raise BadInputError(field, text, "must not be empty")
    return text
