"""One reply of Stripe, one class: by status, type and code, never by what a text says."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given, strategies as st

from domain.answers import Accepted, Answer, NotSent, Rejected, Unknown
from domain.ports import FrozenRequest
from workers.gateways.classify import classify_reply
from workers.gateways.http import Reply
from workers.gateways.stripe_replies import DIALECT

NOW = datetime(2026, 4, 1, 12, 0, 0, tzinfo=UTC)
REQUEST = FrozenRequest(
    key="k" * 32,
    body="{}",
    reference="r1",
    amount_minor=100,
    currency="USD",
    fund_account_id="acct_1",
)
TRANSFER = {
    "id": "tr_1",
    "object": "transfer",
    "amount": 100,
    "amount_reversed": 0,
    "created": 1_700_000_000,
    "currency": "usd",
    "destination": "acct_1",
    "reversed": False,
    "transfer_group": "r1",
}


def told(status: int, document: object, content_type: str = "application/json") -> Answer:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    reply = Reply(status=status, content_type=content_type, retry_after="2", body=body)
    return classify_reply(DIALECT, REQUEST, reply, NOW)


def error(kind: object = "invalid_request_error", code: object = None) -> dict[str, object]:
    return {"error": {"type": kind, "code": code, "message": "no", "param": None}}


def test_a_transfer_that_is_what_was_asked_is_accepted() -> None:
    assert isinstance(told(200, TRANSFER), Accepted)


@pytest.mark.parametrize("status", [400, 402])
@pytest.mark.parametrize("kind", ["invalid_request_error", "card_error"])
def test_a_complete_refusal_is_a_rejection(status: int, kind: str) -> None:
    """Invariant 8."""
    assert told(status, error(kind, "account_invalid")) == Rejected(
        code="account_invalid", reason="no"
    )
    assert told(status, error(kind)) == Rejected(code=kind, reason="no")


def test_an_empty_balance_refuses_one_payment_and_asks_for_the_brake() -> None:
    """It would refuse all that follow, each under a key of its own."""
    answer = told(400, error(code="balance_insufficient"))
    assert answer == Rejected(code="balance_insufficient", reason="no", brake=True)


@pytest.mark.parametrize("status", [400, 402])
def test_a_key_that_came_before_says_nothing_of_this_payment(status: int) -> None:
    """Invariant 9: a person must look."""
    answer = told(status, error("idempotency_error"))
    assert isinstance(answer, Unknown)
    assert answer.suspect


@pytest.mark.parametrize("code", ["rate_limit", "lock_timeout", "idempotency_key_in_use"])
@pytest.mark.parametrize("kind", ["invalid_request_error", "idempotency_error"])
def test_a_code_of_the_moment_is_unknown_under_any_status(kind: str, code: str) -> None:
    answer = told(400, error(kind, code))
    assert isinstance(answer, Unknown)
    assert not answer.suspect


@pytest.mark.parametrize("status", [401, 403])
def test_a_refusal_of_us_is_not_sent_whatever_its_body(status: int) -> None:
    for body in (error(), b"<html>"):
        answer = told(status, body)
        assert isinstance(answer, NotSent)
        assert answer.brake


@pytest.mark.parametrize("status", [301, 404, 408, 409, 422, 424, 425, 429, 500, 502, 503, 504])
def test_every_other_status_is_unknown_even_with_an_error_of_stripes(status: int) -> None:
    """Invariant 7, F57: a 500 is kept under its key, whatever became of the payment."""
    answer = told(status, error())
    assert isinstance(answer, Unknown)
    assert not answer.suspect
    assert answer.retry_after_seconds == (2.0 if status == 429 else None)


@pytest.mark.parametrize("kind", ["api_error", "something_new", "", None, 7, ["x"]])
def test_a_refusal_of_another_type_is_unknown(kind: object) -> None:
    assert isinstance(told(400, error(kind)), Unknown)


@pytest.mark.parametrize(
    "document",
    [b"", b"<html>", b"[" * 100_000, [TRANSFER], {"error": "no"}, {**TRANSFER, "id": None},
     {"object": "list", "data": [TRANSFER]}],
)  # fmt: skip
@pytest.mark.parametrize("status", [200, 400])
def test_what_cannot_be_read_is_unknown(status: int, document: object) -> None:
    """F61."""
    assert isinstance(told(status, document), Unknown)
    assert isinstance(told(200, TRANSFER, "text/html"), Unknown)


@given(text=st.text(), status=st.sampled_from([400, 401, 402, 403, 409, 429, 500]))
def test_the_words_never_change_the_class(text: str, status: int) -> None:
    """Invariant 8."""
    worded = {"error": {"type": "invalid_request_error", "message": text, "decline_code": text}}
    assert type(told(status, worded)) is type(told(status, error()))


@pytest.mark.parametrize(
    ("field", "value"),
    [("amount", 101), ("currency", "eur"), ("transfer_group", "r2"), ("transfer_group", None),
     ("destination", "acct_2")],
)  # fmt: skip
def test_another_transfer_than_the_one_asked_for_is_suspect(field: str, value: object) -> None:
    """F62, invariant 31."""
    answer = told(200, {**TRANSFER, field: value})
    assert isinstance(answer, Unknown)
    assert answer.suspect
