"""Flutterwave: `verif-hash` is a password that the sender knows. It signs nothing: see `providers`."""

from collections.abc import Mapping, Sequence
from typing import Final

from domain.inbox import VerifiedEvent
from domain.webhooks.documents import Document, at_text, digest, needed, part, read, word
from domain.webhooks.providers import Provider
from domain.webhooks.signatures import check_password, header, usable

PASSWORD: Final = "verif-hash"  # noqa: S105  the header's name


def verify(raw: bytes, headers: Mapping[str, str], secrets: Sequence[str]) -> VerifiedEvent:
    """Return the event that `raw` is, from somebody who knows one of `secrets`.

    Its id ends with the body's hash: whoever came to know the password must not be able to use up the
    id of an event to come. Raises `SecretMissingError` or a `WebhookRefusedError`.
    """
    held = usable(secrets)
    check_password(header(headers, PASSWORD), held)
    document = read(raw)
    kind, data = needed(document, "event"), part(document, "data")
    entity = _entity(data)
    return VerifiedEvent(
        provider=Provider.FLUTTERWAVE.value,
        event_id=":".join(filter(None, (kind, entity, digest(raw)))),
        type=kind,
        entity=entity,
        occurred_at=at_text(data.get("created_at")),
        body=raw,
    )


def _entity(data: Document) -> str | None:
    number = data.get("id")
    if isinstance(number, int) and not isinstance(number, bool):
        return word(str(number))
    return word(number) or word(data.get("tx_ref"))
