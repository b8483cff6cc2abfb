"""What may go wrong with a webhook goes wrong when it is ordered, once, and is counted."""

import json
from pathlib import Path
from queue import Empty, SimpleQueue

import pytest

from domain.inbox import VerifiedEvent
from domain.webhooks import razorpay
from domain.webhooks.providers import Provider
from domain.webhooks.refusals import SignatureWrongError
from tests.fakes.sandbox import RunningSandbox
from tests.waiting import eventually
from tests.workers.sandbox.asking import paid
from tests.workers.sandbox.listeners import SECONDS_MAX, SECRET, listening, telling
from workers.sandbox.faults import Fault, Faults

Heard = SimpleQueue[tuple[bytes, dict[str, str]]]


def told(heard: Heard, count: int) -> list[str]:
    """The names of the next events."""
    return [json.loads(heard.get(timeout=SECONDS_MAX)[0])["event"] for _ in range(count)]


def faults(bank: RunningSandbox) -> dict[str, int]:
    found: dict[str, int] = bank.summary()["faults"]
    return found


def verified(body: bytes, headers: dict[str, str]) -> VerifiedEvent:
    return razorpay.verify(Provider.RAZORPAYX, body, headers, (SECRET,))


def test_a_late_event_is_told_late(tmp_path: Path) -> None:
    with listening() as (url, heard), telling(tmp_path, url) as bank:
        bank.order("event_late", seconds=3600)
        paid(bank)
        eventually(lambda: faults(bank) == {"event_late": 1})
        paid(bank)
        first = json.loads(heard.get(timeout=SECONDS_MAX)[0])
        assert heard.empty()
        bank.advance(3600)
        others = told(heard, 3)
    assert first["event"] == "payout.initiated"
    assert sorted(others) == ["payout.initiated", "payout.processed", "payout.processed"]


def test_an_event_may_be_told_twice(tmp_path: Path) -> None:
    """F70."""
    with listening() as (url, heard), telling(tmp_path, url) as bank:
        bank.order("event_twice")
        paid(bank)
        first, second = (heard.get(timeout=SECONDS_MAX) for _ in range(2))
        assert faults(bank) == {"event_twice": 1}
    assert first == second


def test_an_event_may_be_told_after_the_one_that_follows_it(tmp_path: Path) -> None:
    with listening() as (url, heard), telling(tmp_path, url) as bank:
        bank.order("event_reordered")
        paid(bank)
        eventually(lambda: faults(bank) == {"event_reordered": 1})
        bank.advance(60)
        assert told(heard, 1) == ["payout.processed"]
        bank.advance(4)
        assert told(heard, 1) == ["payout.initiated"]


def test_what_nothing_follows_is_told_as_it_comes(tmp_path: Path) -> None:
    with listening() as (url, heard), telling(tmp_path, url) as bank:
        paid(bank)
        assert told(heard, 1) == ["payout.initiated"]
        bank.order("event_reordered")
        bank.advance(61)
        assert told(heard, 1) == ["payout.processed"]
        assert faults(bank) == {}


def test_a_forger_tells_the_opposite_under_a_secret_of_his_own(tmp_path: Path) -> None:
    """F72: whoever believes him is counted."""
    with listening(400) as (url, heard), telling(tmp_path, url) as bank:
        bank.order("event_forged")
        paid(bank)
        forged, true = (heard.get(timeout=SECONDS_MAX) for _ in range(2))
        assert bank.summary()["forgeries_believed"] == 0
        bank.order("event_forged")
        paid(bank)
        eventually(lambda: bank.summary()["forgeries_believed"] == 1)
    assert json.loads(forged[0])["event"] == "payout.reversed"
    assert json.loads(forged[0])["payload"]["payout"]["entity"]["status"] == "reversed"
    with pytest.raises(SignatureWrongError):
        verified(*forged)
    assert verified(*true).type == "payout.initiated"


def test_a_mute_bank_tells_nothing_and_tells_nothing_later(tmp_path: Path) -> None:
    with listening() as (url, heard), telling(tmp_path, url) as bank:
        bank.http.post("/_sandbox/faults", json={"rates": "event_mute=1"}).raise_for_status()
        paid(bank)
        eventually(lambda: faults(bank) == {"event_mute": 1})
        bank.advance(7200)
        eventually(lambda: faults(bank) == {"event_mute": 2})
        with pytest.raises(Empty):
            heard.get(timeout=0.3)


def test_rates_are_of_sends_and_of_events_apart() -> None:
    drawn = Faults.parse("drop=0.5,event_twice=0.5,event_forged=0.5")
    sends = {drawn.draw(1, f"k{n}", 1) for n in range(100)}
    events = {drawn.draw_event(1, n) for n in range(100)}
    assert sends == {Fault.DROP, None}
    assert events == {Fault.EVENT_TWICE, Fault.EVENT_FORGED}
    assert drawn.draw_event(1, 7) == drawn.draw_event(1, 7)


@pytest.mark.parametrize(
    "order", [{"fault": "drop", "call": "event"}, {"fault": "event_late", "call": "submit"}]
)
def test_an_order_that_fits_nothing_is_refused(bank: RunningSandbox, order: dict[str, str]) -> None:
    assert bank.http.post("/_sandbox/faults", json=order).status_code == 400
