"""What a request must be before Stripe's side of the bank looks at it: API key, idempotency key, form."""

import hmac
import json
from typing import Final
from urllib.parse import parse_qsl

from starlette.requests import Request

from domain.stripe import CURRENCIES, KEY_MAX, REFERENCE_MAX, fits_account
from workers.sandbox.refusals import REFUSED, UNAUTHORISED, Refusal, RefusedError
from workers.sandbox.requests import Ask
from workers.sandbox.settings import SandboxSettings

KEY_HEADER: Final = "Idempotency-Key"
TRANSFER: Final = "transfer"
"""What stands in the place of a mode: it is how a transfer is told from a payout."""
ID_PREFIX: Final = "tr_"
KEY_SECONDS: Final = 86_400.0
"""How long a key is kept (Stripe, idempotent requests: at least 24 hours)."""
METADATA: Final = "metadata["
KNOWN: Final = frozenset({"amount", "currency", "description", "destination", "transfer_group"})
DIGITS_MAX: Final = 12
METADATA_MAX: Final = 50


def check_bearer(request: Request, settings: SandboxSettings) -> None:
    """Raise Stripe's 401 unless the request carries the bank's secret as its API key."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    matches = hmac.compare_digest(token.encode(), settings.key_secret.encode())
    if scheme.lower() != "bearer" or not matches:
        raise RefusedError(UNAUTHORISED)


def read_stripe_key(request: Request) -> str:
    """Return the idempotency key, which this bank insists on; raises a 400 otherwise."""
    key = request.headers.get(KEY_HEADER, "")
    if not 0 < len(key) <= KEY_MAX:
        raise wrong(KEY_HEADER, f"An idempotency key of 1 to {KEY_MAX} characters is required.")
    return key


def read_form(body: bytes) -> dict[str, str]:
    """Return the form in `body`; raises a 400 where there is none or a name comes twice."""
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, strict_parsing=bool(body))
    except ValueError:
        raise RefusedError(Refusal(description="The request body is not a form.")) from None
    form = dict(pairs)
    if len(form) != len(pairs):
        raise RefusedError(Refusal(description="A parameter was given twice."))
    return form


def read_transfer(form: dict[str, str]) -> Ask:
    """Return what `form` asks for; raises Stripe's 400 naming the first wrong parameter."""
    for name in form:
        if name not in KNOWN and not name.startswith(METADATA):
            raise wrong(name, f"Received unknown parameter: {name}")
    currency = form.get("currency", "")
    if currency.upper() not in CURRENCIES or not currency.islower():
        raise wrong("currency", "Invalid currency.")
    if not fits_account(form.get("destination", "")):
        raise RefusedError(REFUSED)
    group = form.get("transfer_group")
    if group is not None and not 0 < len(group) <= REFERENCE_MAX:
        raise wrong("transfer_group", f"Must be 1 to {REFERENCE_MAX} characters.")
    return Ask(
        amount=read_amount(form),
        currency=currency.upper(),
        fund_account_id=form["destination"],
        mode=TRANSFER,
        purpose=TRANSFER,
        reference=group,
        narration=form.get("description"),
        notes=_metadata(form),
        may_queue=False,
        id_prefix=ID_PREFIX,
        key_seconds_max=KEY_SECONDS,
    )


def read_amount(form: dict[str, str]) -> int:
    """Return the amount in minor units; raises Stripe's 400 where it is none."""
    text = form.get("amount", "")
    if not (text.isascii() and text.isdigit() and len(text) <= DIGITS_MAX) or int(text) < 1:
        raise wrong("amount", "Invalid integer, or less than 1.")
    return int(text)


def wrong(field: str, description: str) -> RefusedError:
    """Return the refusal of one parameter."""
    return RefusedError(Refusal(description=description, field=field))


def _metadata(form: dict[str, str]) -> str:
    found = {
        name.removeprefix(METADATA).removesuffix("]"): value
        for name, value in form.items()
        if name.startswith(METADATA)
    }
    if len(found) > METADATA_MAX:
        raise wrong("metadata", f"At most {METADATA_MAX} keys.")
    return json.dumps(found)
