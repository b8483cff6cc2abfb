"""What the request for a Stripe transfer must be, frozen as canonical text: pure, whatever the clock says.

Source of the rules: Stripe's create-transfer and idempotent-requests pages.
"""

import json
import re
from json.encoder import encode_basestring_ascii as _text
from typing import Final

from domain.errors import BadInputError
from domain.money import EXPONENTS
from domain.ports import PayoutOrder

PROVIDER: Final = "stripe"
REFERENCE_MAX: Final = 255
KEY_MAX: Final = 255

CURRENCIES: Final = frozenset(EXPONENTS) - {"UGX", "KWD", "BHD"}
"""Those in which Stripe's minor unit is the currency's own: it counts UGX in hundredths, KWD and BHD in tens."""

fits_account: Final = re.compile(r"acct_[A-Za-z0-9]{1,58}", re.ASCII).fullmatch
"""A Stripe account: the platform's own, or the connected one that a transfer goes to."""
fits_key: Final = re.compile(rf"[!-~]{{1,{KEY_MAX}}}", re.ASCII).fullmatch
"""The idempotency key: at most 255 characters, here of printable ASCII, as a header carries it."""


def freeze(order: PayoutOrder) -> str:
    """Return the parameters of `order`'s transfer: ASCII JSON, keys sorted, no spaces.

    The same order always gives the same text; it is replayed with the same key, since the provider
    refuses a key that comes back with other parameters. A transfer has no mode. Raises
    `BadInputError` naming the field that the provider would refuse.
    """
    reference = _text(_reference(order.reference))
    # Written out: the text is the promise, and an encoder would cost more than all the rest.
    return (
        f'{{"amount":{_amount(order.amount_minor):d},"currency":{_text(_currency(order.currency))},'
        + (f'"description":{_text(order.narration)},' if order.narration else "")
        + f'"destination":{_text(_destination(order.fund_account_id))},'
        f'"metadata":{{"purpose":{_text(order.purpose)},"reference":{reference}}},'
        f'"transfer_group":{reference}}}'
    )


def parameters(body: str) -> dict[str, object]:
    """Return the parameters that `freeze` wrote as `body`, in the order they are written in."""
    found: dict[str, object] = json.loads(body)
    return found


def _amount(amount_minor: int) -> int:
    if amount_minor < 1:
        raise BadInputError("amount", amount_minor, "must be at least one minor unit")
    return amount_minor


def _currency(text: str) -> str:
    if text not in CURRENCIES:
        raise BadInputError("currency", text, f"must be one of {', '.join(sorted(CURRENCIES))}")
    return text.lower()


def _destination(text: str) -> str:
    if not fits_account(text):
        rule = "must be a connected account, acct_…: Stripe transfers go to no other"
        raise BadInputError("fund_account_id", text, rule)
    return text


def _reference(text: str) -> str:
    if not 0 < len(text) <= REFERENCE_MAX:
        rule = f"must be 1 to {REFERENCE_MAX} characters"
        raise BadInputError("reference", text, rule)
    return text
