"""Razorpay and RazorpayX: hex HMAC-SHA256 over the raw body, and an event id made from what is signed.

The header `x-razorpay-event-id` stands outside the signature, so whoever replays an event can choose
it. There is no time in the signature: an old event is as valid as a new one, and that it is known
already is what keeps it from counting twice. Source: Razorpay, "Validate and test webhooks".
"""

from collections.abc import Mapping, Sequence
from typing import Final

from domain.inbox import VerifiedEvent
from domain.webhooks.documents import Document, at_seconds, digest, needed, part, read, word
from domain.webhooks.providers import Provider
from domain.webhooks.signatures import check_hmac, header, usable

SIGNATURE: Final = "x-razorpay-signature"
SPECIFIC_FIRST: Final = ("refund", "dispute", "payout", "payment", "order", "account")
ONCE: Final = (".processed", ".failed", ".reversed", ".rejected", ".cancelled", ".captured")
"""How events are called that come once in the life of what they are about.

Any other may come again with something new in it (`payout.updated` does so for each UTR and status
detail): its id ends with the body's hash, so that none is swallowed.
"""


def verify(
    provider: Provider, raw: bytes, headers: Mapping[str, str], secrets: Sequence[str]
) -> VerifiedEvent:
    """Return the event that `raw` is, signed with one of `secrets` (the current one, the one before).

    Raises `SecretMissingError` or a `WebhookRefusedError`.
    """
    held = usable(secrets)
    check_hmac(raw, [header(headers, SIGNATURE)], held)
    document = read(raw)
    kind, entity = needed(document, "event"), _entity(document)
    return VerifiedEvent(
        provider=provider.value,
        event_id=_event_id(kind, entity, raw),
        type=kind,
        entity=entity,
        occurred_at=at_seconds(document.get("created_at")),
        body=raw,
    )


def _entity(document: Document) -> str | None:
    """The id of the most specific thing the event carries."""
    ids = (word(part(document, "payload", name, "entity").get("id")) for name in SPECIFIC_FIRST)
    return next((found for found in ids if found), None)


def _event_id(kind: str, entity: str | None, raw: bytes) -> str:
    if entity is None:
        return f"{kind}:{digest(raw)}"
    return f"{kind}:{entity}" if kind.endswith(ONCE) else f"{kind}:{entity}:{digest(raw)}"
