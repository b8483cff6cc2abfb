"""The kinds of value a setting may have, and how each is shown without its secret part."""

import re
from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

DATABASE_SCHEMES: Final = ("postgresql", "postgres", "postgresql+psycopg")
BROKER_SCHEMES: Final = (
    "redis",
    "rediss",
    "unix",
    "redis+sentinel",
    "rediss+sentinel",
    "amqp",
    "amqps",
)
CACHE_SCHEMES: Final = ("redis", "rediss", "unix")
HTTP_SCHEMES: Final = ("https", "http")
SMTP_SCHEMES: Final = ("smtp", "smtps")

MASK: Final = "***"
SECRETS: Final = frozenset(
    {
        "razorpayx_key_secret",
        "razorpayx_webhook_secrets",
        "razorpay_key_secret",
        "razorpay_webhook_secrets",
        "stripe_api_key",
        "stripe_webhook_secrets",
        "flutterwave_secret_hash",
        "events_secrets",
        "operator_token",
    }
)
"""Fields of which nothing is ever shown."""
URLS: Final = frozenset(
    {
        "database_url",
        "broker_url",
        "cache_url",
        "razorpayx_url",
        "razorpay_url",
        "stripe_url",
        "smtp_url",
        "alert_url",
        "heartbeat_url",
        "events_url",
    }
)
"""Fields that may carry a password."""
CAPABILITIES: Final = frozenset({"alert_url", "heartbeat_url", "events_url"})
"""Addresses whose path is the secret: whoever knows it may post there."""
FROM_FILES: Final = SECRETS | URLS
"""Fields that may also be given as the name of a file, by `…_FILE`."""

_SCHEMA: Final = re.compile(r"[a-z_][a-z0-9_]{0,39}")
_QUERY_SECRET: Final = re.compile(r"((?:password|passwd|secret|token|key)=)[^&#]*", re.IGNORECASE)


def url_of(schemes: tuple[str, ...]) -> Callable[[str], str]:
    """Return a check that a URL has one of `schemes` and more than that."""

    def check(url: str) -> str:
        try:
            parts = urlsplit(url)
        except ValueError as error:
            message = f"must be a URL: {error}"
            raise ValueError(message) from None
        if parts.scheme not in schemes or not (parts.netloc or parts.path or parts.query):
            message = f"must be a URL that begins with {', '.join(f'{s}://' for s in schemes)}"
            raise ValueError(message)
        return url

    return check


def schema_name(name: str) -> str:
    """Check a schema's name: one that needs no quotes and is not the server's own."""
    if not _SCHEMA.fullmatch(name) or name.startswith("pg_"):
        message = "must be 1 to 40 of a-z 0-9 _, not begin with a digit or with pg_"
        raise ValueError(message)
    return name


def split(value: object) -> object:
    """Return the comma-separated parts of a text; anything else as it is."""
    if not isinstance(value, str):
        return value
    return tuple(part.strip() for part in value.split(",") if part.strip())


def masked(field: str, value: str) -> str:
    """Return `value` as it may be shown for `field`."""
    if field in SECRETS:
        return MASK
    if field in CAPABILITIES:
        return _host_alone(value)
    return masked_url(value) if field in URLS else value


def masked_url(url: str) -> str:
    """Return a URL without its password, also where it is malformed."""
    scheme, separator, rest = url.partition("://")
    before, query_mark, query = rest.partition("?")
    if "@" in before:
        user_info, _, place = before.rpartition("@")
        user, colon, _ = user_info.partition(":")
        before = f"{user}{colon}{MASK if colon else ''}@{place}"
    return scheme + separator + before + query_mark + _QUERY_SECRET.sub(rf"\1{MASK}", query)


def password_of(url: str) -> str:
    """Return the password that stands before the host, as it is written there; empty if none."""
    user_info = url.partition("://")[2].partition("?")[0].rpartition("@")[0]
    return user_info.partition(":")[2]


def _host_alone(url: str) -> str:
    scheme, separator, rest = url.partition("://")
    host = re.split(r"[/?#]", rest.rpartition("@")[2], maxsplit=1)[0]
    return f"{scheme}{separator}{host}/{MASK}" if separator else MASK
