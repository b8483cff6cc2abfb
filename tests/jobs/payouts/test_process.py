"""payouts.process through the real runner: what each answer of the bank makes of a payout."""

from dataclasses import replace
from uuid import UUID

import pytest

from db.engine import Database
from domain.answers import Answer, NotSent, Rejected, Unknown
from domain.payouts import FOLLOW, PROCESS, RECOVER
from jobs.payouts.process import ProcessPayouts
from tests.builders import (
    House,
    abandon,
    assert_paid_once,
    assert_sound,
    change,
    hurry,
    payout,
    rows,
    states,
)
from tests.earned import two_earnings
from tests.operating import opened
from workers.sandbox.faults import Fault


def earnings(database: Database, id_: UUID) -> list[tuple[str, bool]]:
    found = rows(
        database,
        """SELECT e.state, l.live FROM payout_earnings l JOIN earnings e ON e.id = l.earning
           WHERE l.payout = :id ORDER BY e.id""",
        id=id_,
    )
    return [(row.state, row.live) for row in found]


def seeded(url: str, count: int = 1) -> list[UUID]:
    with opened(url) as operator:
        return [two_earnings(operator, f"P-{n}") for n in range(count)]


def test_p01_an_accepted_payout_has_every_fact_of_its_send_and_waits_to_be_followed(
    home: House, outside: Database, database_url: str
) -> None:
    [id_] = seeded(database_url)
    run = home.run(PROCESS)
    found = payout(outside, id_)
    assert (found.state, found.e_state, found.e_sends) == ("PROCESSING", "accepted", 1)
    assert (found.w_job, found.w_claims, found.w_token) == (FOLLOW, 0, None)
    paid = home.bank.transfers[0].payout
    assert found.e_provider_id == paid.provider_id
    [sent] = rows(
        outside,
        """SELECT e.provider, e.account, e.status, e.first_sent_at, e.accepted_at, p.net_amount, p.amount
           FROM effects e JOIN payouts p ON p.effect_key = e.key""",
    )
    assert (sent.provider, sent.account) == (home.bank.provider, home.bank.account)
    assert (sent.status, sent.accepted_at) == (paid.raw_status, paid.created_at)
    assert sent.first_sent_at is not None
    assert sent.amount == paid.amount_minor == (sent.net_amount or sent.amount)
    assert earnings(outside, id_) == [("BATCHED", True)] * 2
    assert (run.state, run.tally["succeeded"], run.tally["processed"]) == ("succeeded", 1, 1)
    assert_sound(outside)


def test_what_is_sent_is_the_frozen_request_under_the_effects_key(
    home: House, outside: Database, database_url: str
) -> None:
    """Invariants 4 and 5: key and body come from the committed row."""
    [id_] = seeded(database_url)
    home.run(PROCESS)
    [sent] = home.bank.submits
    found = payout(outside, id_)
    assert (sent.body, sent.key) == (found.e_request, found.effect_key.hex)


@pytest.mark.parametrize("fault", [Fault.REFUSE, Fault.UNPROCESSABLE])
def test_a_refusal_of_a_first_send_fails_it_and_frees_its_earnings_once(
    home: House, outside: Database, database_url: str, fault: Fault
) -> None:
    """F63, invariants 3 and 8: 400 and 422 with the vendor's error, on the first send."""
    [id_] = seeded(database_url)
    home.bank.script(fault)
    run = home.run(PROCESS)
    found = payout(outside, id_)
    assert (found.state, found.e_state, found.w_job) == ("FAILED", "rejected", None)
    assert found.error == "BAD_REQUEST_ERROR: refused"
    assert earnings(outside, id_) == [("READY", False)] * 2
    assert (run.tally["failed"], run.tally["succeeded"]) == (1, 0)
    home.run(PROCESS)
    assert len(home.bank.submits) == 1
    assert_sound(outside)


def test_what_is_skipped_is_counted_neither_as_success_nor_as_failure(
    home: House, outside: Database, database_url: str
) -> None:
    """Invariants 2 and 3: beside it one is refused and one goes; each is counted once, as what it is."""
    ids = seeded(database_url, 3)
    change(
        outside,
        "UPDATE payout_accounts SET active = false WHERE id = (SELECT account FROM payouts WHERE id = :id)",
        id=ids[0],
    )
    home.bank.script(Fault.REFUSE)
    run = home.run(PROCESS)
    counts = ("processed", "succeeded", "failed", "skipped")
    assert [run.tally[name] for name in counts] == [2, 1, 1, 1]
    assert states(outside) == {"APPROVED": 1, "PROCESSING": 1, "FAILED": 1}
    assert payout(outside, ids[0]).state == "APPROVED"
    assert len(home.bank.submits) == 2
    assert_sound(outside)


@pytest.mark.parametrize("fault", [Fault.UNAUTHORISED, Fault.FORBIDDEN])
def test_a_refusal_of_us_puts_it_back_and_sets_the_brake(
    home: House, outside: Database, database_url: str, fault: Fault
) -> None:
    """Invariant 8: 401 and 403 on a first send fail nothing and stop the provider."""
    ids = seeded(database_url, 3)
    home.bank.script(fault)
    home.run(PROCESS, payout=str(ids[0]))
    found = payout(outside, ids[0])
    assert (found.state, found.e_state, found.e_sends) == ("APPROVED", "not_sent", 0)
    assert (found.w_job, earnings(outside, ids[0])) == (PROCESS, [("BATCHED", True)] * 2)
    hurry(outside)
    run = home.run(PROCESS)
    assert len(home.bank.submits) == 1
    assert (run.state, run.reason) == (
        "succeeded",
        "held by brake:razorpayx:2323230000000001",
    )
    [finding] = rows(outside, "SELECT kind, severity FROM findings WHERE resolved_at IS NULL")
    assert tuple(finding) == ("provider-brake", "P0")
    assert_sound(outside)


def test_nothing_left_puts_it_back_without_a_brake(
    home: House, outside: Database, database_url: str
) -> None:
    """F66: a bank out of reach fails nothing; the item is tried again later under the same key."""
    [id_] = seeded(database_url)
    home.bank.unreachable = "connection refused"
    run = home.run(PROCESS)
    found = payout(outside, id_)
    assert (found.state, found.w_job, found.w_tries) == ("APPROVED", PROCESS, 1)
    assert 0 < found.w_wait <= 1
    assert run.tally["put_back"] == 1
    assert rows(outside, "SELECT FROM switches WHERE is_on") == []
    home.bank.unreachable = None
    hurry(outside)
    home.run(PROCESS)
    assert payout(outside, id_).e_put_backs == 1
    assert_paid_once(home.bank, [id_])
    assert_sound(outside)


@pytest.mark.parametrize(
    "fault",
    [Fault.DROP, Fault.ERROR, Fault.GARBAGE, Fault.ERROR_BEFORE, Fault.RESET, Fault.STICKY_ERROR],
)
def test_an_unknown_outcome_moves_nothing_and_is_to_be_asked_about(
    home: House, outside: Database, database_url: str, fault: Fault
) -> None:
    """F55, F56, F57, F58, F61, invariant 7: PROCESSING, earnings linked, money in transit."""
    [id_] = seeded(database_url)
    home.bank.script(fault)
    run = home.run(PROCESS)
    found = payout(outside, id_)
    assert (found.state, found.e_state, found.w_job) == ("PROCESSING", "unknown", RECOVER)
    assert 0 < found.w_wait <= 1
    assert earnings(outside, id_) == [("BATCHED", True)] * 2
    assert (run.tally["unknown"], run.tally["failed"]) == (1, 0)
    assert_sound(outside)


@pytest.mark.parametrize("fault", [Fault.WRONG_AMOUNT, Fault.WRONG_REFERENCE])
def test_an_answer_that_contradicts_the_request_waits_for_a_person(
    home: House, outside: Database, database_url: str, fault: Fault
) -> None:
    """F62: refused, parked, alarmed."""
    [id_] = seeded(database_url)
    home.bank.script(fault)
    home.run(PROCESS)
    found = payout(outside, id_)
    assert (found.state, found.e_state, found.w_job) == ("PROCESSING", "unknown", RECOVER)
    assert found.w_parked.startswith("the provider's answer contradicts the request")
    [finding] = rows(outside, "SELECT kind, subject FROM findings")
    assert tuple(finding) == ("payout-answer-mismatch", f"payout {id_}")
    hurry(outside)
    assert home.run(RECOVER).tally["processed"] == 0
    assert_sound(outside)


def test_too_many_requests_is_unknown_and_cuts_the_rate(
    home: House, outside: Database, database_url: str
) -> None:
    """F59: the next try by Retry-After, nothing until then, half the rate afterwards."""
    [id_] = seeded(database_url)
    change(outside, "INSERT INTO rate_limits VALUES ('razorpayx:2323230000000001', 100, 10)")
    home.bank.script(Fault.RATE_LIMIT)
    home.run(PROCESS)
    found = payout(outside, id_)
    assert (found.state, found.e_state) == ("PROCESSING", "unknown")
    assert found.w_wait > 0.5
    [limit] = rows(
        outside,
        """SELECT stopped_until > clock_timestamp() AS stopped,
                  cut_until > clock_timestamp() + interval '50 s' AS cut FROM rate_limits""",
    )
    assert (limit.stopped, limit.cut) == (True, True)


@pytest.mark.parametrize(
    "answer",
    [
        Rejected(code="BAD_REQUEST_ERROR", reason="another body under the key"),
        NotSent(reason="http 401", brake=True),
        NotSent(reason="connection refused"),
    ],
    ids=["refused", "unauthorised", "unreachable"],
)
def test_a_send_that_may_be_the_second_is_never_failed_nor_put_back(
    home: House, outside: Database, database_url: str, answer: Answer
) -> None:
    """F04, invariants 9 and 10: accepted, killed before the settle, next answer 4xx: unknown."""
    [id_] = seeded(database_url)
    assert abandon(home) == [id_]
    assert payout(outside, id_).e_sends == 1
    home.bank.script(answer)
    home.run(PROCESS)
    found = payout(outside, id_)
    assert (found.state, found.e_state, found.e_sends) == ("PROCESSING", "unknown", 2)
    assert found.w_job == RECOVER
    assert earnings(outside, id_) == [("BATCHED", True)] * 2
    first, second = home.bank.submits
    assert first == second
    assert_paid_once(home.bank, [id_])
    assert_sound(outside)


def test_put_back_many_times_and_then_sent_the_books_are_exact(
    home: House, outside: Database, database_url: str
) -> None:
    """Invariants 1 and 6: one key, one transfer, and as many put-backs as reservations before it."""
    [id_] = seeded(database_url)
    home.bank.unreachable = "down"
    for _ in range(5):
        home.run(PROCESS)
        hurry(outside)
    home.bank.unreachable = None
    home.run(PROCESS)
    found = payout(outside, id_)
    assert (found.e_put_backs, found.e_sends, found.e_state) == (5, 1, "accepted")
    counts = rows(
        outside,
        "SELECT type, count(*) AS n FROM entries WHERE type <> 'payout.imported' GROUP BY 1",
    )
    assert {c.type: c.n for c in counts} == {"payout.submitted": 6, "payout.put_back": 5}
    assert_paid_once(home.bank, [id_])
    assert_sound(outside)


def test_the_frozen_request_is_replayed_whatever_would_be_made_now(
    home: House, outside: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Invariant 4: byte-identical although rules, narration or account changed meanwhile."""
    [id_] = seeded(database_url)
    home.bank.unreachable = "down"
    home.run(PROCESS)
    frozen = payout(outside, id_).e_request
    home.bank.unreachable = None
    job = home.jobs[PROCESS]
    assert isinstance(job, ProcessPayouts)
    monkeypatch.setattr(job, "provider", replace(job.provider, freeze=lambda _: '{"other": 1}'))
    hurry(outside)
    home.run(PROCESS)
    assert [sent.body for sent in home.bank.submits] == [frozen]
    assert payout(outside, id_).e_request == frozen


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE payouts SET amount = amount + 1",
        "UPDATE payouts SET mode = 'NEFT'",
        "UPDATE payouts SET effect_key = gen_random_uuid()",
    ],
)
def test_what_was_changed_after_its_approval_is_not_sent(
    home: House, outside: Database, database_url: str, tampering: str
) -> None:
    """The seal: no call, parked, and nothing reserved."""
    [id_] = seeded(database_url)
    change(outside, tampering)
    home.run(PROCESS)
    found = payout(outside, id_)
    assert home.bank.submits == []
    assert found.state == "APPROVED"
    assert found.w_parked.startswith("changed after approval")


def test_an_account_that_is_not_active_gets_no_call(
    home: House, outside: Database, database_url: str
) -> None:
    """Invariant 22: inactive account, no gateway call; its siblings go."""
    ids = seeded(database_url, 3)
    change(
        outside,
        "UPDATE payout_accounts SET active = false WHERE id = (SELECT account FROM payouts WHERE id = :id)",
        id=ids[0],
    )
    run = home.run(PROCESS)
    found = payout(outside, ids[0])
    assert (found.state, found.w_parked) == ("APPROVED", "its payout account is not active")
    assert (run.tally["skipped"], run.tally["succeeded"]) == (1, 2)
    assert_paid_once(home.bank, ids[1:])
    assert_sound(outside)


def test_what_is_approved_no_more_as_it_is_claimed_gets_no_call(
    home: House, outside: Database, database_url: str
) -> None:
    """Invariant 2: the swap that is lost makes no call, and is skipped, not failed."""
    ids = seeded(database_url, 3)
    change(outside, "UPDATE payouts SET state = 'CANCELLED' WHERE id = :id", id=ids[0])
    run = home.run(PROCESS)
    assert (run.tally["skipped"], run.tally["succeeded"], run.tally["failed"]) == (1, 2, 0)
    found = payout(outside, ids[0])
    assert (found.state, found.e_state, found.w_job) == ("CANCELLED", None, None)
    assert_paid_once(home.bank, ids[1:])


@pytest.mark.parametrize(
    "switch", ["maintenance", "restored", "queue:money", "job:payouts.process"]
)
def test_a_switch_that_is_on_means_no_call_and_no_change(
    home: House, outside: Database, database_url: str, switch: str
) -> None:
    """Invariant 18: zero calls, no state changed, and the run says what held it."""
    seeded(database_url, 2)
    run = home.request(PROCESS)
    change(outside, "INSERT INTO switches VALUES (:name, true, 'asha', 'test')", name=switch)
    home.runner.execute(run)
    assert home.bank.submits == []
    assert states(outside) == {"APPROVED": 2}
    ended = home.row(run)
    assert (ended.state, ended.reason) in {
        ("queued", None),
        ("succeeded", f"held by {switch}"),
    }


def test_a_worn_payout_is_parked_before_a_send_and_asked_about_after_one(
    home: House, outside: Database, database_url: str
) -> None:
    """F12: three claims without a settle: parked, unless a send may have begun."""
    unsent, sent = seeded(database_url, 2)
    home.bank.script(Unknown(reason="lost"))
    home.run(PROCESS, payout=str(sent))
    change(
        outside,
        """UPDATE work SET job = :job, claims = 3, due_at = clock_timestamp(), parked_reason = NULL""",
        job=PROCESS,
    )
    change(outside, "UPDATE effects SET state = 'intended'")
    home.run(PROCESS)
    home.run(PROCESS)
    assert payout(outside, unsent).w_parked == "claimed 3 times without a settle"
    assert payout(outside, sent).w_job == RECOVER
    assert len(home.bank.submits) == 1
    assert_sound(outside)
