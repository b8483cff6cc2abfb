"""Events are signed over the raw body and told until somebody listens."""

import asyncio
import hashlib
import hmac
import json
from pathlib import Path

import httpx

from tests.waiting import eventually
from tests.workers.sandbox.asking import paid
from tests.workers.sandbox.listeners import SECONDS_MAX, SECRET, listening, telling
from workers.chaos.bank import Bank as Book, Telling
from workers.sandbox.bank import Bank
from workers.sandbox.faults import Faults
from workers.sandbox.requests import Ask
from workers.sandbox.service import Limiter, Service
from workers.sandbox.settings import SandboxSettings
from workers.sandbox.storage import Storage
from workers.sandbox.till import Till, Wanted
from workers.sandbox.webhooks import SET_MAX, tell_due
from workers.sandbox.wires import Wires
from workers.servers import SandboxPlan

ASK = Ask(
    amount=1_000,
    fund_account_id="fa_1",
    mode="IMPS",
    purpose="payout",
    reference=None,
    narration=None,
    notes="{}",
    may_queue=True,
)
WANTED = Wanted(amount=75_000, currency="INR", reference="r", key=None, body=b"{}")


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
        book = Book(plan, tmp_path / "bank.sqlite")
        eventually(lambda: [one.heard for one in book.told()] == [1])
    assert refused == taken
    digest = hashlib.sha256(taken).hexdigest()
    assert book.told() == [Telling(digest=digest, sends=2, heard=1)]


def test_what_a_customer_paid_is_told_before_payouts_that_wait(tmp_path: Path) -> None:
    """Elsewhere they are two providers', and neither waits for the other."""
    settings = SandboxSettings(
        storage=tmp_path / "bank.sqlite",
        webhook_url="http://bursar/payouts",
        razorpay_webhook_url="http://bursar/till",
        webhook_secret=SECRET,
    )
    storage = Storage(settings.storage, {"balance": settings.balance_minor})
    service = Service(
        settings=settings,
        bank=Bank(settings, storage),
        till=Till(settings, storage),
        limiter=Limiter(0),
        wires=Wires(),
        faults=Faults(),
    )
    for number in range(SET_MAX + 1):
        service.bank.pay(f"key {number}", b"{}", ASK, None)
    order = service.till.open("razorpay", "order_", WANTED)
    service.till.capture(order["id"])
    heard: list[str] = []

    def hear(request: httpx.Request) -> httpx.Response:
        heard.append(request.url.path)
        return httpx.Response(200)

    async def tell() -> int:
        async with httpx.AsyncClient(transport=httpx.MockTransport(hear)) as client:
            return await tell_due(service, client)

    assert asyncio.run(tell()) == len(heard) == SET_MAX
    assert "/till" in heard
    storage.close()
