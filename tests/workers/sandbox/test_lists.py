"""Reads: by id, by reference, by window of time, newest first."""

from pathlib import Path

import pytest

from tests.fakes.sandbox import RunningSandbox, running
from tests.workers.sandbox.asking import ACCOUNT, error, get, paid
from workers.sandbox.settings import SandboxSettings


def test_an_unknown_id_does_not_exist(bank: RunningSandbox) -> None:
    refused = error(bank.http.get("/v1/payouts/pout_never"))
    assert "does not exist" in refused["description"]


def test_a_list_needs_its_account(bank: RunningSandbox) -> None:
    assert error(bank.http.get("/v1/payouts"))["field"] == "account_number"
    assert error(bank.http.get("/v1/transactions"))["field"] == "account_number"


def test_a_list_is_newest_first_ten_at_a_time(bank: RunningSandbox) -> None:
    made = [paid(bank)["id"] for _ in range(12)][::-1]
    page = get(bank, "payouts")
    assert (page["entity"], page["count"]) == ("collection", 10)
    assert [item["id"] for item in page["items"]] == made[:10]
    rest = get(bank, "payouts", skip=10, count=100)["items"]
    assert [item["id"] for item in rest] == made[10:]


def test_a_window_includes_both_of_its_ends(bank: RunningSandbox) -> None:
    made = []
    for _ in range(3):
        made.append(paid(bank))
        bank.advance(10)
    first, last = made[0]["created_at"], made[2]["created_at"]

    def inside(low: int, high: int) -> list[str]:
        items = get(bank, "payouts", **{"from": low, "to": high})["items"]
        return [item["id"] for item in items][::-1]

    assert inside(first, last) == [payout["id"] for payout in made]
    assert inside(first + 1, last - 1) == [made[1]["id"]]
    assert inside(last + 1, last + 100) == []


def test_a_list_is_filtered(bank: RunningSandbox) -> None:
    wanted = paid(bank, reference_id="r1", mode="NEFT", fund_account_id="fa_1")
    paid(bank, reference_id="r2")
    for filters in (
        {"reference_id": "r1"},
        {"mode": "NEFT"},
        {"fund_account_id": "fa_1"},
        {"reference_id": "r1", "status": "processing"},
    ):
        assert [item["id"] for item in get(bank, "payouts", **filters)["items"]] == [wanted["id"]]
    assert get(bank, "payouts", status="processed")["items"] == []


@pytest.mark.parametrize(
    "params", [{"count": "101"}, {"count": "x"}, {"skip": "-1"}, {"from": "soon"}, {"to": "9" * 50}]
)
def test_a_senseless_filter_is_refused(bank: RunningSandbox, params: dict[str, str]) -> None:
    response = bank.http.get("/v1/payouts", params={"account_number": ACCOUNT} | params)
    assert error(response)["field"] == next(iter(params))


def test_a_search_by_reference_lags_and_nothing_else_does(tmp_path: Path) -> None:
    settings = SandboxSettings(storage=tmp_path / "bank.sqlite", index_lag_seconds=30.0)
    with running(settings) as bank:
        payout = paid(bank, reference_id="r1")
        assert get(bank, "payouts", reference_id="r1")["items"] == []
        assert len(get(bank, "payouts")["items"]) == 1
        assert get(bank, f"payouts/{payout['id']}")["reference_id"] == "r1"
        bank.advance(31)
        assert len(get(bank, "payouts", reference_id="r1")["items"]) == 1
