"""PayPal's webhooks: a certificate from nowhere but where PayPal publishes them, and what it signed."""

from collections.abc import Mapping
from datetime import timedelta

import pytest

from domain.errors import UnreachableError
from domain.inbox import VerifiedEvent
from domain.webhooks import paypal
from domain.webhooks.refusals import (
    EventUnreadableError,
    SecretMissingError,
    SignatureMissingError,
    SignatureWrongError,
    WebhookRefusedError,
)
from tests.domain.webhooks.signing import CERTIFICATE_URL, NOW, WEBHOOK, PayPal, paypal_event, raw
from workers.web.certificates import FETCHES_MAX, PayPalCertificates, fetch_certificate

BODY = raw(paypal_event())


@pytest.fixture(scope="module")
def sender() -> PayPal:
    """PayPal, with a certificate of its own."""
    return PayPal()


def checked(
    sender: PayPal,
    headers: Mapping[str, str] | None = None,
    body: bytes = BODY,
    webhooks: tuple[str, ...] = (WEBHOOK,),
) -> VerifiedEvent:
    certificates = PayPalCertificates(sender.fetch)
    signed = sender.headers(body) if headers is None else headers
    return paypal.verify(certificates, body, signed, webhooks, NOW)


def test_a_signed_event_says_what_it_is(sender: PayPal) -> None:
    assert checked(sender) == VerifiedEvent(
        provider="paypal",
        event_id="WH-2WR32451HC0233532-67976317FL4543714",
        type="PAYMENT.PAYOUTS-ITEM.SUCCEEDED",
        entity="8AELMXH8UB2P8",
        occurred_at=NOW + timedelta(milliseconds=123),
        body=BODY,
    )


def test_a_webhook_of_somebody_elses_is_not_ours(sender: PayPal) -> None:
    """F72: anybody may have webhooks at PayPal, signed by the same certificate."""
    with pytest.raises(SignatureWrongError):
        checked(sender, sender.headers(BODY, "a webhook of another account"))
    assert checked(sender, webhooks=("the next one", WEBHOOK)).body == BODY


def test_another_body_is_refused(sender: PayPal) -> None:
    with pytest.raises(SignatureWrongError):
        checked(sender, sender.headers(BODY), BODY.replace(b"SUCCEEDED", b"FAILED"))


@pytest.mark.parametrize(
    "url",
    [
        "http://api.paypal.com/v1/notifications/certs/CERT",
        "https://paypal.com.evil.example/CERT",
        "https://evilpaypal.com/CERT",
        "https://evil.example/api.paypal.com/CERT",
        "https://api.paypal.com@evil.example/CERT",
        "https://evil.example\\.paypal.com/CERT",
        "https://api.paypal.com:8443/CERT",
        "https://api.paypal.com/CERT",
        "https://api.paypal.com/v1/notifications/certs/",
        "https://api.paypal.com/v1/notifications/certs/..",
        "https://api.paypal.com/v1/notifications/certs/../../../CERT",
        "https://api.paypal.com/v1/notifications/certs/CERT/CERT",
        "https://www.paypal.com/v1/notifications/certs/CERT",
        "https://any.api.paypal.com/v1/notifications/certs/CERT",
        "https://api.paypal.com/v1/notifications/certs/CERT?next=https://evil.example",
        "https://api.paypal.com/CERT?next=https://evil.example",
        "https://api.paypal.com/CERT#x",
        "https://api.paypal.com",
        "https://API.paypal.com/CERT",
        "https://127.0.0.1/CERT",
        "file:///etc/passwd",
        "",
    ],
)
def test_no_certificate_is_fetched_from_anywhere_else(sender: PayPal, url: str) -> None:
    asked = len(sender.fetched)
    with pytest.raises(WebhookRefusedError):
        checked(sender, {**sender.headers(BODY), "paypal-cert-url": url})
    assert len(sender.fetched) == asked


@pytest.mark.parametrize(
    "name",
    ["transmission-id", "transmission-time", "transmission-sig", "cert-url", "auth-algo"],
)
def test_each_header_is_needed(sender: PayPal, name: str) -> None:
    """Invariant 32."""
    headers = sender.headers(BODY)
    del headers[f"paypal-{name}"]
    with pytest.raises(SignatureMissingError):
        checked(sender, headers)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("transmission-sig", "not base64!"),
        ("transmission-sig", "AAAA"),
        ("transmission-id", "another"),
        ("transmission-time", "2026-01-05T06:00:01Z"),
        ("auth-algo", "SHA1withRSA"),
    ],
)
def test_each_header_counts(sender: PayPal, name: str, text: str) -> None:
    with pytest.raises(WebhookRefusedError):
        checked(sender, {**sender.headers(BODY), f"paypal-{name}": text})


def test_without_a_webhook_of_ours_nothing_is_believed(sender: PayPal) -> None:
    with pytest.raises(SecretMissingError):
        checked(sender, webhooks=())


def test_a_certificate_that_is_no_longer_valid_signs_nothing() -> None:
    with pytest.raises(SignatureWrongError):
        checked(PayPal(valid_from=NOW - timedelta(days=91)))
    with pytest.raises(SignatureWrongError):
        checked(PayPal(valid_from=NOW + timedelta(seconds=1)))


def test_what_is_no_certificate_signs_nothing(sender: PayPal) -> None:
    certificates = PayPalCertificates(lambda _url: b"<html>")
    with pytest.raises(SignatureWrongError):
        paypal.verify(certificates, BODY, sender.headers(BODY), (WEBHOOK,), NOW)


def test_what_is_signed_and_no_event_is_refused_too(sender: PayPal) -> None:
    with pytest.raises(EventUnreadableError):
        checked(sender, body=b"{}")


def test_a_good_certificate_is_fetched_once() -> None:
    sender = PayPal()
    certificates = PayPalCertificates(sender.fetch)
    for _ in range(50):
        paypal.verify(certificates, BODY, sender.headers(BODY), (WEBHOOK,), NOW)
    assert sender.fetched == [CERTIFICATE_URL]


def test_a_known_certificate_past_its_end_is_fetched_anew() -> None:
    """PayPal puts its next certificate where the last one stood; no restart is needed to see it."""
    before, after = PayPal(), PayPal(valid_from=NOW + timedelta(days=80))
    senders = [before, after]
    certificates = PayPalCertificates(lambda url: senders.pop(0).fetch(url))
    later = NOW + timedelta(days=100)
    paypal.verify(certificates, BODY, before.headers(BODY), (WEBHOOK,), NOW)
    for _ in range(3):
        found = paypal.verify(certificates, BODY, after.headers(BODY), (WEBHOOK,), later)
        assert found.body == BODY
    assert senders == []


def test_a_certificate_of_the_sandbox_is_taken_too(sender: PayPal) -> None:
    """Whoever tries Bursar out has PayPal's sandbox."""
    url = CERTIFICATE_URL.replace("api.", "api.sandbox.")
    assert checked(sender, {**sender.headers(BODY), "paypal-cert-url": url}).body == BODY


def test_nonsense_makes_us_ask_paypal_ten_times_a_minute_and_no_more() -> None:
    sender, forger = PayPal(), PayPal()
    certificates = PayPalCertificates(sender.fetch)
    paypal.verify(certificates, BODY, sender.headers(BODY), (WEBHOOK,), NOW)
    forged = forger.headers(BODY)
    for number in range(FETCHES_MAX - 1):
        url = f"https://api.paypal.com/v1/notifications/certs/CERT-{number}"
        with pytest.raises(SignatureWrongError):
            paypal.verify(certificates, BODY, {**forged, "paypal-cert-url": url}, (WEBHOOK,), NOW)
    with pytest.raises(UnreachableError):
        paypal.verify(certificates, BODY, {**forged, "paypal-cert-url": f"{url}0"}, (WEBHOOK,), NOW)
    assert paypal.verify(certificates, BODY, sender.headers(BODY), (WEBHOOK,), NOW).body == BODY
    assert len(sender.fetched) == FETCHES_MAX


def test_a_certificate_that_cannot_be_had_is_nobodys_refusal() -> None:
    with pytest.raises(UnreachableError):
        fetch_certificate("https://127.0.0.1:1/CERT")
