"""Signatures compared in constant time: each secret with each signature, never stopping at the first that fits."""

import hashlib
import hmac
from collections.abc import Mapping, Sequence

from domain.webhooks.refusals import SecretMissingError, SignatureMissingError, SignatureWrongError


def header(headers: Mapping[str, str], name: str) -> str:
    """Return a header that the signature needs. Raises `SignatureMissingError`."""
    found = headers.get(name)
    if not found:
        raise SignatureMissingError(f"{name} is missing")
    return found


def usable(secrets: Sequence[str]) -> Sequence[str]:
    """Return the secrets that are not empty: anybody can sign with an empty one.

    Raises `SecretMissingError` where none is left.
    """
    found = [secret for secret in secrets if secret]
    if not found:
        raise SecretMissingError("no secret is configured")
    return found


def check_hmac(message: bytes, given: Sequence[str], secrets: Sequence[str]) -> None:
    """Return where a `given` signature is the hex HMAC-SHA256 of `message` under one of `secrets`.

    Raises `SignatureWrongError`.
    """
    made = [hmac.new(s.encode(), message, hashlib.sha256).hexdigest().encode() for s in secrets]
    check_equal([text.encode() for text in given], made)


def check_password(given: str, secrets: Sequence[str]) -> None:
    """Return where `given` is one of `secrets`; their lengths do not show either.

    Raises `SignatureWrongError`.
    """
    check_equal([_hashed(given)], [_hashed(secret) for secret in secrets])


def check_equal(given: Sequence[bytes], wanted: Sequence[bytes]) -> None:
    """Return where one of `given` equals one of `wanted`. Raises `SignatureWrongError`."""
    equal = [hmac.compare_digest(one, other) for one in given for other in wanted]
    if not any(equal):
        raise SignatureWrongError("the signature does not fit")


def _hashed(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()
