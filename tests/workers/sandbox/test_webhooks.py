"""Events are signed over the raw body and told until somebody listens."""

import hashlib
import hmac
import json
from pathlib import Path

from tests.waiting import eventually
from tests.workers.sandbox.asking import paid
from tests.workers.sandbox.listeners import SECONDS_MAX, SECRET, listening, telling
from workers.chaos.bank import Bank, Telling
from workers.servers import SandboxPlan


def test_each_change_is_told_signed_over_the_raw_body(tmp_path: Path) -> None:
    """Invariant 32."""
    with listening() as (url, heard), telling(tmp_path, url) as bank:
        payout = paid(bank)
        told = [heard.get(timeout=SECONDS_MAX)]
        bank.advance(61)
        told.append(heard.get(timeout=SECONDS_MAX))
    events = [json.loads(raw) for raw, _ in told]
    assert [event["event"] for event in events] == ["payout.initiated", "payout.processed"]
    entities = [event["payload"]["payout"]["entity"] for event in events]
    assert [entity["id"] for entity in entities] == [payout["id"]] * 2
    assert [entity["status"] for entity in entities] == ["processing", "processed"]
    for raw, headers in told:
        signed = hmac.new(SECRET.encode(), raw, hashlib.sha256).hexdigest()
        assert headers["x-razorpay-signature"] == signed
    assert len({headers["x-razorpay-event-id"] for _, headers in told}) == 2


def test_an_event_nobody_took_is_told_again_with_the_same_id(tmp_path: Path) -> None:
    with listening(500) as (url, heard), telling(tmp_path, url) as bank:
        paid(bank)
        first, again = (heard.get(timeout=SECONDS_MAX) for _ in range(2))
    assert first[0] == again[0]
    assert first[1]["x-razorpay-event-id"] == again[1]["x-razorpay-event-id"]


def test_its_book_has_what_it_told_and_how_often_that_was_taken_but_no_forgery(
    tmp_path: Path,
) -> None:
    """By the bytes: so a storm sees what was believed, and what was acknowledged and lost."""
    with listening(400, 503, 200) as (url, heard), telling(tmp_path, url) as bank:
        bank.order("event_forged")
        paid(bank)
        _, refused, taken = (heard.get(timeout=SECONDS_MAX)[0] for _ in range(3))
        plan = SandboxPlan.make(bank.port)
        book = Bank(plan, tmp_path / "bank.sqlite")
        eventually(lambda: [one.heard for one in book.told()] == [1])
    assert refused == taken
    digest = hashlib.sha256(taken).hexdigest()
    assert book.told() == [Telling(digest=digest, sends=2, heard=1)]
