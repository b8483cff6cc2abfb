"""One reply, one class, as RazorpayX words it: by status and shape, never by what a text says."""

import json
from datetime import UTC, datetime

import httpx
import pytest
from hypothesis import given, strategies as st

from domain.answers import Accepted, NotSent, Rejected, Unknown
from domain.ports import FrozenRequest
from workers.gateways.classify import classify_failure, classify_reply
from workers.gateways.http import Reply
from workers.gateways.razorpayx_replies import DIALECT, KEY_HEADER

NOW = datetime(2026, 4, 1, 12, 0, 0, tzinfo=UTC)
REQUEST = FrozenRequest(
    key="k" * 32,
    body="{}",
    reference="r1",
    amount_minor=100,
    currency="INR",
    fund_account_id="fa_1",
)
ERROR = {"error": {"code": "BAD_REQUEST_ERROR", "description": "no", "field": None}}
PAYOUT = {
    "id": "pout_1",
    "amount": 100,
    "currency": "INR",
    "reference_id": "r1",
    "fund_account_id": "fa_1",
    "status": "processing",
    "created_at": 1_700_000_000,
}


def reply(
    status: int,
    document: object = ERROR,
    *,
    content_type: str = "application/json",
    retry_after: str | None = None,
) -> Reply:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return Reply(status=status, content_type=content_type, retry_after=retry_after, body=body)


@pytest.mark.parametrize("status", [200, 201, 202])
def test_a_payout_that_is_what_was_asked_is_accepted(status: int) -> None:
    assert isinstance(classify_reply(DIALECT, REQUEST, reply(status, PAYOUT), NOW), Accepted)


@pytest.mark.parametrize("status", [400, 422])
def test_a_complete_refusal_is_a_rejection(status: int) -> None:
    """Invariant 8."""
    answer = classify_reply(DIALECT, REQUEST, reply(status), NOW)
    assert answer == Rejected(code="BAD_REQUEST_ERROR", reason="no")


@pytest.mark.parametrize("status", [401, 403])
def test_a_refusal_of_us_is_not_sent_whatever_its_body(status: int) -> None:
    for body in (ERROR, b"<html>"):
        answer = classify_reply(DIALECT, REQUEST, reply(status, body), NOW)
        assert isinstance(answer, NotSent)
        assert answer.brake


@pytest.mark.parametrize(
    "status", [100, 301, 302, 304, 402, 404, 405, 408, 409, 410, 413, 425, 429, 500, 502, 503, 504]
)
def test_every_other_status_is_unknown_even_with_a_vendor_error(status: int) -> None:
    """Invariant 7, F57."""
    answer = classify_reply(DIALECT, REQUEST, reply(status), NOW)
    assert isinstance(answer, Unknown)
    assert not answer.suspect


@pytest.mark.parametrize(
    "bad",
    [
        reply(200, b""),
        reply(200, b"<html>ok</html>", content_type="text/html"),
        reply(200, PAYOUT, content_type="text/html"),
        reply(200, PAYOUT, content_type=""),
        reply(200, json.dumps(PAYOUT).encode()[:-1]),
        reply(200, b"\xff\xfe"),
        reply(200, b"[" * 100_000),
        reply(200, ERROR),
        reply(200, [PAYOUT]),
        reply(200, {**PAYOUT, "id": None}),
        reply(204, b""),
        reply(400, b"not json"),
        reply(400, {"error": "no"}),
        reply(400, {"error": {"description": "no"}}),
        reply(422, b"<html>", content_type="text/html"),
    ],
)
def test_what_cannot_be_read_is_unknown(bad: Reply) -> None:
    """F61."""
    assert isinstance(classify_reply(DIALECT, REQUEST, bad, NOW), Unknown)


@given(text=st.text(), status=st.sampled_from([400, 401, 403, 422, 429, 500, 502]))
def test_the_words_never_change_the_class(text: str, status: int) -> None:
    """Invariant 8: a 429 whose prose says "invalid" is still unknown."""
    document = {"error": {**ERROR["error"], "description": text, "reason": text}}
    plain, worded = reply(status), reply(status, document)
    assert type(classify_reply(DIALECT, REQUEST, worded, NOW)) is type(
        classify_reply(DIALECT, REQUEST, plain, NOW)
    )


@pytest.mark.parametrize("garbled", ["no\x00", "no\ud800"])
def test_of_the_words_only_what_a_database_keeps_is_kept(garbled: str) -> None:
    """F61: such a refusal is one all the same."""
    document = {"error": {"code": garbled, "description": garbled, "field": None}}
    assert classify_reply(DIALECT, REQUEST, reply(400, document), NOW) == Rejected(
        code="no ", reason="no "
    )


def test_a_refusal_about_the_key_says_nothing_of_the_payment() -> None:
    """Invariant 9."""
    document = {"error": {**ERROR["error"], "field": KEY_HEADER}}
    answer = classify_reply(DIALECT, REQUEST, reply(400, document), NOW)
    assert isinstance(answer, Unknown)
    assert answer.suspect


@pytest.mark.parametrize("field", ["amount", "currency", "reference_id", "fund_account_id"])
def test_another_payout_than_the_one_asked_for_is_suspect(field: str) -> None:
    """F62."""
    other = 101 if field == "amount" else "other"
    answer = classify_reply(DIALECT, REQUEST, reply(200, {**PAYOUT, field: other}), NOW)
    assert isinstance(answer, Unknown)
    assert answer.suspect


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2", 2.0),
        ("0", 0.0),
        ("-5", 0.0),
        ("1e9", 3600.0),
        ("nan", None),
        ("inf", None),
        ("soon", None),
        ("", None),
        (None, None),
        ("Wed, 01 Apr 2026 12:00:30 GMT", 30.0),
        ("Wed, 01 Apr 2026 11:00:00 GMT", 0.0),
    ],
)
def test_retry_after_is_read_by_seconds_or_by_date(text: str | None, seconds: float | None) -> None:
    """F59."""
    answer = classify_reply(DIALECT, REQUEST, reply(429, retry_after=text), NOW)
    assert isinstance(answer, Unknown)
    assert answer.retry_after_seconds == seconds


@pytest.mark.parametrize("kind", [httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout])
def test_what_failed_before_a_connection_never_left(kind: type[httpx.HTTPError]) -> None:
    answer = classify_failure(kind("x"))
    assert isinstance(answer, NotSent)
    assert not answer.brake


@pytest.mark.parametrize(
    "kind",
    [
        httpx.ReadError,
        httpx.ReadTimeout,
        httpx.WriteError,
        httpx.WriteTimeout,
        httpx.CloseError,
        httpx.RemoteProtocolError,
        httpx.LocalProtocolError,
        httpx.ProxyError,
        httpx.DecodingError,
        httpx.TransportError,
    ],
)
def test_every_other_failure_is_unknown(kind: type[httpx.HTTPError]) -> None:
    assert isinstance(classify_failure(kind("x")), Unknown)
