"""The RazorpayX client against the sandbox: reads, retries of reads, and what it logs."""

import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
import structlog

from domain.answers import (
    Accepted,
    Found,
    LookUpFailed,
    NotSent,
    ProviderPayout,
    Report,
    Unknown,
)
from domain.errors import UnreachableError
from domain.ports import FrozenRequest, PayoutOrder, Sought
from tests.fakes.sandbox import RunningSandbox, running
from workers.gateways.razorpayx import RazorpayX
from workers.sandbox.settings import SandboxSettings

SECRET = "a-secret-nobody-logs"  # noqa: S105  of a sandbox


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[RunningSandbox]:
    with running(SandboxSettings(storage=tmp_path / "bank.sqlite", key_secret=SECRET)) as bank:
        yield bank


@pytest.fixture
def client(sandbox: RunningSandbox) -> Iterator[RazorpayX]:
    with sandbox.client(timeout_seconds=3.0) as client:
        yield client


def request_for(client: RazorpayX, amount_minor: int = 1000) -> FrozenRequest:
    order = PayoutOrder(
        reference=str(uuid4()),
        amount_minor=amount_minor,
        currency="INR",
        fund_account_id="fa_00000000000001",
        mode="IMPS",
        purpose="payout",
        narration="Weekly payout",
    )
    return FrozenRequest(
        key=uuid4().hex,
        body=client.freeze(order),
        reference=order.reference,
        amount_minor=amount_minor,
        currency="INR",
        fund_account_id=order.fund_account_id,
    )


def pay(client: RazorpayX) -> Sought:
    answer = client.submit(request_for(client))
    assert isinstance(answer, Accepted)
    return Sought(
        reference=answer.payout.reference or "",
        provider_id=answer.payout.provider_id,
        created_at=answer.payout.created_at,
    )


def reads_left(sandbox: RunningSandbox) -> int:
    found = sandbox.http.post("/_sandbox/faults", json={}).json()
    return int(found["waiting"])


def shown(reports: dict[str, Report]) -> set[str]:
    return {report.provider_id for report in reports.values() if isinstance(report, ProviderPayout)}


@pytest.mark.parametrize("fault", ["error_before", "reset", "drop", "truncate"])
def test_a_read_that_fails_twice_is_tried_again(
    sandbox: RunningSandbox, client: RazorpayX, fault: str
) -> None:
    paid = pay(client)
    sandbox.order(fault, call="read", times=2)
    found = client.find(paid.reference)
    assert isinstance(found, Found)
    assert len(found.payouts) == 1


def test_a_read_that_keeps_failing_is_a_failed_look_up(
    sandbox: RunningSandbox, client: RazorpayX
) -> None:
    sandbox.order("error_before", call="read", times=3)
    assert client.find("r") == LookUpFailed(reason="http 500")


def test_a_send_is_never_tried_again_by_the_client(
    sandbox: RunningSandbox, client: RazorpayX
) -> None:
    """A second send under one claim would not be counted."""
    sandbox.order("reset", times=5)
    assert isinstance(client.submit(request_for(client)), Unknown)
    assert reads_left(sandbox) == 4


def test_a_throttled_read_is_not_repeated_and_says_when(
    sandbox: RunningSandbox, client: RazorpayX
) -> None:
    sandbox.order("rate_limit", call="read", times=5, retry_after="7")
    answer = client.check()
    assert isinstance(answer, LookUpFailed)
    assert answer.retry_after_seconds == 7.0
    assert reads_left(sandbox) == 4


def test_a_read_that_is_refused_asks_for_the_brake(
    sandbox: RunningSandbox, client: RazorpayX
) -> None:
    sandbox.order("forbidden", call="read")
    answer = client.find("r")
    assert isinstance(answer, LookUpFailed)
    assert answer.brake


@pytest.mark.parametrize("fault", ["garbage", "hang", "drip"])
def test_a_read_that_makes_no_sense_or_no_end_is_a_failed_look_up(
    sandbox: RunningSandbox, fault: str
) -> None:
    sandbox.order(fault, call="read", times=9)
    with sandbox.client(timeout_seconds=0.5) as client:
        began = time.monotonic()
        assert isinstance(client.find("r"), LookUpFailed)
        assert time.monotonic() - began < 20  # it would hang for a minute


def test_a_list_that_fails_midway_raises(sandbox: RunningSandbox, client: RazorpayX) -> None:
    paid = pay(client)
    sandbox.order("error_before", call="read", times=9)
    with pytest.raises(UnreachableError):
        list(client.payouts_between(paid.created_at, paid.created_at + timedelta(seconds=1)))


def test_a_page_of_payouts_takes_one_read(sandbox: RunningSandbox, client: RazorpayX) -> None:
    sought = []
    for _ in range(33):
        sought += [pay(client)]
        sandbox.advance(1)
    sandbox.order(None, call="read", times=100)
    seen = client.fetch(sought)
    assert set(seen) == {item.reference for item in sought}
    assert reads_left(sandbox) == 99


def test_windows_are_cut_where_a_page_is_full(sandbox: RunningSandbox, client: RazorpayX) -> None:
    sought = []
    for _ in range(4):
        sought += [pay(client) for _ in range(60)]
        sandbox.advance(3)
    wanted = sought[::24]
    sandbox.order(None, call="read", times=100)
    assert shown(client.fetch(wanted)) == {item.provider_id for item in wanted}
    assert reads_left(sandbox) > 100 - 2 * len(wanted) - 1


def test_a_full_second_is_read_page_by_page(sandbox: RunningSandbox, client: RazorpayX) -> None:
    """Not payout by payout: at hundreds a second there would be no time for it."""
    sought = [pay(client) for _ in range(250)]
    sandbox.order(None, call="read", times=100)
    assert shown(client.fetch(sought)) == {item.provider_id for item in sought}
    assert reads_left(sandbox) >= 100 - 3 * len({item.created_at for item in sought}) - 9


def test_a_bank_that_is_not_there_got_nothing(sandbox: RunningSandbox) -> None:
    with sandbox.client() as client:
        request = request_for(client)
    closed = RazorpayX(
        url="http://127.0.0.1:1/v1",
        key_id="id",
        key_secret=SECRET,
        account_number=sandbox.settings.account_number,
        timeout_seconds=1.0,
        connections_max=1,
    )
    with closed:
        assert isinstance(closed.submit(request), NotSent)
        assert isinstance(closed.check(), LookUpFailed)


def test_wrong_credentials_ask_for_the_brake(sandbox: RunningSandbox) -> None:
    stranger = RazorpayX(
        url=sandbox.url,
        key_id=sandbox.settings.key_id,
        key_secret="wrong",  # noqa: S106  on purpose
        account_number=sandbox.settings.account_number,
        timeout_seconds=3.0,
        connections_max=1,
    )
    with stranger:
        answer = stranger.submit(request_for(stranger))
        assert isinstance(answer, NotSent)
        assert answer.brake
    assert sandbox.summary()["transfers"] == 0


def test_logs_hold_no_secret_and_no_body(sandbox: RunningSandbox, client: RazorpayX) -> None:
    with structlog.testing.capture_logs() as logs:
        for fault in (None, "drop", "refuse", "unauthorised", "wrong_amount"):
            sandbox.order(fault)
            client.submit(request_for(client))
        sandbox.order("error_before", call="read", times=3)
        client.check()
    assert {entry["event"] for entry in logs} == {"gateway.answered", "gateway.read_failed"}
    for hidden in (SECRET, "fa_0000", "Weekly", sandbox.settings.account_number, "Basic"):
        assert hidden not in repr(logs)
