"""POST /payouts keeps the published rules of keys, bodies and errors."""

import pytest

from tests.fakes.sandbox import RunningSandbox
from tests.workers.sandbox.asking import body, error, paid, post


def test_a_payout_is_answered_with_its_entity(bank: RunningSandbox) -> None:
    payout = paid(bank, reference_id="r1", notes={"batch": "7"})
    assert payout["id"].startswith("pout_")
    assert payout["entity"] == "payout"
    assert (payout["status"], payout["utr"]) == ("processing", None)
    assert (payout["amount"], payout["currency"], payout["reference_id"]) == (1000, "INR", "r1")
    assert payout["notes"] == {"batch": "7"}
    assert payout["status_details"] == {"description": None, "source": None, "reason": None}


def test_a_key_is_mandatory(bank: RunningSandbox) -> None:
    response = bank.http.post("/v1/payouts", json=body())
    assert error(response)["field"] == "X-Payout-Idempotency"
    assert bank.summary()["transfers"] == 0


@pytest.mark.parametrize("key", ["abc", "x" * 37, "key/1", "key.12"])
def test_a_key_that_breaks_the_rule_is_refused(bank: RunningSandbox, key: str) -> None:
    """F67."""
    assert error(post(bank, key=key))["field"] == "X-Payout-Idempotency"


def test_the_same_key_and_body_answer_with_the_latest_state(bank: RunningSandbox) -> None:
    asked = body()
    first = post(bank, asked, "key-1").json()
    bank.advance(61)
    again = post(bank, asked, "key-1").json()
    assert again["id"] == first["id"]
    assert (first["status"], again["status"]) == ("processing", "processed")
    assert again["utr"]
    summary = bank.summary()
    assert (summary["transfers"], summary["sends"], summary["keys_sent_again"]) == (1, 2, 1)


def test_the_same_key_with_another_body_is_refused_in_the_published_words(
    bank: RunningSandbox,
) -> None:
    asked = body()
    post(bank, asked, "key-1")
    refused = error(post(bank, asked | {"amount": 1001}, "key-1"))
    assert refused["code"] == "BAD_REQUEST_ERROR"
    assert refused["description"] == (
        "Different request body sent for the same Idempotency Header."
    )


def test_a_key_is_forgotten_after_its_window(bank: RunningSandbox) -> None:
    asked = body()
    first = post(bank, asked, "key-1").json()
    bank.advance(7 * 86_400 + 1)
    assert post(bank, asked, "key-1").json()["id"] != first["id"]
    summary = bank.summary()
    assert summary["transfers_per_reference_max"] == 2
    assert summary["references_with_more_than_one"] == 1
    assert summary["doubled"] == [asked["reference_id"]]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("account_number", "1"),
        ("account_number", None),
        ("fund_account_id", None),
        ("amount", 99),
        ("amount", "1000"),
        ("amount", 1000.5),
        ("amount", True),
        ("amount", 50_000_001),
        ("currency", "USD"),
        ("mode", "imps"),
        ("mode", None),
        ("purpose", None),
        ("reference_id", "x" * 41),
        ("narration", "x" * 31),
        ("narration", "a-b"),
        ("notes", {str(number): "" for number in range(16)}),
        ("notes", {"long": "x" * 257}),
    ],
)
def test_a_wrong_field_is_refused_by_name(bank: RunningSandbox, field: str, value: object) -> None:
    """Invariant 5."""
    refused = error(post(bank, body(**{field: value})))
    assert refused["field"] == field
    assert refused["reason"] == "input_validation_failed"
    assert bank.summary()["transfers"] == 0


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff", b"[" * 60_000])
def test_a_body_that_is_no_object_is_refused(bank: RunningSandbox, content: bytes) -> None:
    headers = {"X-Payout-Idempotency": "key-1"}
    error(bank.http.post("/v1/payouts", content=content, headers=headers))


def test_a_body_beyond_64_kb_is_refused(bank: RunningSandbox) -> None:
    headers = {"X-Payout-Idempotency": "key-1"}
    response = bank.http.post("/v1/payouts", content=b" " * 70_000, headers=headers)
    error(response, 413)


def test_a_stranger_is_refused_everywhere(bank: RunningSandbox) -> None:
    for method, path in [
        ("POST", "/v1/payouts"),
        ("GET", "/v1/payouts"),
        ("GET", "/v1/payouts/pout_1"),
        ("POST", "/v1/payouts/pout_1/cancel"),
        ("GET", "/v1/banking_balances"),
        ("GET", "/v1/transactions"),
        ("GET", "/_sandbox/summary"),
        ("POST", "/_sandbox/faults"),
    ]:
        for auth in [("rzp_test_sandbox", "wrong"), ("", "")]:
            error(bank.http.request(method, path, auth=auth), 401)
