"""Razorpay's and RazorpayX's webhooks: what is signed, and which deliveries are the same event."""

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from uuid import UUID

import pytest

from domain.inbox import VerifiedEvent, event_row_id
from domain.webhooks import razorpay
from domain.webhooks.providers import Provider
from domain.webhooks.refusals import (
    EventUnreadableError,
    SecretMissingError,
    SignatureMissingError,
    SignatureWrongError,
)
from tests.domain.webhooks.signing import (
    BEFORE,
    NOW,
    SECRET,
    hex_hmac,
    payout_event,
    raw,
    razorpay_headers,
)


def checked(
    body: bytes,
    headers: Mapping[str, str] | None = None,
    secrets: Sequence[str] = (SECRET, BEFORE),
    provider: Provider = Provider.RAZORPAYX,
) -> VerifiedEvent:
    signed = razorpay_headers(body) if headers is None else headers
    return razorpay.verify(provider, body, signed, secrets)


def test_a_signed_event_says_what_it_is() -> None:
    body = raw(payout_event())
    assert checked(body) == VerifiedEvent(
        provider="razorpayx",
        event_id="payout.processed:pout_00000000000001",
        type="payout.processed",
        entity="pout_00000000000001",
        occurred_at=NOW,
        body=body,
    )


def test_the_secret_before_holds_while_it_is_changed() -> None:
    """Invariant 32: deliveries from before a rotation are signed with the old secret."""
    body = raw(payout_event())
    assert checked(body, razorpay_headers(body, BEFORE)).body == body
    with pytest.raises(SignatureWrongError):
        checked(body, razorpay_headers(body, "the one before that"))


@pytest.mark.parametrize(
    "text",
    [
        '{ "event":"payout.failed",\t"payload" : {} }',
        '{"event":"payout.failed","note":"\\u00e9t\\u00e9","payload":{}}',
        '{"event":"payout.failed","note":"\u00e9t\u00e9 \U0001f4b8","payload":{}}',
        '{"payload":{},"event":"payout.failed","n":1.0,"m":1e2}\r\n',
    ],
    ids=["spaces", "escapes", "unicode", "order"],
)
def test_the_signature_is_over_the_bytes_as_they_came(text: str) -> None:
    """Invariant 32, F73: what a parser would write differently is signed as it was sent."""
    body = text.encode()
    assert checked(body).body == body
    again = json.dumps(json.loads(body)).encode()
    assert again != body
    with pytest.raises(SignatureWrongError):
        checked(again, razorpay_headers(body))


@pytest.mark.parametrize("headers", [{}, {"x-razorpay-signature": ""}], ids=["none", "empty"])
def test_without_a_signature_nothing_is_believed(headers: dict[str, str]) -> None:
    """Invariant 32."""
    with pytest.raises(SignatureMissingError):
        checked(raw(payout_event()), headers)


@pytest.mark.parametrize("secrets", [(), ("",)], ids=["none", "empty"])
def test_without_a_secret_nothing_is_believed(secrets: Sequence[str]) -> None:
    """F72: what is signed with the empty secret is signed by anybody."""
    body = raw(payout_event())
    with pytest.raises(SecretMissingError):
        checked(body, razorpay_headers(body, ""), secrets)


def test_an_empty_secret_beside_a_good_one_signs_nothing() -> None:
    """F72."""
    body = raw(payout_event())
    with pytest.raises(SignatureWrongError):
        checked(body, razorpay_headers(body, ""), (SECRET, ""))


@pytest.mark.parametrize(
    "body",
    [
        b"", b"[]", b"null", b"{", b"\xff\xfe", b"{}", b'{"event":7}', b'{"event":""}',
        b'{"event":"a b"}', b'{"event":"a\\u0000"}', b'{"event":"\\ud800"}',
        b'{"event":"' + b"a" * 200 + b'"}', b"[" * 100_000,
    ],
)  # fmt: skip
def test_what_is_signed_and_no_event_is_refused_too(body: bytes) -> None:
    with pytest.raises(EventUnreadableError):
        checked(body)


def test_the_id_is_made_from_what_is_signed() -> None:
    """F70: the header with the event's id stands outside the signature, so a replayer may change it."""
    body = raw(payout_event())
    other = {**razorpay_headers(body), "x-razorpay-event-id": "evt_2"}
    assert checked(body, other).event_id == checked(body).event_id


def test_the_most_specific_thing_names_the_event() -> None:
    def payload(*names: str) -> dict[str, object]:
        return {name: {"entity": {"id": f"{name}_1"}} for name in names}

    found = [
        checked(raw({"event": "x.processed", "payload": payload(*names)})).entity
        for names in (
            ("account", "order", "payment", "payout", "dispute", "refund"),
            ("payout", "dispute", "payment"),
            ("payment", "payout"),
            ("order", "payment"),
            ("account", "order"),
            ("account",),
            ("payout.downtime",),
        )
    ]
    assert found == ["refund_1", "dispute_1", "payout_1", "payment_1", "order_1", "account_1", None]


def test_of_events_that_come_again_none_is_swallowed() -> None:
    kinds = ("payout.updated", "payout.initiated", "payout.queued", "payout.pending")
    for kind in kinds:
        first = payout_event(kind, status="processing", utr=None)
        second = payout_event(kind, status="processing", utr="000000000001")
        ids = [checked(raw(event)).event_id for event in (first, second, second)]
        assert len(set(ids)) == 2
        assert ids[1] == ids[2]
        assert ids[0].startswith(f"{kind}:pout_00000000000001:")


def test_an_end_is_one_event_whatever_else_its_deliveries_say() -> None:
    for kind in ("payout.processed", "payout.failed", "payout.reversed", "payout.rejected"):
        ids = {checked(raw(payout_event(kind, utr=utr))).event_id for utr in (None, "1")}
        assert ids == {f"{kind}:pout_00000000000001"}


def test_what_has_no_id_is_told_apart_by_its_bytes() -> None:
    ids = {
        checked(raw({"event": "payout.downtime.started", "payload": {}, "created_at": at})).event_id
        for at in (1, 2, 2)
    }
    assert len(ids) == 2


@pytest.mark.parametrize("at", [None, "soon", True, -1, 2**40, 1.5])
def test_a_time_that_is_none_is_left_out(at: object) -> None:
    body = raw({**payout_event(), "created_at": at})
    assert checked(body).occurred_at is None


def test_an_old_event_is_as_valid_as_a_new_one() -> None:
    """F74: no time is signed, so it is the id that keeps a replay from counting twice."""
    old = payout_event() | {"created_at": int((NOW - timedelta(days=400)).timestamp())}
    assert checked(raw(old)).event_id == checked(raw(payout_event())).event_id


def test_the_same_id_of_two_providers_is_two_events() -> None:
    """Invariant 37."""
    body, here = raw(payout_event()), UUID(int=1)
    ours = checked(body)
    others = checked(body, provider=Provider.RAZORPAY)
    assert ours.event_id == others.event_id
    assert len({event_row_id(here, e.provider, e.event_id) for e in (ours, others)}) == 2


def test_upper_case_hex_is_no_signature_of_theirs() -> None:
    body = raw(payout_event())
    with pytest.raises(SignatureWrongError):
        checked(body, {"x-razorpay-signature": hex_hmac(body).upper()})
