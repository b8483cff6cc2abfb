"""/transfers keeps what Stripe publishes of keys, forms, cursors, reversals and errors."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.fakes.sandbox import RunningSandbox
from tests.workers.sandbox.asking import paid as paid_out, post as post_payout

DESTINATION = "acct_00000000000001"
Form = dict[str, str | int]


def form(**changes: str | int | None) -> Form:
    whole = {"amount": 1000, "currency": "inr", "destination": DESTINATION, **changes}
    return {name: value for name, value in whole.items() if value is not None}


def post(bank: RunningSandbox, asked: Form | None = None, key: str | None = None) -> httpx.Response:
    headers = {"Idempotency-Key": key or uuid4().hex}
    return bank.as_stripe.request("POST", "transfers", data=asked or form(), headers=headers)


def paid(bank: RunningSandbox, **changes: str | int | None) -> dict[str, Any]:
    found: dict[str, Any] = post(bank, form(**changes)).raise_for_status().json()
    return found


def error(response: httpx.Response, status: int = 400) -> dict[str, Any]:
    assert response.status_code == status
    found: dict[str, Any] = response.json()["error"]
    assert {"type", "message"} <= set(found) <= {"type", "message", "code", "param"}
    return found


def test_a_transfer_is_answered_with_its_object(bank: RunningSandbox) -> None:
    made = paid(bank, transfer_group="g1", description="May", **{"metadata[reference]": "r1"})
    assert made["id"].startswith("tr_")
    assert (made["object"], made["amount"], made["currency"]) == ("transfer", 1000, "inr")
    assert (made["destination"], made["transfer_group"]) == (DESTINATION, "g1")
    assert (made["reversed"], made["amount_reversed"]) == (False, 0)
    assert made["metadata"] == {"reference": "r1"}
    assert paid(bank, currency="usd")["currency"] == "usd"


def test_the_same_key_and_form_answer_as_they_did_first(bank: RunningSandbox) -> None:
    """A reversal since then is not in the stored answer."""
    first = post(bank, form(), "key-1").json()
    bank.as_stripe.request("POST", f"transfers/{first['id']}/reversals").raise_for_status()
    assert post(bank, form(), "key-1").json() == first
    assert bank.summary()["transfers"] == 1


def test_the_same_key_with_another_form_is_an_idempotency_error(bank: RunningSandbox) -> None:
    post(bank, form(), "key-1")
    assert error(post(bank, form(amount=1001), "key-1"))["type"] == "idempotency_error"
    assert bank.summary()["transfers"] == 1


def test_a_500_is_stored_under_its_key_and_the_money_is_gone(bank: RunningSandbox) -> None:
    """F58: the danger of trusting a stored error is real."""
    bank.order("error")
    for _ in range(3):
        assert error(post(bank, form(), "key-1"), 500)["type"] == "api_error"
    assert bank.summary()["transfers"] == 1


def test_a_balance_that_is_too_low_is_stored_under_its_key(bank: RunningSandbox) -> None:
    bank.deposit(-bank.settings.balance_minor)
    assert error(post(bank, form(), "key-1"))["code"] == "balance_insufficient"
    bank.deposit(bank.settings.balance_minor)
    assert error(post(bank, form(), "key-1"))["code"] == "balance_insufficient"
    assert post(bank, form(), "key-2").is_success


def test_what_was_never_executed_is_not_stored(bank: RunningSandbox) -> None:
    for fault, status in (("error_before", 500), ("rate_limit", 429), ("unauthorised", 401)):
        bank.order(fault)
        error(post(bank, form(), f"key-{fault}"), status)
        assert post(bank, form(), f"key-{fault}").is_success
    error(post(bank, form(currency="xyz"), "key-1"))
    assert post(bank, form(), "key-1").is_success


def test_a_key_under_way_is_a_conflict(bank: RunningSandbox) -> None:
    bank.order("slow", seconds=1.0)
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: post(bank, form(), "key-1"), range(4)))
    refused = [error(each, 409) for each in answers if not each.is_success]
    assert len(refused) == 3
    assert {each["code"] for each in refused} == {"idempotency_key_in_use"}
    assert post(bank, form(), "key-1").is_success
    assert bank.summary()["transfers"] == 1


def test_a_key_is_forgotten_after_a_day(bank: RunningSandbox) -> None:
    first = post(bank, form(), "key-1").json()
    bank.advance(86_399)
    assert post(bank, form(), "key-1").json()["id"] == first["id"]
    bank.advance(2)
    assert post(bank, form(), "key-1").json()["id"] != first["id"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("amount", 0),
        ("amount", "1.5"),
        ("amount", "-1"),
        ("amount", None),
        ("amount", 10**12),
        ("currency", "INR"),
        ("currency", "kwd"),
        ("currency", None),
        ("transfer_group", ""),
        ("reference_id", "r1"),
    ],
)
def test_a_wrong_parameter_is_refused_by_name(
    bank: RunningSandbox, field: str, value: str | int | None
) -> None:
    refused = error(post(bank, form(**{field: value})))
    assert (refused["type"], refused["param"]) == ("invalid_request_error", field)
    assert bank.summary()["transfers"] == 0


def test_a_destination_that_is_no_account_is_refused(bank: RunningSandbox) -> None:
    for destination in ("fa_00000000000001", "ba_1", ""):
        assert error(post(bank, form(destination=destination)))["code"] == "account_invalid"


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff", b"amount=1&amount=2", b"a=1&b"])
def test_a_body_that_is_no_form_is_refused(bank: RunningSandbox, content: bytes) -> None:
    error(
        bank.as_stripe.request(
            "POST", "transfers", content=content, headers={"Idempotency-Key": "k"}
        )
    )
    assert bank.summary()["transfers"] == 0


def test_pages_follow_their_cursor_to_the_end_each_transfer_once(bank: RunningSandbox) -> None:
    made = [paid(bank, transfer_group=f"g{number % 2}")["id"] for number in range(25)]
    seen: list[str] = []
    more: dict[str, str] = {}
    while True:
        page = bank.as_stripe.request("GET", "transfers", params={"limit": 10, **more}).json()
        seen += [each["id"] for each in page["data"]]
        if not page["has_more"]:
            break
        more = {"starting_after": seen[-1]}
    assert seen == made[::-1]
    group = bank.as_stripe.request(
        "GET", "transfers", params={"transfer_group": "g1", "limit": 100}
    ).json()
    assert [each["id"] for each in group["data"]] == made[1::2][::-1]
    error(bank.as_stripe.request("GET", "transfers", params={"starting_after": "tr_never"}), 404)


def test_a_list_by_time_includes_both_ends(bank: RunningSandbox) -> None:
    first = paid(bank)
    bank.advance(5)
    last = paid(bank)
    window = {"created[gte]": first["created"], "created[lte]": last["created"]}
    assert len(bank.as_stripe.request("GET", "transfers", params=window).json()["data"]) == 2
    window["created[lte]"] -= 1
    [alone] = bank.as_stripe.request("GET", "transfers", params=window).json()["data"]
    assert alone["id"] == first["id"]


def test_parts_of_a_transfer_come_back_until_nothing_is_left(bank: RunningSandbox) -> None:
    made = paid(bank)
    before = bank.as_stripe.request("GET", "balance").json()["available"][0]["amount"]
    path = f"transfers/{made['id']}"
    part = bank.as_stripe.request("POST", f"{path}/reversals", data={"amount": 400}).json()
    assert (part["amount_reversed"], part["reversed"]) == (400, False)
    error(bank.as_stripe.request("POST", f"{path}/reversals", data={"amount": 601}))
    bank.as_stripe.request("POST", f"{path}/reversals").raise_for_status()
    whole = bank.as_stripe.request("GET", path).json()
    assert (whole["amount_reversed"], whole["reversed"]) == (1000, True)
    assert (
        bank.as_stripe.request("GET", "balance").json()["available"][0]["amount"] == before + 1000
    )
    error(bank.as_stripe.request("POST", f"{path}/reversals"))


def test_payouts_and_transfers_do_not_see_each_other(bank: RunningSandbox) -> None:
    payout, transfer = paid_out(bank), paid(bank)
    shown = bank.as_stripe.request("GET", "transfers").json()["data"]
    assert [each["id"] for each in shown] == [transfer["id"]]
    error(bank.as_stripe.request("GET", f"transfers/{payout['id']}"), 404)
    listed = bank.http.get("/v1/payouts", params={"account_number": bank.settings.account_number})
    assert [each["id"] for each in listed.json()["items"]] == [payout["id"]]
    assert post_payout(bank).is_success


def test_the_account_says_whose_key_it_is(bank: RunningSandbox) -> None:
    assert bank.as_stripe.request("GET", "account").json()["id"] == bank.settings.stripe_account


def test_a_stranger_is_refused_everywhere(bank: RunningSandbox) -> None:
    for method, path in [
        ("POST", "transfers"),
        ("GET", "transfers"),
        ("GET", "transfers/tr_1"),
        ("POST", "transfers/tr_1/reversals"),
        ("GET", "balance"),
        ("GET", "account"),
    ]:
        for token in ("Bearer wrong", "Basic sandbox", "Bearer", ""):
            error(bank.as_stripe.request(method, path, headers={"Authorization": token}), 401)
