"""payouts.follow through the real runner: every word of a provider in every state."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise, permutations
from uuid import UUID

import pytest

from db.engine import Database
from db.payouts.decide import decide
from domain.backoff import FOLLOW_SECONDS, LOOK_AGAIN_SECONDS
from domain.decisions import Decision
from domain.payouts import FOLLOW, PROCESS
from tests.builders import (
    House,
    assert_sound,
    change,
    hurry,
    payout,
    rows,
    seed,
)
from tests.earned import two_earnings
from tests.operating import opened

UNDER_WAY = ("queued", "pending", "scheduled", "processing")


def accepted(home: House, outside: Database, url: str) -> UUID:
    """A payout its provider has accepted, due to be asked about."""
    with opened(url) as operator:
        id_ = two_earnings(operator)
    home.run(PROCESS)
    hurry(outside)
    return id_


def completed(home: House, outside: Database, url: str) -> UUID:
    """A payout its provider has paid, due to be watched."""
    id_ = accepted(home, outside, url)
    tell(home, outside, id_, "processed")
    assert payout(outside, id_).state == "COMPLETED"
    return id_


def tell(home: House, outside: Database, id_: UUID, word: str) -> None:
    """Let the provider say `word`, and the job hear it."""
    home.bank.settle(str(id_), word)
    hurry(outside)
    home.run(FOLLOW)


def earnings(outside: Database) -> set[tuple[str, bool]]:
    found = rows(
        outside, "SELECT e.state, l.live FROM payout_earnings l JOIN earnings e ON e.id = l.earning"
    )
    return {(row.state, row.live) for row in found}


@pytest.mark.parametrize(
    ("word", "state", "paid"),
    [
        *((word, "PROCESSING", ("BATCHED", True)) for word in UNDER_WAY),
        ("processed", "COMPLETED", ("PAID", True)),
        ("failed", "FAILED", ("READY", False)),
        ("rejected", "FAILED", ("READY", False)),
        ("reversed", "REVERSED", ("READY", False)),
        ("cancelled", "CANCELLED", ("READY", False)),
        ("on_the_moon", "PROCESSING", ("BATCHED", True)),
    ],
)
def test_each_word_about_a_payout_under_way(
    home: House, outside: Database, database_url: str, word: str, state: str, paid: tuple[str, bool]
) -> None:
    """F64, F79, invariants 24 and 29: by the published table, without a webhook; an unknown word moves nothing."""
    id_ = accepted(home, outside, database_url)
    tell(home, outside, id_, word)
    found = payout(outside, id_)
    assert (found.state, found.e_status, earnings(outside)) == (state, word, {paid})
    kinds = [f.kind for f in rows(outside, "SELECT kind FROM findings")]
    unrecognised = ["payout-provider-status-unrecognised"]
    assert kinds == (unrecognised if word == "on_the_moon" else [])
    assert found.w_job == (FOLLOW if state in {"PROCESSING", "COMPLETED"} else None)
    assert_sound(outside)


@pytest.mark.parametrize(
    ("word", "state"),
    [
        *((word, "COMPLETED") for word in (*UNDER_WAY, "processed", "cancelled", "on_the_moon")),
        ("reversed", "REVERSED"),
        ("failed", "REVERSED"),
    ],
)
def test_each_word_about_a_paid_payout(
    home: House, outside: Database, database_url: str, word: str, state: str
) -> None:
    """Invariants 25 and 26: a late word changes nothing; only giving back takes it back, once."""
    id_ = completed(home, outside, database_url)
    for _ in range(2):
        tell(home, outside, id_, word)
    assert payout(outside, id_).state == state
    assert earnings(outside) == {("READY", False) if state == "REVERSED" else ("PAID", True)}
    reversals = rows(outside, "SELECT FROM entries WHERE type = 'payout.reversed'")
    assert len(reversals) == (state == "REVERSED")
    assert_sound(outside)


def test_any_order_of_words_with_repeats_ends_in_the_same_books(
    home: House, outside: Database, database_url: str
) -> None:
    """Invariants 24 and 27: what a reversal ended, no late word completes again."""
    id_ = completed(home, outside, database_url)
    tell(home, outside, id_, "reversed")
    ended = rows(outside, "SELECT account, debits, credits FROM balances ORDER BY account, stripe")
    for words in permutations(("processed", "processing", "reversed")):
        for word in words:
            tell(home, outside, id_, word)
    assert payout(outside, id_).state == "REVERSED"
    assert (
        rows(outside, "SELECT account, debits, credits FROM balances ORDER BY account, stripe")
        == ended
    )
    assert_sound(outside)


@pytest.mark.parametrize(
    "wrong",
    [
        {"amount_minor": 1},
        {"currency": "USD"},
        {"reference": "another"},
        {"fund_account_id": "fa_other"},
    ],
    ids=lambda wrong: next(iter(wrong)),
)
def test_a_report_that_contradicts_the_row_is_not_applied(
    home: House, outside: Database, database_url: str, wrong: dict[str, object]
) -> None:
    """F62, invariant 31: parked, alarmed, nothing moved."""
    id_ = accepted(home, outside, database_url)
    home.bank.settle(str(id_), "processed")
    [made] = home.bank.transfers
    told = replace(made.payout, **wrong)  # type: ignore[arg-type]  # by name
    home.bank.fetch = lambda _: {str(id_): told}  # type: ignore[method-assign,assignment]  # answers otherwise
    hurry(outside)
    home.run(FOLLOW)
    found = payout(outside, id_)
    assert (found.state, found.e_state) == ("PROCESSING", "accepted")
    assert next(iter(wrong)).split("_")[0] in (found.w_parked or "")
    assert [f.kind for f in rows(outside, "SELECT kind FROM findings")] == [
        "payout-answer-mismatch"
    ]


def test_a_read_that_failed_or_did_not_list_it_moves_nothing(
    home: House, outside: Database, database_url: str
) -> None:
    """F64: asked again, backing off; never failed for its silence."""
    id_ = accepted(home, outside, database_url)
    home.bank.unreachable = "down"
    home.run(FOLLOW)
    home.bank.unreachable = None
    kept, home.bank.transfers = home.bank.transfers, []
    hurry(outside)
    home.run(FOLLOW)
    found = payout(outside, id_)
    assert (found.state, found.w_tries, found.w_error) == (
        "PROCESSING",
        1,
        "the provider says that it has no such payout",
    )
    home.bank.transfers = kept
    tell(home, outside, id_, "processed")
    assert payout(outside, id_).state == "COMPLETED"


def test_what_a_read_did_not_come_to_is_asked_about_again_soon(
    home: House, outside: Database, database_url: str
) -> None:
    """A page of reads that ends early says nothing of the rest, however often: it never waits for long."""
    ids = seed(database_url, 3)
    home.run(PROCESS)
    home.bank.finish()
    home.bank.shown_max = 1
    change(outside, "UPDATE work SET tries = 9")
    hurry(outside)
    home.run(FOLLOW)
    assert [payout(outside, id_).state for id_ in ids].count("COMPLETED") == 1
    left = [found for id_ in ids if (found := payout(outside, id_)).state == "PROCESSING"]
    assert {found.w_error for found in left} == {"no time was left"}
    assert all(found.w_wait <= LOOK_AGAIN_SECONDS[-1] for found in left)
    home.bank.shown_max = 3
    hurry(outside)
    home.run(FOLLOW)
    assert {payout(outside, id_).state for id_ in ids} == {"COMPLETED"}
    assert_sound(outside)


def test_an_outage_of_the_provider_does_not_make_a_payout_wait_longer_after_it(
    home: House, outside: Database, database_url: str
) -> None:
    """F66: a question that nobody heard is asked again soon, and is no step down the ladder."""
    id_ = accepted(home, outside, database_url)
    tell(home, outside, id_, "processing")
    home.bank.unreachable = "down"
    for _ in range(9):
        hurry(outside)
        home.run(FOLLOW)
    found = payout(outside, id_)
    assert (found.w_tries, found.w_error) == (1, "down")
    assert found.w_wait <= LOOK_AGAIN_SECONDS[1]
    home.bank.unreachable = None
    tell(home, outside, id_, "processing")
    found = payout(outside, id_)
    assert found.w_tries == 2
    assert FOLLOW_SECONDS[0] < found.w_wait <= FOLLOW_SECONDS[1]


def test_a_payout_under_way_is_asked_about_ever_more_rarely_and_never_failed_by_age(
    home: House, outside: Database, database_url: str
) -> None:
    """F64, invariant 12: T+3 working days is normal."""
    id_ = accepted(home, outside, database_url)
    waits = []
    for _ in range(9):
        tell(home, outside, id_, "processing")
        waits.append(float(payout(outside, id_).w_wait))
        change(outside, "UPDATE payouts SET created_at = created_at - interval '30 days'")
        change(outside, "UPDATE effects SET accepted_at = accepted_at - interval '30 days'")
    assert payout(outside, id_).state == "PROCESSING"
    assert all(later > before - 1 for before, later in pairwise(waits))
    assert 3500 < waits[-1] <= 3600


def test_a_paid_payout_is_watched_daily_for_five_working_days_and_then_let_go(
    home: House, outside: Database, database_url: str
) -> None:
    """Late reversals come up to T+3 working days; after five nobody asks any more."""
    id_ = completed(home, outside, database_url)
    found = payout(outside, id_)
    assert (found.w_job, 86_000 < found.w_wait <= 86_400) == (FOLLOW, True)
    long_ago = datetime.now(UTC) - timedelta(days=8)
    change(outside, "UPDATE payouts SET completed_at = :at", at=long_ago)
    tell(home, outside, id_, "processed")
    assert payout(outside, id_).w_job is None
    change(outside, "UPDATE payouts SET completed_at = :at", at=long_ago)
    assert_sound(outside)


def test_a_failed_payout_is_retried_under_a_new_key_and_reference(
    home: House, outside: Database, database_url: str
) -> None:
    """F63, invariant 6: a new key only after a definite failure and by an operator's word."""
    id_ = accepted(home, outside, database_url)
    tell(home, outside, id_, "failed")
    first = payout(outside, id_)
    with outside.begin() as tx:
        [moved] = decide(tx, Decision.RETRY, [id_], actor="asha", why="account corrected")
    assert moved.outcome == "moved"
    assert earnings(outside) == {("BATCHED", True)}
    home.run(PROCESS)
    second = payout(outside, id_)
    assert (second.generation, second.state, second.e_sends) == (2, "PROCESSING", 1)
    assert second.effect_key != first.effect_key
    assert [sent.reference for sent in home.bank.submits] == [str(id_), f"{id_}-2"]
    tell_second = f"{id_}-2"
    home.bank.settle(tell_second, "processed")
    hurry(outside)
    home.run(FOLLOW)
    assert payout(outside, id_).state == "COMPLETED"
    assert_sound(outside)


def test_what_it_paid_being_paid_elsewhere_a_retry_is_refused(
    home: House, outside: Database, database_url: str
) -> None:
    """Invariant 15: an earning is linked to at most one live payout."""
    id_ = accepted(home, outside, database_url)
    tell(home, outside, id_, "failed")
    change(outside, "UPDATE earnings SET state = 'PAID'")
    with outside.begin() as tx:
        [moved] = decide(tx, Decision.RETRY, [id_], actor="asha", why="again")
    assert (moved.outcome, payout(outside, id_).state) == ("unlinked", "FAILED")


def test_a_read_that_kills_its_workers_ends_parked(
    home: House, outside: Database, database_url: str
) -> None:
    """F12: three claims without a settle."""
    id_ = accepted(home, outside, database_url)
    change(outside, "UPDATE work SET claims = 3")
    reads = home.bank.reads
    home.run(FOLLOW)
    assert home.bank.reads == reads
    assert payout(outside, id_).w_parked == "claimed 3 times without a settle"
    assert payout(outside, id_).state == "PROCESSING"
