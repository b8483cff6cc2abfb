"""What one reply, or the lack of one, proves about a payment: never judged from message text."""

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

import httpx

from domain.answers import Accepted, Answer, NotSent, ProviderPayout, Unknown
from domain.entities import contradiction
from domain.ports import FrozenRequest
from workers.gateways.http import Reply

RETRY_AFTER_SECONDS_MAX: Final = 3600.0
"""No answer makes a payment wait longer than this for its next look."""
TEXT_MAX: Final = 200
"""Characters of a provider's own words that are kept."""

NEVER_LEFT: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
"""Failures before the first byte of a request: name look-up, connection, TLS, a pool place."""

OK_FIRST, OK_LAST = 200, 299
REFUSES_US: Final = frozenset({401, 403})
TOO_MANY: Final = 429


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """What differs between providers in their replies to a send."""

    read: Callable[[object], ProviderPayout | None]
    """Reads decoded JSON as a payout."""
    refuses_payment: frozenset[int]
    """Statuses that may refuse the payment itself."""
    refusal: Callable[[Reply], Answer]
    """What such a reply proves: `Rejected` only where it speaks of this payment and of nothing else."""


def classify_failure(error: httpx.HTTPError) -> Answer:
    """Return what a failed exchange proves: only what failed before a connection was never sent."""
    reason = type(error).__name__
    return NotSent(reason=reason) if isinstance(error, NEVER_LEFT) else Unknown(reason=reason)


def classify_reply(dialect: Dialect, request: FrozenRequest, reply: Reply, now: datetime) -> Answer:
    """Return what a complete reply to `request` proves, as of `now` (for a Retry-After date).

    `Rejected` assumes that no earlier send under the key may have begun; the runner knows.
    """
    if OK_FIRST <= reply.status <= OK_LAST:
        return _accepted(dialect, request, reply)
    return judge_refusal(dialect, reply, now)


def judge_refusal(dialect: Dialect, reply: Reply, now: datetime) -> Answer:
    """Return what a complete reply proves that is no success, whatever was asked for."""
    if reply.status in REFUSES_US:
        return NotSent(
            reason=f"http {reply.status}: the provider refuses our credentials or address",
            brake=True,
        )
    if reply.status in dialect.refuses_payment:
        return dialect.refusal(reply)
    if reply.status == TOO_MANY:
        return Unknown(reason="http 429", retry_after_seconds=retry_after_seconds(reply, now))
    return Unknown(reason=f"http {reply.status}")


def _accepted(dialect: Dialect, request: FrozenRequest, reply: Reply) -> Answer:
    payout = dialect.read(document(reply))
    if payout is None:
        return Unknown(reason=f"http {reply.status} without a readable payout")
    if wrong := contradiction(payout, request):
        return Unknown(reason=wrong, suspect=True)
    return Accepted(payout=payout)


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


def vendor_error(reply: Reply) -> Mapping[str, object] | None:
    """Return the provider's own error object, or None where something else answered."""
    error = (document(reply) or {}).get("error")
    return error if isinstance(error, dict) else None


def words(value: object) -> str:
    """The first of a provider's own words; what no database keeps, such as NUL, becomes a blank."""
    if not isinstance(value, str):
        return ""
    return "".join(c if c.isprintable() else " " for c in value[:TEXT_MAX])
