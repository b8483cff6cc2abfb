"""What a request must be before the bank looks at it: credentials, key, body, filters."""

import base64
import binascii
import hmac
import json
import math
from dataclasses import dataclass
from typing import Final

from starlette.datastructures import QueryParams
from starlette.requests import Request

from domain.payout_modes import AMOUNT_MIN, LIMITS, Mode
from domain.razorpayx import (
    CURRENCY,
    NARRATION_MAX,
    NOTE_LENGTH_MAX,
    NOTES_MAX,
    PURPOSE_MAX,
    REFERENCE_MAX,
    fits_key,
    fits_narration,
)
from workers.sandbox.refusals import UNAUTHORISED, Refusal, RefusedError
from workers.sandbox.settings import SandboxSettings

KEY_HEADER: Final = "X-Payout-Idempotency"
BODY_BYTES_MAX: Final = 65_536
COUNT_MAX: Final = 100
COUNT_DEFAULT: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A payout that somebody asks for, as the bank understood it."""

    amount: int
    fund_account_id: str
    mode: str
    purpose: str
    reference: str | None
    narration: str | None
    notes: str
    may_queue: bool
    currency: str = CURRENCY
    id_prefix: str = "pout_"
    key_seconds_max: float = math.inf
    """How long the key is kept, where that is less than the bank's own time."""


def check_credentials(request: Request, settings: SandboxSettings) -> None:
    """Raise the provider's 401 unless the request carries the bank's key id and secret."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    try:
        given = base64.b64decode(token.encode(), validate=True)
    except (binascii.Error, ValueError):
        given = b""
    wanted = f"{settings.key_id}:{settings.key_secret}".encode()
    if scheme.lower() != "basic" or not hmac.compare_digest(given, wanted):
        raise RefusedError(UNAUTHORISED)


def read_key(request: Request) -> str:
    """Return the idempotency key; raises the provider's 400 where it is missing or malformed."""
    key = request.headers.get(KEY_HEADER)
    if key is None:
        raise RefusedError(Refusal(description="Idempotency key is required.", field=KEY_HEADER))
    if not fits_key(key):
        rule = (
            "The idempotency key must be 4 to 36 letters, digits, hyphens, underscores or spaces."
        )
        raise RefusedError(Refusal(description=rule, field=KEY_HEADER))
    return key


async def read_body(request: Request) -> bytes:
    """Return the whole body; raises the provider's 400 beyond 64 kB."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > BODY_BYTES_MAX:
            raise RefusedError(Refusal(description="The request is too large.", status=413))
    return bytes(body)


def read_object(body: bytes) -> dict[str, object]:
    """Return the JSON object in `body`; raises the provider's 400 where there is none."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise RefusedError(Refusal(description="The request body is not valid JSON."))
    return found


def read_ask(body: dict[str, object], account_number: str) -> Ask:
    """Return what `body` asks for; raises the provider's 400 naming the first wrong field."""
    if body.get("account_number") != account_number:
        raise _wrong("account_number", "The account number is invalid.")
    amount, mode = body.get("amount"), body.get("mode")
    if not isinstance(amount, int) or isinstance(amount, bool) or amount < AMOUNT_MIN:
        raise _wrong("amount", "The amount must be at least INR 1.00.")
    if body.get("currency") != CURRENCY:
        raise _wrong("currency", "The currency must be INR.")
    if not isinstance(mode, str) or mode not in LIMITS:
        raise _wrong("mode", "The selected mode is invalid.")
    low, high = LIMITS[Mode(mode)]
    if not low <= amount <= high:
        raise _wrong("amount", f"The amount is not allowed for mode {mode}.")
    narration = _text(body, "narration", NARRATION_MAX)
    if narration is not None and not fits_narration(narration):
        raise _wrong("narration", "The narration may only have letters, digits and spaces.")
    return Ask(
        amount=amount,
        fund_account_id=_needed(body, "fund_account_id", 40),
        mode=mode,
        purpose=_needed(body, "purpose", PURPOSE_MAX),
        reference=_text(body, "reference_id", REFERENCE_MAX),
        narration=narration,
        notes=_notes(body),
        may_queue=body.get("queue_if_low_balance") is True,
    )


def read_whole(params: QueryParams, name: str, default: int, high: int) -> int:
    """Return a whole number from a query; raises the provider's 400 outside 0 to `high`."""
    text = params.get(name, str(default))
    if not text.isascii() or not text.isdigit() or int(text[:19]) > high:
        raise _wrong(name, f"The {name} must be a number of at most {high}.")
    return int(text)


def check_account(params: QueryParams, account_number: str) -> None:
    """Raise the provider's 400 unless a list names the account it is of."""
    if params.get("account_number") != account_number:
        raise _wrong("account_number", "The account number field is required.")


def _notes(body: dict[str, object]) -> str:
    notes = body.get("notes") or {}
    if not isinstance(notes, dict) or len(notes) > NOTES_MAX:
        raise _wrong("notes", f"The notes must be at most {NOTES_MAX} pairs.")
    if any(not isinstance(note, str) or len(note) > NOTE_LENGTH_MAX for note in notes.values()):
        raise _wrong("notes", f"A note must be at most {NOTE_LENGTH_MAX} characters.")
    return json.dumps(notes)


def _needed(body: dict[str, object], field: str, length_max: int) -> str:
    text = _text(body, field, length_max)
    if not text:
        raise _wrong(field, f"The {field} field is required.")
    return text


def _text(body: dict[str, object], field: str, length_max: int) -> str | None:
    text = body.get(field)
    if text is not None and (not isinstance(text, str) or len(text) > length_max):
        raise _wrong(field, f"The {field} may have at most {length_max} characters.")
    return text


def _wrong(field: str, description: str) -> RefusedError:
    return RefusedError(Refusal(description=description, field=field))
