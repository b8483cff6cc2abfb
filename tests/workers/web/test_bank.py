"""The sandbox bank tells the web process, as a provider would: everything it tells is kept once."""

from pathlib import Path
from uuid import uuid4

from db.engine import Database
from tests.domain.webhooks.signing import SECRET
from tests.operating import query
from tests.waiting import eventually
from tests.workers.sandbox.asking import paid
from tests.workers.sandbox.listeners import telling
from tests.workers.web.webs import Web

RATES = "event_twice=0.25,event_forged=0.25,event_late=0.2,event_reordered=0.2"


def test_what_the_bank_tells_is_kept_once_and_what_a_forger_tells_never(
    here: Web, operator: Database, tmp_path: Path
) -> None:
    """F70, F72: late, twice, out of order, with forgeries beside it, over real HTTP."""
    url = f"http://127.0.0.1:{here.port}/webhooks/razorpayx"
    with telling(tmp_path, url, secret=SECRET, process_seconds=0.05) as bank:
        bank.http.post("/_sandbox/faults", json={"rates": RATES}).raise_for_status()
        made = {paid(bank)["id"] for _ in range(30)}

        def all_told() -> bool:
            bank.advance(1)
            [row] = query(operator, "SELECT count(*) AS n FROM inbox")
            return bool(row.n == 60)

        eventually(all_told)
        summary = bank.summary()

    found = query(operator, "SELECT type, entity FROM inbox")
    assert {(row.type, row.entity) for row in found} == {
        (kind, one) for kind in ("payout.initiated", "payout.processed") for one in made
    }
    assert set(summary["faults"]) == {part.partition("=")[0] for part in RATES.split(",")}
    assert summary["forgeries_believed"] == 0
    assert here.counted("refused") == summary["faults"]["event_forged"]
    assert here.counted("repeated") >= summary["faults"]["event_twice"]


def test_what_the_bank_tells_of_transfers_is_kept_once_and_no_forgery(
    here: Web, operator: Database, tmp_path: Path
) -> None:
    """The same over Stripe's protocol, which each telling signs anew."""
    url = f"http://127.0.0.1:{here.port}/webhooks/stripe"
    asked = {"amount": "1000", "currency": "inr", "destination": "acct_00000000000001"}
    with telling(tmp_path, "", secret=SECRET, stripe=url) as bank:
        bank.http.post("/_sandbox/faults", json={"rates": RATES}).raise_for_status()
        made = set()
        for _ in range(20):
            key = {"Idempotency-Key": uuid4().hex}
            answer = bank.as_stripe.post("/transfers", data=asked, headers=key)
            made.add(answer.raise_for_status().json()["id"])
        for one in sorted(made):
            bank.as_stripe.post(f"/transfers/{one}/reversals").raise_for_status()

        def all_told() -> bool:
            bank.advance(1)
            [row] = query(operator, "SELECT count(*) AS n FROM inbox")
            return bool(row.n == 40)

        eventually(all_told)
        summary = bank.summary()

    found = query(operator, "SELECT type, entity FROM inbox WHERE provider = 'stripe'")
    assert {(row.type, row.entity) for row in found} == {
        (kind, one) for kind in ("transfer.created", "transfer.reversed") for one in made
    }
    assert summary["forgeries_believed"] == 0
    assert here.counted("refused", "stripe") == summary["faults"]["event_forged"]
    assert here.counted("repeated", "stripe") >= summary["faults"]["event_twice"]
