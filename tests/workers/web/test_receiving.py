"""Webhooks are kept once where they are signed, refused alike where they are not, and never lost."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from db import installation, receiving, switches, wakes
from db.engine import Database
from db.runs import Known
from db.tx import Tx
from db.work import ClaimOrder
from domain.inbox import APPLY
from domain.webhooks import razorpay
from domain.webhooks.providers import Provider
from jobs.shapes import Chore, Done, Queue
from tests.domain.webhooks.signing import (
    BEFORE,
    SECRET,
    flutterwave_event,
    hex_hmac,
    payout_event,
    raw,
    razorpay_headers,
    stripe_event,
    stripe_headers,
)
from tests.operating import change, query
from tests.waiting import eventually
from tests.workers.web.webs import Web, web
from workers.broker_depth import depths
from workers.web import webhooks

BODY = raw(payout_event())
KNOWN = [Known(job=APPLY, queue="money", version=1, width_max=2)]


def inbox(operator: Database) -> list[Any]:
    return query(operator, "SELECT * FROM inbox ORDER BY provider, event_id")


def waiting(operator: Database) -> list[Any]:
    return query(operator, "SELECT job, subject, due_at <= clock_timestamp() AS is_due FROM work")


def test_a_signed_event_is_kept_as_it_came_and_waits_for_its_job(
    here: Web, operator: Database
) -> None:
    answer = here.send(BODY)

    assert (answer.status_code, answer.json()) == (200, {"status": "received"})
    [row] = inbox(operator)
    assert (row.provider, row.event_id) == (
        "razorpayx",
        "payout.processed:pout_00000000000001",
    )
    assert (row.type, row.entity, row.state) == (
        "payout.processed",
        "pout_00000000000001",
        "RECEIVED",
    )
    assert bytes(row.body) == BODY
    [work] = waiting(operator)
    assert (work.job, work.subject, work.is_due) == (APPLY, row.id, True)
    assert here.counted("stored") == 1


def test_a_hundred_deliveries_are_one_event(here: Web, operator: Database) -> None:
    """F70: one after another and side by side, each answered 2xx."""
    first = [here.send(BODY).status_code for _ in range(20)]
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: here.send(BODY).status_code, range(80)))

    assert set(first + answers) == {200}
    assert len(inbox(operator)) == 1
    assert len(waiting(operator)) == 1
    assert (here.counted("stored"), here.counted("repeated")) == (1, 99)


def test_two_processes_that_hear_the_same_make_one_event(
    here: Web, operator: Database, database_url: str, redis_url: str
) -> None:
    """F70: events overlap, in one order here and in the other there."""
    bodies = [raw(payout_event(id=f"pout_{n}")) for n in range(60)]
    with web(database_url, redis_url) as other, ThreadPoolExecutor(16) as pool:
        answers = [
            *pool.map(lambda body: here.send(body).status_code, bodies),
            *pool.map(lambda body: other.send(body).status_code, reversed(bodies)),
        ]

    assert set(answers) == {200}
    assert len(inbox(operator)) == len(waiting(operator)) == 60


def test_an_event_that_was_applied_makes_no_work_again(here: Web, operator: Database) -> None:
    """F70: a replay of what is done is nothing to do."""
    here.send(BODY)
    change(operator, "DELETE FROM work")

    assert here.send(BODY).status_code == 200
    assert waiting(operator) == []


WRONG = {
    "no signature": (BODY, {}),
    "an empty one": (BODY, {"x-razorpay-signature": ""}),
    "another secret": (BODY, razorpay_headers(BODY, "another")),
    "the empty secret": (BODY, razorpay_headers(BODY, "")),
    "one flipped byte": (BODY.replace(b"1000", b"1001"), razorpay_headers(BODY)),
    "cut short": (BODY[:-1], razorpay_headers(BODY)),
    "written anew": (BODY.replace(b", ", b","), razorpay_headers(BODY)),
    "re-ordered": (raw(dict(reversed(payout_event().items()))), razorpay_headers(BODY)),
    "the id of another": (BODY, {"x-razorpay-event-id": "evt_1", "x-razorpay-signature": "00"}),
    "signed, no event": (b"{}", razorpay_headers(b"{}")),
    "signed, no JSON": (b"\x00", razorpay_headers(b"\x00")),
    "signed, nothing": (b"", razorpay_headers(b"")),
}


def test_whatever_is_wrong_the_answer_is_the_same_and_nothing_is_kept(
    here: Web, operator: Database
) -> None:
    """Invariant 32, F72: an attacker learns nothing, and uses up no event's id."""
    answers = {name: here.send(*wrong) for name, wrong in WRONG.items()}

    assert {name: a.status_code for name, a in answers.items()} == dict.fromkeys(WRONG, 400)
    assert {a.content for a in answers.values()} == {b'{"status":"not accepted"}'}
    assert len({frozenset(a.headers) for a in answers.values()}) == 1
    assert inbox(operator) == waiting(operator) == []
    assert here.counted("refused") == len(WRONG)


def test_the_secret_before_is_taken_too(here: Web, operator: Database) -> None:
    """Invariant 32."""
    assert here.send(BODY, razorpay_headers(BODY, BEFORE)).status_code == 200
    assert len(inbox(operator)) == 1


def test_odd_bytes_are_kept_as_they_were_signed(here: Web, operator: Database) -> None:
    """F73: spaces, escapes and an order of keys that no writer of ours would choose."""
    body = '{ "event" :"payout.failed",\r\n"n":1e2, "é":"\\u00e9\U0001f4b8","payload":{}}'.encode()

    assert here.send(body).status_code == 200
    [row] = inbox(operator)
    assert bytes(row.body) == body


def test_an_old_event_counts_once_and_an_old_signature_not_at_all(
    here: Web, operator: Database
) -> None:
    """F74: Razorpay signs no time, so a replay is known by its id; Stripe's is refused by its age."""
    old = datetime.now(UTC) - timedelta(seconds=400)
    stripes = raw(stripe_event())
    assert here.send(stripes, stripe_headers(stripes, at=old), "stripe").status_code == 400
    assert [here.send(BODY).status_code for _ in range(2)] == [200, 200]

    assert [row.provider for row in inbox(operator)] == ["razorpayx"]


def test_each_provider_is_checked_its_own_way_and_has_its_own_ids(
    here: Web, operator: Database
) -> None:
    """Invariant 37."""
    stripes, waves = raw(stripe_event()), raw(flutterwave_event())
    answers = [
        here.send(BODY, provider="razorpayx"),
        here.send(BODY, provider="razorpay"),
        here.send(stripes, stripe_headers(stripes, at=datetime.now(UTC)), "stripe"),
        here.send(waves, {"verif-hash": SECRET}, "flutterwave"),
    ]
    assert [a.status_code for a in answers] == [200] * 4
    found = inbox(operator)
    assert [row.provider for row in found] == ["flutterwave", "razorpay", "razorpayx", "stripe"]
    assert found[1].event_id == found[2].event_id
    assert len({row.id for row in found}) == 4
    assert here.send(stripes, provider="stripe").status_code == 400


def test_without_a_secret_a_provider_is_told_to_come_again(here: Web, operator: Database) -> None:
    """F72: never taken unchecked."""
    answer = here.send(BODY, provider="paypal")

    assert (answer.status_code, answer.json()) == (503, {"status": "try again"})
    assert inbox(operator) == []
    assert here.counted("unconfigured", "paypal") == 1


def test_a_stranger_is_not_known(here: Web) -> None:
    assert here.send(BODY, provider="adyen").status_code == 404
    assert here.send(BODY, provider="RazorpayX").status_code == 404
    assert here.http.get("/webhooks/razorpayx").status_code == 405
    assert "adyen" not in here.http.get("/metrics").text


def test_what_came_is_measured_and_never_shown(
    here: Web, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """Wherever logs go in this process: another test may have set them up."""
    secret_part = "beneficiary-account-4711"  # noqa: S105  what must not be logged
    body = raw(payout_event(narration=secret_part))
    here.send(body)
    here.send(body, razorpay_headers(body, "another"))

    text = here.http.get("/metrics").text
    assert 'bursar_webhooks_total{outcome="refused",provider="razorpayx"} 1.0' in text
    [age] = [x for x in text.splitlines() if x.startswith("bursar_newest_webhook_age_seconds ")]
    assert 0 <= float(age.split()[1]) < 60
    logged = capsys.readouterr().out + caplog.text
    assert "webhook.refused" in logged
    assert secret_part not in text + logged
    assert hex_hmac(body, "another") not in logged


def test_a_crash_after_the_insert_loses_nothing(
    database_url: str, redis_url: str, operator: Database
) -> None:
    """F76: the event and its work are one commit, and whoever sweeps next finds them."""
    with web(database_url, "redis://127.0.0.1:1/0") as here:  # no bell is heard
        assert here.send(BODY).status_code == 200
    with operator.begin() as tx:
        tx.run(sa.text("DELETE FROM runs"))  # it died before it woke anybody
        made = wakes.wake(tx, KNOWN)

    assert len(made) == 1
    assert [row.is_due for row in waiting(operator)] == [True]


def test_a_crash_before_the_commit_leaves_nothing_and_the_next_delivery_counts(
    here: Web, operator: Database
) -> None:
    """F76: what was not answered is sent again."""
    event = razorpay.verify(Provider.RAZORPAYX, BODY, razorpay_headers(BODY), (SECRET,))
    with suppress(KeyboardInterrupt), operator.begin() as tx:
        here_id = installation.get(tx).id
        assert receiving.keep(tx, here_id, [event]) == {("razorpayx", event.event_id)}
        raise KeyboardInterrupt
    assert inbox(operator) == waiting(operator) == []

    assert here.send(BODY).status_code == 200
    assert len(inbox(operator)) == len(waiting(operator)) == 1


class Apply(Chore):
    """Whatever applies events: here it is only rung for."""

    name = APPLY
    queue = Queue.MONEY

    def work(self, tx: Tx, order: ClaimOrder) -> Done:
        raise AssertionError("nobody runs it here")


def test_what_is_kept_is_rung_for_and_a_replay_is_not(
    database_url: str, redis_url: str, operator: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F78: one run waits and one wake-up, however many events came."""
    monkeypatch.setattr(webhooks, "build", lambda _ports: {APPLY: Apply()})
    with web(database_url, redis_url) as here:
        for number in range(20):
            assert here.send(raw(payout_event(id=f"pout_{number}"))).status_code == 200
        eventually(lambda: depths(redis_url).get("money") == 1)
        assert here.send(raw(payout_event(id="pout_0"))).status_code == 200

    assert [row.job for row in query(operator, "SELECT job FROM runs")] == [APPLY]
    assert depths(redis_url)["money"] == 1


def test_maintenance_holds_back_what_follows_from_an_event_and_not_the_event(
    here: Web, operator: Database
) -> None:
    """F98."""
    with operator.begin() as tx:
        switches.turn(tx, "maintenance", on=True, who="meera", why="new disks")
    assert here.send(BODY).status_code == 200
    assert len(inbox(operator)) == 1
    with operator.begin() as tx:
        assert wakes.wake(tx, KNOWN) == []


def test_a_burst_is_answered_and_kept_whole(here: Web, operator: Database) -> None:
    """F78: many at once."""
    bodies = [raw(payout_event(id=f"pout_{n}")) for n in range(400)]
    with ThreadPoolExecutor(64) as pool:
        answers = list(pool.map(lambda body: here.send(body).status_code, bodies))

    assert set(answers) == {200}
    assert len(inbox(operator)) == len(waiting(operator)) == 400
