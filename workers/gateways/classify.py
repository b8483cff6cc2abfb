"""What one reply, or the lack of one, proves about a payment: never judged from message text."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

import httpx

from domain.answers import Accepted, Answer, NotSent, Rejected, Unknown
from domain.ports import FrozenRequest
from domain.razorpayx_payouts import contradiction, read_payout
from workers.gateways.http import Reply

KEY_HEADER: Final = "X-Payout-Idempotency"
RETRY_AFTER_SECONDS_MAX: Final = 3600.0
"""No answer makes a payment wait longer than this for its next look."""
TEXT_MAX: Final = 200
"""Characters of a provider's own words that are kept."""

NEVER_LEFT: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
"""Failures before the first byte of a request: name look-up, connection, TLS, a pool place."""

OK_FIRST, OK_LAST = 200, 299
REFUSES_PAYMENT: Final = frozenset({400, 422})
REFUSES_US: Final = frozenset({401, 403})
TOO_MANY: Final = 429


@dataclass(frozen=True, slots=True, kw_only=True)
class VendorError:
    """The provider's error body: `{"error": {"code": …, "description": …, "field": …}}`."""

    code: str
    description: str
    field: str | None


def classify_failure(error: httpx.HTTPError) -> Answer:
    """Return what a failed exchange proves: only what failed before a connection was never sent."""
    reason = type(error).__name__
    return NotSent(reason=reason) if isinstance(error, NEVER_LEFT) else Unknown(reason=reason)


def classify_reply(request: FrozenRequest, reply: Reply, now: datetime) -> Answer:
    """Return what a complete reply to `request` proves, as of `now` (for a Retry-After date).

    `Rejected` assumes that no earlier send under the key may have begun; the runner knows.
    """
    if OK_FIRST <= reply.status <= OK_LAST:
        return _accepted(request, reply)
    if reply.status in REFUSES_US:
        return NotSent(
            reason=f"http {reply.status}: the provider refuses our credentials or address",
            brake=True,
        )
    if reply.status in REFUSES_PAYMENT:
        return _refused(reply)
    if reply.status == TOO_MANY:
        return Unknown(reason="http 429", retry_after_seconds=retry_after_seconds(reply, now))
    return Unknown(reason=f"http {reply.status}")


def _accepted(request: FrozenRequest, reply: Reply) -> Answer:
    payout = read_payout(document(reply))
    if payout is None:
        return Unknown(reason=f"http {reply.status} without a readable payout")
    if wrong := contradiction(payout, request):
        return Unknown(reason=wrong, suspect=True)
    return Accepted(payout=payout)


def _refused(reply: Reply) -> Answer:
    error = vendor_error(reply)
    if error is None:
        return Unknown(reason=f"http {reply.status} without a readable error")
    if error.field == KEY_HEADER:
        # It speaks of the key, hence perhaps of an earlier send under it, not of this payment.
        return Unknown(reason=f"http {reply.status} about the idempotency key", suspect=True)
    return Rejected(code=error.code, reason=error.description)


def retry_after_seconds(reply: Reply, now: datetime) -> float | None:
    """Return how long a 429 asks to wait, by seconds or by date; None where it does not say."""
    text = (reply.retry_after or "").strip()
    try:
        seconds = float(text)
    except ValueError:
        seconds = _until(text, now)
    if not math.isfinite(seconds):
        return None
    return min(max(seconds, 0.0), RETRY_AFTER_SECONDS_MAX)


def _until(text: str, now: datetime) -> float:
    try:
        instant = parsedate_to_datetime(text)
    except ValueError:
        return math.nan
    aware = instant if instant.tzinfo else instant.replace(tzinfo=UTC)
    return (aware - now).total_seconds()


def document(reply: Reply) -> Mapping[str, object] | None:
    """Return the JSON object that `reply` carries, or None where it carries anything else."""
    if reply.content_type != "application/json":
        return None
    try:
        found = json.loads(reply.body)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def vendor_error(reply: Reply) -> VendorError | None:
    """Return the provider's own error body, or None where something else answered."""
    error = (document(reply) or {}).get("error")
    if not isinstance(error, dict):
        return None
    code, description, field = error.get("code"), error.get("description"), error.get("field")
    if not isinstance(code, str) or not code:
        return None
    return VendorError(
        code=_words(code),
        description=_words(description) if isinstance(description, str) else "",
        field=field if isinstance(field, str) else None,
    )


def _words(text: str) -> str:
    """The first of a provider's own words; what no database keeps, such as NUL, becomes a blank."""
    return "".join(c if c.isprintable() else " " for c in text[:TEXT_MAX])
