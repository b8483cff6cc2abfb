"""Why a webhook is not taken: told to our log by name, and never to its sender."""

from domain.errors import ExpectedError


class WebhookRefusedError(ExpectedError):
    """What was received is not to be believed: nothing of it is kept."""


class SignatureMissingError(WebhookRefusedError):
    """A header that the signature is made of is missing or malformed."""


class SignatureWrongError(WebhookRefusedError):
    """No secret of ours gives this signature for these bytes."""


class SignatureOldError(WebhookRefusedError):
    """Signed too long ago: somebody may have kept it."""


class EventUnreadableError(WebhookRefusedError):
    """Signed as it should be, and no event."""


class SecretMissingError(ExpectedError):
    """Nothing is configured to check this provider's signatures with, so nothing is believed."""
