"""Stripe: `t=…,v1=…`, HMAC-SHA256 over the time and the raw body, refused when older than 300 s."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from domain.inbox import VerifiedEvent
from domain.webhooks.documents import at_seconds, needed, part, read, word
from domain.webhooks.providers import Provider
from domain.webhooks.refusals import SignatureMissingError, SignatureOldError
from domain.webhooks.signatures import check_hmac, header, usable

SIGNATURE: Final = "stripe-signature"
AGE_SECONDS_MAX: Final = 300
"""As Stripe's own libraries have it, which do not refuse a time to come either."""
DIGITS_MAX: Final = 12


def verify(
    raw: bytes, headers: Mapping[str, str], secrets: Sequence[str], now: datetime
) -> VerifiedEvent:
    """Return the event that `raw` is, where any `v1` fits any of `secrets`.

    Raises `SecretMissingError` or a `WebhookRefusedError`.
    """
    held = usable(secrets)
    signed_at, signatures = _parts(header(headers, SIGNATURE))
    check_hmac(signed_at.encode() + b"." + raw, signatures, held)
    if now.timestamp() - int(signed_at) > AGE_SECONDS_MAX:
        raise SignatureOldError(f"signed more than {AGE_SECONDS_MAX} s ago")
    document = read(raw)
    return VerifiedEvent(
        provider=Provider.STRIPE.value,
        event_id=needed(document, "id"),
        type=needed(document, "type"),
        entity=word(part(document, "data", "object").get("id")),
        occurred_at=at_seconds(document.get("created")),
        body=raw,
    )


def _parts(text: str) -> tuple[str, list[str]]:
    """The time, as it is written and signed, and every `v1`."""
    pairs = [part.partition("=")[::2] for part in text.split(",")]
    # Signatures of other kinds may stand beside those that are known here.
    times = [value for name, value in pairs if name == "t"]
    signatures = [value for name, value in pairs if name == "v1"]
    is_whole = len(times) == 1 and signatures and len(times[0]) <= DIGITS_MAX
    if not is_whole or not times[0].isascii() or not times[0].isdigit():
        raise SignatureMissingError(f"{SIGNATURE} must hold one t and at least one v1")
    return times[0], signatures
