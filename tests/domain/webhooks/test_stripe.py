"""Stripe's webhooks: any signature that fits, and not for longer than five minutes."""

from collections.abc import Mapping
from datetime import timedelta

import pytest

from domain.inbox import VerifiedEvent
from domain.webhooks import stripe
from domain.webhooks.refusals import (
    EventUnreadableError,
    SecretMissingError,
    SignatureMissingError,
    SignatureOldError,
    SignatureWrongError,
)
from tests.domain.webhooks.signing import (
    BEFORE,
    NOW,
    SECRET,
    hex_hmac,
    raw,
    stripe_event,
    stripe_headers,
)

BODY = raw(stripe_event())
T = int(NOW.timestamp())


def checked(headers: Mapping[str, str], body: bytes = BODY) -> VerifiedEvent:
    return stripe.verify(body, headers, (SECRET, BEFORE), NOW)


def test_a_signed_event_says_what_it_is() -> None:
    assert checked(stripe_headers(BODY)) == VerifiedEvent(
        provider="stripe",
        event_id="evt_1",
        type="payout.paid",
        entity="po_1",
        occurred_at=NOW,
        body=BODY,
    )


@pytest.mark.parametrize(
    "secrets",
    [(SECRET,), (BEFORE,), ("another", SECRET), (BEFORE, "another")],
    ids=["current", "before", "second", "first"],
)
def test_any_signature_that_fits_is_enough(secrets: tuple[str, ...]) -> None:
    """Invariant 33."""
    assert checked(stripe_headers(BODY, *secrets, more=",v0=00")).event_id == "evt_1"


def test_signatures_of_others_do_not_fit_however_many() -> None:
    """Invariant 33."""
    with pytest.raises(SignatureWrongError):
        checked(stripe_headers(BODY, "one", "two", "three"))


@pytest.mark.parametrize("seconds", [300, 0, -600])
def test_what_was_signed_within_300_seconds_is_taken(seconds: int) -> None:
    """Invariant 33, F74: a time to come too, as by Stripe's own libraries."""
    headers = stripe_headers(BODY, at=NOW - timedelta(seconds=seconds))
    assert checked(headers).event_id == "evt_1"


@pytest.mark.parametrize("seconds", [301, 86_400])
def test_what_was_signed_before_that_is_refused(seconds: int) -> None:
    """Invariant 33, F74."""
    with pytest.raises(SignatureOldError):
        checked(stripe_headers(BODY, at=NOW - timedelta(seconds=seconds)))


def test_a_younger_time_does_not_fit_an_old_signature() -> None:
    """F74."""
    old = stripe_headers(BODY, at=NOW - timedelta(days=1))["stripe-signature"]
    signature = old.partition(",")[2]
    with pytest.raises(SignatureWrongError):
        checked({"stripe-signature": f"t={T},{signature}"})


@pytest.mark.parametrize(
    "text",
    ["", "t=1", "v1=00", "t=,v1=00", "t=x,v1=00", "t=1,t=2,v1=00", "t=-1,v1=00", "t=²,v1=00",
     f"t={'9' * 400},v1=00", "nonsense"],
)  # fmt: skip
def test_a_header_that_is_none_of_theirs_is_refused(text: str) -> None:
    with pytest.raises(SignatureMissingError):
        checked({"stripe-signature": text})


def test_only_v1_counts() -> None:
    signed = hex_hmac(f"{T}.".encode() + BODY)
    with pytest.raises(SignatureWrongError):
        checked({"stripe-signature": f"t={T},v0={signed},v1=00"})


def test_the_time_is_signed_as_it_is_written() -> None:
    signed = hex_hmac(f"{T}.".encode() + BODY)
    with pytest.raises(SignatureWrongError):
        checked({"stripe-signature": f"t=0{T},v1={signed}"})


def test_without_a_secret_nothing_is_believed() -> None:
    with pytest.raises(SecretMissingError):
        stripe.verify(BODY, stripe_headers(BODY, ""), ("",), NOW)


@pytest.mark.parametrize("changes", [{"id": None}, {"type": 1}, {"id": "a b"}])
def test_what_is_signed_and_no_event_is_refused_too(changes: dict[str, object]) -> None:
    body = raw(stripe_event(**changes))
    with pytest.raises(EventUnreadableError):
        checked(stripe_headers(body), body)
