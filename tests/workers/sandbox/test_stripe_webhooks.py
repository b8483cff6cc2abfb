"""Transfers are told of as Stripe tells them: signed by the time they are told, and mishandled alike."""

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from queue import SimpleQueue
from typing import Any, NamedTuple
from uuid import uuid4

import pytest
import stripe

from domain.answers import ProviderPayout, ProviderStatus
from domain.stripe_events import read_event
from domain.webhooks import stripe as verifying
from domain.webhooks.refusals import SignatureWrongError
from tests.fakes.sandbox import RunningSandbox
from tests.waiting import eventually
from tests.workers.sandbox.asking import paid
from tests.workers.sandbox.listeners import SECONDS_MAX, SECRET, listening, telling

ASKED = {"amount": "1000", "currency": "inr", "destination": "acct_00000000000001"}


class Told(NamedTuple):
    """A bank, and the events it tells of its transfers."""

    bank: RunningSandbox
    heard: SimpleQueue[tuple[bytes, dict[str, str]]]

    def transfer(self, **more: str) -> dict[str, Any]:
        """Make a transfer."""
        headers = {"Idempotency-Key": uuid4().hex}
        made = self.bank.as_stripe.post("/transfers", data=ASKED | more, headers=headers)
        found: dict[str, Any] = made.raise_for_status().json()
        return found

    def reverse(self, transfer: str, **more: str) -> None:
        """Take it back."""
        asked = self.bank.as_stripe.post(f"/transfers/{transfer}/reversals", data=more)
        asked.raise_for_status()

    def next(self) -> tuple[bytes, dict[str, str]]:
        """The next event."""
        return self.heard.get(timeout=SECONDS_MAX)

    def said(self) -> ProviderPayout:
        """What the product reads in the next one, once it has checked it."""
        raw, headers = self.next()
        event = verifying.verify(raw, headers, [SECRET], datetime.now(UTC))
        told = read_event(event.type, json.loads(event.body))
        assert isinstance(told, ProviderPayout)
        return told


@pytest.fixture
def told(tmp_path: Path) -> Iterator[Told]:
    with ExitStack() as stack:
        url, heard = stack.enter_context(listening())
        yield Told(stack.enter_context(telling(tmp_path, "", stripe=url)), heard)


def test_a_transfer_is_told_of_when_it_is_made_and_as_it_comes_back(told: Told) -> None:
    made = told.transfer(transfer_group="week-7")
    assert (first := told.said()).status is ProviderStatus.PAID
    assert (first.provider_id, first.reference) == (made["id"], "week-7")
    assert (first.amount_minor, first.utr) == (1000, made["destination_payment"])
    told.reverse(made["id"], amount="400")
    part = told.said()
    assert (part.status, part.raw_status) == (ProviderStatus.UNRECOGNISED, "partially_reversed")
    told.reverse(made["id"])
    assert told.said().status is ProviderStatus.REVERSED


def test_what_reverses_by_itself_is_told_when_it_does(told: Told) -> None:
    told.bank.order("reverse")
    told.transfer()
    assert told.said().status is ProviderStatus.PAID
    assert told.heard.empty()
    told.bank.advance(70)
    assert told.said().status is ProviderStatus.REVERSED


def test_stripe_s_own_library_takes_it(told: Told) -> None:
    """An independent reader: the official library checks signature and form."""
    made = told.transfer()
    raw, headers = told.next()
    event = stripe.Webhook.construct_event(raw, headers["stripe-signature"], SECRET)
    assert (event.type, event.data.object["id"]) == ("transfer.created", made["id"])
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.Webhook.construct_event(raw, headers["stripe-signature"], "another")


def test_a_late_event_is_signed_when_it_is_told(told: Told) -> None:
    """Invariant 33: an old signature would be refused, so each telling has its own."""
    told.bank.order("event_late", seconds=3600)
    told.transfer()
    eventually(lambda: told.bank.summary()["faults"] == {"event_late": 1})
    assert told.heard.empty()
    told.bank.advance(3600)
    raw, headers = told.next()
    at = int(headers["stripe-signature"].partition(",")[0].removeprefix("t="))
    assert abs(at - time.time()) < 60
    verifying.verify(raw, headers, [SECRET], datetime.now(UTC))


def test_an_event_may_come_twice_under_one_id(told: Told) -> None:
    told.bank.order("event_twice")
    told.transfer()
    (first, _), (second, _) = told.next(), told.next()
    assert json.loads(first)["id"] == json.loads(second)["id"]
    assert first == second


def test_an_event_may_come_after_the_one_that_follows_it(told: Told) -> None:
    told.bank.order("reverse")
    told.bank.order("event_reordered")
    told.transfer()
    eventually(lambda: told.bank.summary()["faults"].get("event_reordered") == 1)
    told.bank.advance(65.1)  # past what follows, and not yet past what was put off after it
    assert json.loads(told.next()[0])["type"] == "transfer.reversed"
    told.bank.advance(4)
    assert json.loads(told.next()[0])["type"] == "transfer.created"


def test_a_forger_says_it_came_back_under_a_secret_of_his_own(told: Told) -> None:
    told.bank.order("event_forged")
    told.transfer()
    forged, true = told.next(), told.next()
    body = json.loads(forged[0])
    assert (body["type"], body["data"]["object"]["reversed"]) == ("transfer.reversed", True)
    with pytest.raises(SignatureWrongError):
        verifying.verify(*forged, [SECRET], datetime.now(UTC))
    assert verifying.verify(*true, [SECRET], datetime.now(UTC)).type == "transfer.created"
    eventually(lambda: told.bank.summary()["forgeries_believed"] == 1)


def test_a_bank_tells_each_listener_of_its_own_and_no_other(told: Told) -> None:
    paid(told.bank)
    first = told.transfer()
    assert told.said().provider_id == first["id"]
    told.bank.advance(3600)  # by now the payout's events were due
    last = told.transfer()
    assert told.said().provider_id == last["id"]
    assert told.heard.empty()
