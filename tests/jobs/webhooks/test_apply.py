"""webhooks.apply through the real runner: what an event may change, and what it may not."""

import json

import pytest

from domain.answers import ProviderPayout, Unknown
from domain.inbox import APPLY
from domain.payouts import FOLLOW, PROCESS, RECOVER
from domain.razorpayx_payouts import read_payout
from tests.builders import (
    abandon,
    assert_sound,
    change,
    expire,
    hurry,
    payout,
    rows,
    seed,
)
from tests.hearing import about, came_of, event, raw, receive
from tests.jobs.webhooks.conftest import FREEING, Line
from workers.sandbox.faults import Fault


@pytest.mark.parametrize(
    ("word", "state", "earning"),
    [
        ("processing", "PROCESSING", ("BATCHED", True)),
        ("queued", "PROCESSING", ("BATCHED", True)),
        ("processed", "COMPLETED", ("PAID", True)),
        ("failed", "FAILED", ("READY", False)),
        ("rejected", "FAILED", ("READY", False)),
        ("cancelled", "CANCELLED", ("READY", False)),
        ("reversed", "REVERSED", ("READY", False)),
    ],
)
def test_each_word_leads_where_asking_would_have_led(
    line: Line, word: str, state: str, earning: tuple[str, bool]
) -> None:
    """The one completion rule, whoever heard it."""
    id_ = line.earned()
    [told] = line.hears(id_, word)
    found = payout(line.world.owner, id_)
    assert (found.state, found.e_status) == (state, word)
    assert came_of(line.world.owner, told).state == "APPLIED"
    links = rows(
        line.world.owner,
        "SELECT DISTINCT e.state, l.live FROM payout_earnings l JOIN earnings e ON e.id = l.earning",
    )
    assert [tuple(link) for link in links] == [earning]
    assert line.findings() == []
    assert_sound(line.world.owner)


@pytest.mark.parametrize(
    ("word", "is_paid"),
    [
        *((word, False) for word in FREEING),
        ("failed", True),
        ("rejected", True),
        ("reversed", True),
    ],
)
def test_a_word_alone_frees_no_money(line: Line, word: str, is_paid: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """Who knows the secret of webhooks may say what they like: the provider itself is asked, and says otherwise."""
    id_ = line.earned()
    if is_paid:
        line.hears(id_, "processed")
    before = payout(line.world.owner, id_), line.booked(id_)
    [told] = line.sends([event(line.told(id_), word)])
    line.world.run(APPLY)
    seen, found = came_of(line.world.owner, told), payout(line.world.owner, id_)
    assert (seen.state, seen.outcome) == ("APPLIED", f"it is {found.state}; the provider is asked")
    assert (found.state, line.booked(id_)) == (before[0].state, before[1])
    assert (found.w_job, found.w_wait <= 0) == (FOLLOW, True)

    line.world.run(FOLLOW)
    assert payout(line.world.owner, id_).state == ("COMPLETED" if is_paid else "PROCESSING")
    links = rows(line.world.owner, "SELECT DISTINCT live FROM payout_earnings")
    assert [link.live for link in links] == [True]
    assert_sound(line.world.owner)


def test_one_event_delivered_a_hundred_times_has_one_effect(line: Line) -> None:
    """F70, invariant 23: the same id is one row, other ids of the same news change nothing more."""
    [id_] = line.accepted()
    one = event(line.told(id_), "processed")
    line.sends([one] * 100)
    line.says(id_, *["processed"] * 9)
    run = line.world.run(APPLY)
    assert (run.tally["processed"], run.tally["succeeded"]) == (10, 10)
    assert line.entries(id_).count("payout.completed") == 1
    moves = rows(line.world.owner, "SELECT FROM moves WHERE target = 'COMPLETED'")
    assert len(moves) == 1
    assert_sound(line.world.owner)


def test_before_the_answer_to_its_own_send_it_fences_the_sender(line: Line) -> None:
    """F69: settled by webhook; what the worker comes back with is evidence and moves nothing."""
    world = line.world
    [id_] = seed(world.url, 1)
    with world.bank.held() as hold:
        sending = world.in_background(PROCESS)
        hold.wait_for(1)
        paid = _as_it_will_be(line)
        receive(world.owner, [event(paid, "processed")])
        world.run(APPLY)
        assert payout(world.owner, id_).state == "COMPLETED"
        hold.release()
        ended = sending.end()
    assert ended.tally["fenced"] == 1
    found = payout(world.owner, id_)
    assert (found.state, found.w_job, found.e_provider_id) == (
        "COMPLETED",
        FOLLOW,
        paid.provider_id,
    )
    kept = rows(world.owner, "SELECT FROM effect_answers WHERE NOT moved")
    assert len(kept) == 1
    assert_sound(world.owner)


def _as_it_will_be(line: Line) -> ProviderPayout:
    """The payment that the bank is about to make, read off the request it holds."""
    [effect] = rows(line.world.owner, "SELECT CAST(request AS text) AS request FROM effects")
    made = {"id": f"pout_{1:014d}", "status": "processed", "created_at": 1_767_225_600}
    found = read_payout(json.loads(effect.request) | made)
    assert found is not None
    return found


def test_a_word_that_ends_nothing_waits_for_the_holder(line: Line) -> None:
    """A worker that holds the payout is not fenced for news of no weight: the event comes again."""
    world = line.world
    seed(world.url, 1)
    [id_] = abandon(world)
    change(world.owner, "UPDATE work SET leased_until = clock_timestamp() + interval '1 hour'")
    token = payout(world.owner, id_).w_token
    [told] = line.hears(id_, "processing")
    waiting = came_of(world.owner, told)
    assert (waiting.state, waiting.waits_for, waiting.tries) == ("RECEIVED", APPLY, 0)
    assert payout(world.owner, id_).w_token == token
    expire(world.owner)
    hurry(world.owner)
    world.run(APPLY)
    assert came_of(world.owner, told).state == "APPLIED"
    assert payout(world.owner, id_).w_job == FOLLOW


@pytest.mark.parametrize("word", ["processing", "processed", "failed"])
def test_a_payout_whose_name_was_never_saved_is_found_by_our_reference(
    line: Line, word: str
) -> None:
    """Invariant 30: the reply was lost; the event names the payment for the first time."""
    world = line.world
    [id_] = seed(world.url, 1)
    world.bank.script(Fault.DROP)
    world.run(PROCESS)
    assert payout(world.owner, id_).e_provider_id is None
    line.hears(id_, word)
    found = payout(world.owner, id_)
    assert found.e_provider_id == line.told(id_).provider_id
    assert found.w_job == (None if word == "failed" else FOLLOW)
    assert_sound(world.owner)


def test_a_second_payment_under_our_reference_is_not_taken_for_ours(line: Line) -> None:
    """Invariant 30: by reference only where the payment has no name yet."""
    [id_] = line.accepted()
    [told] = line.sends([event(line.told(id_), "processed", id="pout_another")])
    line.world.run(APPLY)
    assert came_of(line.world.owner, told).state == "FAILED"
    found = payout(line.world.owner, id_)
    assert (found.state, found.w_parked is not None) == ("PROCESSING", True)
    assert line.findings() == ["event-failed", "payout-found-twice"]
    assert_sound(line.world.owner)


@pytest.mark.parametrize(
    "changed",
    [
        {"amount": 1},
        {"currency": "USD"},
        {"fund_account_id": "fa_other"},
        {"reference_id": "another"},
    ],
    ids=lambda changed: next(iter(changed)),
)
@pytest.mark.parametrize("word", ["processed", "failed"])
def test_what_differs_from_our_payout_is_not_applied(
    line: Line, word: str, changed: dict[str, object]
) -> None:
    """F75, invariant 31: the event has failed, the payout is parked, a person is told now."""
    [id_] = line.accepted()
    [told] = line.sends([event(line.told(id_), word, **changed)])
    line.world.run(APPLY)
    seen, found = came_of(line.world.owner, told), payout(line.world.owner, id_)
    assert (seen.state, found.state) == ("FAILED", "PROCESSING")
    assert seen.outcome == found.w_parked
    assert line.findings() == ["event-failed", "payout-answer-mismatch"]
    assert_sound(line.world.owner)


def test_what_differs_about_a_payout_that_has_ended_leaves_no_work_behind(line: Line) -> None:
    """Invariant 31, where nothing is left to park."""
    [id_] = line.accepted()
    line.hears(id_, "failed")
    [told] = line.sends([event(line.told(id_), "processed", amount=1)])
    line.world.run(APPLY)
    assert came_of(line.world.owner, told).state == "FAILED"
    assert payout(line.world.owner, id_).state == "FAILED"
    assert rows(line.world.owner, "SELECT FROM work") == []
    assert_sound(line.world.owner)


def test_an_unknown_status_moves_nothing_and_a_person_is_told(line: Line) -> None:
    """Invariant 29: never a default branch."""
    [id_] = line.accepted()
    [told] = line.hears(id_, "on_the_moon")
    assert came_of(line.world.owner, told).state == "APPLIED"
    found = payout(line.world.owner, id_)
    assert (found.state, found.w_job, found.e_status) == ("PROCESSING", FOLLOW, "processing")
    assert line.findings() == ["payout-provider-status-unrecognised"]


@pytest.mark.parametrize(
    ("word", "findings"), [("processing", []), ("processed", ["transfer-without-payout"])]
)
@pytest.mark.parametrize("reference", ["b6f0bd4e-7f3c-4c2e-9a52-2c0f2b8f1c11", "order 7", None])
def test_of_no_payout_of_ours_it_is_an_orphan(
    line: Line, word: str, findings: list[str], reference: str | None
) -> None:
    """F75: stored, nothing changed; where money is concerned a person is told."""
    [id_] = line.accepted()
    changed = {"id": "pout_foreign", "reference_id": reference}
    [told] = line.sends([event(line.told(id_), word, **changed)])
    line.world.run(APPLY)
    seen = came_of(line.world.owner, told)
    assert (seen.state, seen.outcome) == ("APPLIED", "orphan: no payout is meant")
    assert line.findings() == findings
    assert payout(line.world.owner, id_).e_status == "processing"


@pytest.mark.parametrize("waits", [True, False])
def test_what_was_never_sent_is_not_believed_and_not_sent(line: Line, waits: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """An approved payout of which the provider knows more than we: parked before it goes out, with work or without."""
    [other] = line.accepted()
    [id_] = [i for i in seed(line.world.url, 1, first=1) if i != other]
    if not waits:
        change(line.world.owner, "DELETE FROM work WHERE subject = :id", id=id_)
    forged = event(line.told(other), "processed", id="pout_x", reference_id=str(id_), amount=10_001)
    [told] = line.sends([forged])
    line.world.run(APPLY)
    line.world.run(PROCESS)
    found = payout(line.world.owner, id_)
    assert (came_of(line.world.owner, told).state, found.state) == ("FAILED", "APPROVED")
    assert "ever sent" in found.w_parked
    assert found.w_job == PROCESS
    assert len(line.world.bank.submits) == 1
    assert_sound(line.world.owner)


def test_other_types_and_other_providers_are_kept_and_change_nothing(line: Line) -> None:
    ids = line.sends(
        [
            raw(b"{}", "payout.downtime.started"),
            raw(b"{}", "fund_account.validation.completed"),
            raw(b"{}", "charge.succeeded", provider="stripe"),
            raw(b"not json at all", "CHECKOUT.ORDER.APPROVED", provider="paypal"),
        ]
    )
    line.world.run(APPLY)
    found = [came_of(line.world.owner, id_) for id_ in ids]
    assert {row.state for row in found} == {"APPLIED"}
    assert all(row.outcome.startswith("nothing to do") for row in found)


@pytest.mark.parametrize(
    ("provider", "kind"),
    [("paypal", "PAYMENT.PAYOUTS-ITEM.SUCCEEDED"), ("flutterwave", "transfer.completed")],
)
def test_what_a_provider_tells_whose_signature_covers_no_body_gives_no_value(
    line: Line, provider: str, kind: str
) -> None:
    """Kept, concluded and without effect, also where it names a payout of ours: nobody asks their APIs."""
    [id_] = line.accepted()
    paid = line.told(id_)
    body = {
        "event": kind,
        "data": {"id": paid.provider_id, "reference": paid.reference, "status": "SUCCESSFUL"},
        "payload": {"payout": {"entity": {"id": paid.provider_id, "status": "processed"}}},
    }
    [told] = line.sends(
        [raw(json.dumps(body).encode(), kind, provider=provider, entity=paid.provider_id)]
    )
    booked = line.booked(id_)
    line.world.run(APPLY)
    seen = came_of(line.world.owner, told)
    assert (seen.state, seen.outcome) == ("APPLIED", f"nothing to do: {kind} of {provider}")
    assert (payout(line.world.owner, id_).state, line.booked(id_)) == ("PROCESSING", booked)
    assert_sound(line.world.owner)


@pytest.mark.parametrize(
    "body",
    [b"", b"\xff", b"[" * 100_000, b"null", b'{"payload": {"payout": {"entity": {"id": 7}}}}'],
)
def test_what_cannot_be_read_has_failed_and_stops_nobody(line: Line, body: bytes) -> None:
    """Its signature fitted, so a person must see it."""
    [id_] = line.accepted()
    [bad] = line.sends([raw(body, "payout.processed")])
    [good] = line.hears(id_, "processed")
    assert [came_of(line.world.owner, e).state for e in (bad, good)] == ["FAILED", "APPLIED"]
    assert line.findings() == ["event-failed"]


def test_what_recover_waits_for_is_settled_by_the_event(line: Line) -> None:
    """An unknown outcome ends with the provider's own word."""
    world = line.world
    [id_] = seed(world.url, 1)
    world.bank.script(Unknown(reason="lost"))
    world.run(PROCESS)
    assert payout(world.owner, id_).w_job == RECOVER
    hurry(world.owner)
    world.run(RECOVER)
    line.hears(id_, "processed")
    assert payout(world.owner, id_).state == "COMPLETED"
    assert about(world.bank, id_).provider_id == payout(world.owner, id_).e_provider_id
    assert_sound(world.owner)
