"""payouts.recover through the real runner: payouts nobody knows about are asked about, never guessed."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from db.engine import Database
from domain.answers import Rejected, Unknown
from domain.payouts import FOLLOW, PROCESS, RECOVER
from tests.builders import (
    House,
    abandon,
    assert_paid_once,
    assert_sound,
    change,
    hurry,
    payout,
    rows,
    seed,
)
from tests.earned import two_earnings
from tests.operating import opened
from workers.sandbox.faults import Fault

LOST = Unknown(reason="timed out")


def in_doubt(home: House, outside: Database, url: str, answer: Fault | Unknown = LOST) -> UUID:
    """A payout whose send ended in `answer`, due to be asked about."""
    with opened(url) as operator:
        id_ = two_earnings(operator)
    home.bank.script(answer)
    home.run(PROCESS)
    assert payout(outside, id_).e_state == "unknown"
    hurry(outside)
    return id_


def is_untouched(outside: Database, id_: UUID) -> bool:
    """Whether it is where an unknown outcome leaves it: PROCESSING, its earnings linked."""
    linked = rows(
        outside, "SELECT FROM payout_earnings l JOIN earnings e ON e.id = l.earning WHERE live"
    )
    return payout(outside, id_).state == "PROCESSING" and len(linked) == 2


def test_what_the_bank_has_is_adopted_without_a_second_send(
    home: House, outside: Database, database_url: str
) -> None:
    """F55, invariants 10 and 11: exactly one match."""
    id_ = in_doubt(home, outside, database_url, Fault.DROP)
    home.run(RECOVER)
    found = payout(outside, id_)
    assert (found.state, found.e_state, found.w_job) == ("PROCESSING", "accepted", FOLLOW)
    assert found.e_provider_id == home.bank.transfers[0].payout.provider_id
    assert len(home.bank.submits) == 1
    assert_sound(outside)


def test_what_the_bank_has_finished_is_concluded_at_once(
    home: House, outside: Database, database_url: str
) -> None:
    id_ = in_doubt(home, outside, database_url, Fault.DROP)
    home.bank.settle(str(id_), "processed")
    run = home.run(RECOVER)
    assert payout(outside, id_).state == "COMPLETED"
    assert run.tally["succeeded"] == 1
    assert_sound(outside)


def test_what_the_bank_does_not_have_is_sent_again_the_same(
    home: House, outside: Database, database_url: str
) -> None:
    """F56, invariants 1, 4 and 11: zero found inside the key's window: same key, same body."""
    id_ = in_doubt(home, outside, database_url)
    home.run(RECOVER)
    found = payout(outside, id_)
    assert (found.e_state, found.e_sends, found.w_job) == ("accepted", 2, FOLLOW)
    first, second = home.bank.submits
    assert first == second
    assert_paid_once(home.bank, [id_])
    assert_sound(outside)


@pytest.mark.parametrize("fault", [Fault.REFUSE, Fault.UNAUTHORISED, Fault.STICKY_ERROR])
def test_a_refusal_of_the_same_request_says_nothing_of_the_first(
    home: House, outside: Database, database_url: str, fault: Fault
) -> None:
    """F58, invariant 9: 4xx on a re-send, or the saved 500 for ever: still unknown."""
    id_ = in_doubt(home, outside, database_url)
    home.bank.script(fault)
    run = home.run(RECOVER)
    assert is_untouched(outside, id_)
    found = payout(outside, id_)
    assert (found.e_state, found.w_job, found.w_tries) == ("unknown", RECOVER, 2)
    assert (run.tally["unknown"], run.tally["failed"]) == (1, 0)
    assert_sound(outside)


def test_two_found_are_frozen_for_a_person(
    home: House, outside: Database, database_url: str
) -> None:
    """Invariant 11: more than one: no money moves."""
    id_ = in_doubt(home, outside, database_url, Fault.DROP)
    [made] = home.bank.transfers
    home.bank.transfers.append(replace(made, payout=replace(made.payout, provider_id="pout_x")))
    home.run(RECOVER)
    assert is_untouched(outside, id_)
    assert (payout(outside, id_).w_parked or "").startswith("found 2 times")
    [finding] = rows(outside, "SELECT kind FROM findings")
    assert finding.kind == "payout-found-twice"
    assert len(home.bank.submits) == 1
    assert_sound(outside)


def test_a_look_up_that_failed_changes_nothing_and_sends_nothing(
    home: House, outside: Database, database_url: str
) -> None:
    """Invariant 11: lookup error, no change; asked again later each time."""
    id_ = in_doubt(home, outside, database_url)
    home.bank.unreachable = "down"
    for tries in (2, 3, 4):
        home.run(RECOVER)
        assert is_untouched(outside, id_)
        assert payout(outside, id_).w_tries == tries
        hurry(outside)
    assert len(home.bank.submits) == 1


def test_past_the_keys_window_it_is_only_looked_up_and_then_waits_for_a_person(
    home: House, outside: Database, database_url: str
) -> None:
    """F65, invariants 12 and 13: no blind re-send, and never FAILED by age."""
    id_ = in_doubt(home, outside, database_url)
    change(outside, "UPDATE effects SET first_sent_at = first_sent_at - interval '400 days'")
    change(outside, "UPDATE payouts SET created_at = created_at - interval '400 days'")
    home.run(RECOVER)
    assert is_untouched(outside, id_)
    found = payout(outside, id_)
    assert "two people must decide" in (found.w_parked or "")
    assert (found.e_state, found.e_sends) == ("unknown", 1)
    assert len(home.bank.submits) == 1
    [finding] = rows(outside, "SELECT kind FROM findings")
    assert finding.kind == "payout-unknown-too-long"


def test_past_the_keys_window_what_the_bank_has_is_still_adopted(
    home: House, outside: Database, database_url: str
) -> None:
    id_ = in_doubt(home, outside, database_url, Fault.DROP)
    change(outside, "UPDATE effects SET first_sent_at = first_sent_at - interval '400 days'")
    home.run(RECOVER)
    assert payout(outside, id_).e_state == "accepted"


def test_an_abandoned_send_past_its_keys_window_goes_to_look_up(
    home: House, outside: Database, database_url: str
) -> None:
    """F65: process itself never sends under a key that may have expired."""
    [id_] = seed(database_url, 1)
    abandon(home)
    change(outside, "UPDATE effects SET first_sent_at = first_sent_at - interval '7 days'")
    home.bank.advance(timedelta(days=8))
    home.run(PROCESS)
    assert payout(outside, id_).w_job == RECOVER
    hurry(outside)
    home.run(RECOVER)
    assert payout(outside, id_).e_state == "accepted"
    assert_paid_once(home.bank, [id_])
    assert_sound(outside)


def test_a_long_outage_before_the_first_send_does_not_use_up_the_keys_window(
    home: House, outside: Database, database_url: str
) -> None:
    """Put back for a week and then in doubt: the key is young, so the same request may go again."""
    [id_] = seed(database_url, 1)
    home.bank.unreachable = "down"
    home.run(PROCESS)
    home.bank.unreachable = None
    change(outside, "UPDATE effects SET first_sent_at = first_sent_at - interval '400 days'")
    home.bank.script(LOST)
    hurry(outside)
    home.run(PROCESS)
    hurry(outside)
    home.run(RECOVER)
    assert payout(outside, id_).e_state == "accepted"
    assert_paid_once(home.bank, [id_])


def test_after_all_its_tries_an_unknown_payout_is_a_finding_and_goes_on_being_asked_about(
    home: House, outside: Database, database_url: str
) -> None:
    """I6, invariant 12: after N tries: escalated, still PROCESSING."""
    id_ = in_doubt(home, outside, database_url)
    home.bank.script(*[LOST] * 4)
    for _ in range(4):
        home.run(RECOVER)
        hurry(outside)
    assert is_untouched(outside, id_)
    assert payout(outside, id_).w_job == RECOVER
    assert [f.kind for f in rows(outside, "SELECT kind FROM findings")] == [
        "payout-unknown-too-long"
    ]


def test_a_look_up_that_kills_its_workers_ends_parked(
    home: House, outside: Database, database_url: str
) -> None:
    """F12: worn, it is looked up and not sent; worn again, it waits for a person, never failed."""
    id_ = in_doubt(home, outside, database_url)
    change(outside, "UPDATE work SET claims = 3")
    home.run(RECOVER)
    assert len(home.bank.submits) == 1
    assert "claims without a settle" in (payout(outside, id_).w_parked or "")
    change(
        outside,
        "UPDATE work SET claims = 6, due_at = clock_timestamp(), parked_reason = NULL",
    )
    reads = home.bank.reads
    home.run(RECOVER)
    assert home.bank.reads == reads
    assert payout(outside, id_).w_parked == "claimed 6 times without a settle"
    assert is_untouched(outside, id_)


def test_a_refusal_as_answer_to_a_first_send_released_before_is_a_refusal(
    home: House, outside: Database, database_url: str
) -> None:
    """A send taken back before it began counts for nothing: what comes next is a first send."""
    [id_] = seed(database_url, 1)
    home.bank.unreachable = "down"
    home.run(PROCESS)
    home.bank.unreachable = None
    home.bank.script(Rejected(code="X", reason="closed account"))
    hurry(outside)
    home.run(PROCESS)
    assert payout(outside, id_).state == "FAILED"
    assert_sound(outside)
