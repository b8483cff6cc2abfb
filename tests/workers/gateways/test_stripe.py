"""The Stripe client against the sandbox: what goes over the wire, reads, and what it logs."""

import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
import stripe
import structlog
from stripe.params import TransferCreateParams

from domain.answers import (
    Accepted,
    Found,
    LookUpFailed,
    NotSent,
    ProviderPayout,
    ProviderStatus,
    Unknown,
)
from domain.errors import BadInputError, UnreachableError
from domain.ports import FrozenRequest, PayoutOrder, Sought
from domain.stripe import parameters
from tests.fakes.sandbox import RunningSandbox, running
from workers.gateways.http import Http, Reply
from workers.gateways.stripe import Stripe
from workers.gateways.stripe_calls import API_VERSION
from workers.sandbox.settings import SandboxSettings

SECRET = "sk_test_a_secret_nobody_logs"  # noqa: S105  of a sandbox


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[RunningSandbox]:
    with running(SandboxSettings(storage=tmp_path / "bank.sqlite", key_secret=SECRET)) as bank:
        yield bank


@pytest.fixture
def client(sandbox: RunningSandbox) -> Iterator[Stripe]:
    with sandbox.stripe(timeout_seconds=3.0) as client:
        yield client


def request_for(client: Stripe, amount_minor: int = 1000) -> FrozenRequest:
    order = PayoutOrder(
        reference=str(uuid4()),
        amount_minor=amount_minor,
        currency="INR",
        fund_account_id="acct_00000000000001",
        mode="IMPS",
        purpose="vendor bill",
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


def pay(client: Stripe) -> Sought:
    answer = client.submit(request_for(client))
    assert isinstance(answer, Accepted)
    return Sought(
        reference=answer.payout.reference or "",
        provider_id=answer.payout.provider_id,
        created_at=answer.payout.created_at,
    )


def seen(client: Stripe, sought: Sought) -> ProviderPayout:
    report = client.fetch([sought])[sought.reference]
    assert isinstance(report, ProviderPayout)
    return report


def reads_left(sandbox: RunningSandbox) -> int:
    return int(sandbox.http.post("/_sandbox/faults", json={}).json()["waiting"])


@pytest.mark.parametrize("path", ["", "/", "/v1", "/v1/"])
def test_a_send_is_one_form_under_our_own_key(monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    """Invariant 4: what is stored and what is sent are the same, in the same order, every time."""
    sent: list[tuple[str, str, dict[str, str], str | None]] = []

    def send(
        self: Http, method: str, url: str, headers: dict[str, str], body: str | None, until: float
    ) -> Reply:
        sent.append((method, url, headers, body))
        return Reply(status=500, content_type="", retry_after=None, body=b"")

    monkeypatch.setattr(Http, "send", send)
    with Stripe(
        url=f"https://api.stripe.com{path}",
        api_key=SECRET,
        account="acct_1",
        timeout_seconds=1.0,
        connections_max=1,
    ) as client:
        request = request_for(client)
        client.submit(request)
        client.submit(request)
    [(method, url, headers, body), again] = sent
    assert (again[0], again[1], again[3]) == (method, url, body)
    assert (method, url) == ("POST", "https://api.stripe.com/v1/transfers")
    assert body == (
        "amount=1000&currency=inr&description=Weekly+payout&destination=acct_00000000000001"
        f"&metadata[purpose]=vendor+bill&metadata[reference]={request.reference}"
        f"&transfer_group={request.reference}"
    )
    assert headers["Idempotency-Key"] == request.key
    assert headers["Authorization"] == f"Bearer {SECRET}"
    assert headers["Stripe-Version"] == API_VERSION
    assert not {"X-Stripe-Client-Telemetry", "Stripe-Account"} & headers.keys()


def test_every_parameter_of_a_send_is_one_that_the_library_knows(client: Stripe) -> None:
    """Its names are made from Stripe's own description of the API."""
    sent = parameters(request_for(client).body)
    assert sent.keys() <= TransferCreateParams.__annotations__.keys()


def test_a_send_is_never_tried_again_by_the_client(sandbox: RunningSandbox, client: Stripe) -> None:
    """A second send under one claim would not be counted; the library repeats by itself if let."""
    for fault in ("reset", "error_before"):
        sandbox.order(fault, times=5)
        assert isinstance(client.submit(request_for(client)), Unknown)
        assert reads_left(sandbox) == 4
        sandbox.http.delete("/_sandbox/faults")


def test_the_library_writes_nothing_into_the_home_folder(
    client: Stripe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    pay(client)
    assert not stripe.enable_telemetry
    assert not (tmp_path / "config").exists()


def test_a_reversed_transfer_is_seen_as_that(sandbox: RunningSandbox, client: Stripe) -> None:
    """Completed, then reversed: the same edge as with any provider."""
    sandbox.order("reverse")
    paid = pay(client)
    assert seen(client, paid).status is ProviderStatus.PAID
    sandbox.advance(10)
    assert seen(client, paid).status is ProviderStatus.REVERSED
    found = client.find(paid.reference)
    assert isinstance(found, Found)
    assert found.payouts[0].status is ProviderStatus.REVERSED


def test_a_partly_reversed_transfer_moves_nothing(sandbox: RunningSandbox, client: Stripe) -> None:
    """Invariant 29."""
    paid = pay(client)
    reversals = f"transfers/{paid.provider_id}/reversals"
    sandbox.as_stripe.post(reversals, data={"amount": 1}).raise_for_status()
    told = seen(client, paid)
    assert (told.status, told.raw_status) == (ProviderStatus.UNRECOGNISED, "partially_reversed")
    sandbox.as_stripe.post(reversals).raise_for_status()
    assert seen(client, paid).status is ProviderStatus.REVERSED


def test_a_key_of_another_account_fails_the_check(sandbox: RunningSandbox) -> None:
    """Test and live keys look alike, and so do two platforms'."""
    with Stripe(
        url=f"http://127.0.0.1:{sandbox.port}",
        api_key=SECRET,
        account="acct_another",
        timeout_seconds=3.0,
        connections_max=1,
    ) as stranger:
        answer = stranger.check()
    assert isinstance(answer, LookUpFailed)
    assert "acct_another" in answer.reason
    assert sandbox.settings.stripe_account in answer.reason


@pytest.mark.parametrize("fault", ["error_before", "reset", "drop", "truncate"])
def test_a_read_that_fails_twice_is_tried_again(
    sandbox: RunningSandbox, client: Stripe, fault: str
) -> None:
    paid = pay(client)
    sandbox.order(fault, call="read", times=2)
    found = client.find(paid.reference)
    assert isinstance(found, Found)
    assert len(found.payouts) == 1


@pytest.mark.parametrize("fault", ["garbage", "hang", "drip"])
def test_a_read_that_makes_no_sense_or_no_end_is_a_failed_look_up(
    sandbox: RunningSandbox, fault: str
) -> None:
    sandbox.order(fault, call="read", times=9)
    with sandbox.stripe(timeout_seconds=0.5) as client:
        began = time.monotonic()
        assert isinstance(client.find("r"), LookUpFailed)
        assert time.monotonic() - began < 20  # it would hang for a minute


def test_a_page_that_does_not_say_where_it_ends_is_a_failed_look_up(
    client: Stripe, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Invariant 11: nothing found is only said by a list that was read to its end."""
    for page in (b'{"data":[]}', b'{"data":[],"has_more":true}', b'{"data":{},"has_more":false}',
                 b'{"data":[{"id":"tr_1"}],"has_more":false}'):  # fmt: skip
        reply = Reply(status=200, content_type="application/json", retry_after=None, body=page)
        monkeypatch.setattr(Http, "send", lambda *_, reply=reply: reply)
        assert isinstance(client.find("r"), LookUpFailed)


def test_a_list_that_fails_midway_raises(sandbox: RunningSandbox, client: Stripe) -> None:
    paid = pay(client)
    sandbox.order("error_before", call="read", times=9)
    with pytest.raises(UnreachableError):
        list(client.payouts_between(paid.created_at, paid.created_at + timedelta(seconds=1)))


def test_a_full_second_is_read_page_by_page(sandbox: RunningSandbox, client: Stripe) -> None:
    sought = [pay(client) for _ in range(250)]
    sandbox.order(None, call="read", times=100)
    assert len(client.fetch(sought)) == 250
    assert reads_left(sandbox) >= 100 - 3 * len({item.created_at for item in sought}) - 9


def test_a_bank_that_is_not_there_got_nothing(client: Stripe) -> None:
    request = request_for(client)
    closed = Stripe(
        url="http://127.0.0.1:1",
        api_key=SECRET,
        account="acct_1",
        timeout_seconds=1.0,
        connections_max=1,
    )
    with closed:
        assert isinstance(closed.submit(request), NotSent)
        assert isinstance(closed.submit(request._replace(key="a b")), NotSent)
        assert isinstance(closed.check(), LookUpFailed)


def test_credentials_go_to_https_alone() -> None:
    with pytest.raises(BadInputError):
        Stripe(
            url="http://api.stripe.com",
            api_key=SECRET,
            account="acct_1",
            timeout_seconds=1.0,
            connections_max=1,
        )


def test_logs_hold_no_secret_and_no_body(sandbox: RunningSandbox, client: Stripe) -> None:
    with structlog.testing.capture_logs() as logs:
        for fault in (None, "drop", "refuse", "unauthorised", "wrong_amount"):
            sandbox.order(fault)
            client.submit(request_for(client))
        sandbox.order("error_before", call="read", times=3)
        client.check()
    assert {entry["event"] for entry in logs} == {"gateway.answered", "gateway.read_failed"}
    for hidden in (SECRET, "acct_0000", "Weekly", "Bearer"):
        assert hidden not in repr(logs)
