"""What another system sent is asked about by what it was filed under there, settled once, and never sent again."""

from collections.abc import Iterator
from dataclasses import replace
from uuid import UUID

import pytest

from db import reconcile
from db.clock import now
from db.engine import Database
from db.payouts import resolve
from db.reconcile import Match
from domain.inbox import APPLY
from domain.opening_lines import OpeningLine
from domain.payouts import FOLLOW, PROCESS, RECOVER
from domain.tax_periods import period
from jobs.payouts import provider
from tests.builders import House, assert_sound, change, hurry, payout, rows, seed
from tests.earning import earn, earning, know, payee
from tests.hearing import came_of, event, receive
from tests.jobs.payouts.statements import desk
from tests.kit.judging import broken
from tests.opening import SENT, SENT_AT, WITHHELD, opening, sent_there, taken
from tests.operating import opened

IN_DOUBT = {"reference": "OLD-1"}
NAMED = {"provider_id": "pout_old_1", "reference": "OLD-1"}
YEAR = {"tds_financial_year": period(SENT_AT).financial_year}


@pytest.fixture
def operator(database_url: str) -> Iterator[Database]:
    with opened(database_url) as database:
        yield database


OWED = """
    SELECT coalesce(sum(abs(b.credits - b.debits)), 0) AS minor FROM accounts a JOIN balances b ON b.account = a.id
    WHERE a.kind = :kind"""


def take(home: House, operator: Database, *lines: OpeningLine) -> UUID:
    """Take lines over; returns the first payout, due to be asked about."""
    taken(operator, lines, home.bank)
    [row] = rows(
        operator, "SELECT id FROM payouts WHERE external_id = :id", id=lines[0].external_id
    )
    id_: UUID = row.id
    return id_


def quiet(home: House, outside: Database, turns: int = 6) -> None:
    """Run the payout jobs until there is nothing left that time alone would bring."""
    for _ in range(turns):
        for job in (PROCESS, RECOVER, FOLLOW):
            hurry(outside)
            home.run(job)


def entries(database: Database) -> list[str]:
    return sorted(r.type for r in rows(database, "SELECT type FROM entries"))


@pytest.mark.parametrize("more", [{}, WITHHELD | YEAR])
def test_what_the_bank_has_under_the_old_reference_is_adopted_and_settled_once(
    home: House, outside: Database, operator: Database, more: dict[str, str]
) -> None:
    line = opening("A-1", "PROCESSING", **IN_DOUBT, **more)
    sent_there(home.bank, line)
    id_ = take(home, operator, line)
    home.run(RECOVER)
    found = payout(outside, id_)
    assert (found.state, found.e_state, found.w_job) == ("PROCESSING", "accepted", FOLLOW)
    assert_sound(outside)
    home.bank.settle("OLD-1", "processed")
    quiet(home, outside)
    assert payout(outside, id_).state == "COMPLETED"
    assert entries(outside) == ["payout.completed", "payout.opened"]
    assert (home.bank.submits, len(home.bank.transfers)) == ([], 1)
    assert_sound(outside)


def test_what_the_bank_does_not_have_is_never_sent_and_waits_for_two_people(
    home: House, outside: Database, operator: Database
) -> None:
    """Nobody here knows its body: under its own key that would be another request, under ours a second payment."""
    id_ = take(home, operator, opening("A-1", "PROCESSING", **IN_DOUBT))
    quiet(home, outside)
    found = payout(outside, id_)
    assert (found.state, found.e_state, found.e_sends) == ("PROCESSING", "unknown", 1)
    assert "OLD-1" in found.w_parked
    assert "two people must decide" in found.w_parked
    assert home.bank.submits == []
    assert_sound(outside)


def test_sent_a_moment_ago_nothing_found_says_nothing_yet(
    home: House, outside: Database, operator: Database
) -> None:
    id_ = take(home, operator, opening("A-1", "PROCESSING", **IN_DOUBT))
    change(outside, "UPDATE effects SET first_sent_at = clock_timestamp() - interval '59 minutes'")
    home.run(RECOVER)
    assert (payout(outside, id_).w_job, payout(outside, id_).w_parked) == (RECOVER, None)
    change(outside, "UPDATE effects SET first_sent_at = clock_timestamp() - interval '61 minutes'")
    hurry(outside)
    home.run(RECOVER)
    assert payout(outside, id_).w_parked is not None


def test_two_people_declare_it_unpaid_and_only_then_a_retry_sends_it_under_our_key(
    home: House, outside: Database, operator: Database
) -> None:
    id_ = take(home, operator, opening("A-1", "PROCESSING", **IN_DOUBT))
    home.run(RECOVER)
    with operator.begin() as tx:
        word = resolve.Word(by="asha, ravi", why="the bank's desk says so", known_at=now(tx))
        assert resolve.declare(tx, id_, word, provider_id=None) == "FAILED"
    assert_sound(outside)
    assert home.bank.submits == []
    [moved] = rows(
        operator,
        "SELECT outcome FROM bursar_move('payout', ARRAY[CAST(:id AS uuid)], 'APPROVED', 'ravi', 'again')",
        id=id_,
    )
    assert moved.outcome == "moved"
    home.run(PROCESS)
    [sent] = home.bank.submits
    assert (sent.reference, payout(outside, id_).generation) == (f"{id_}-2", 2)
    assert_sound(outside)


@pytest.mark.parametrize("more", [{}, WITHHELD])
def test_what_was_paid_before_and_is_given_back_now_is_booked_back_once(
    home: House, outside: Database, operator: Database, more: dict[str, str]
) -> None:
    """Invariant 26: exactly one inverse entry, the tax given back once."""
    line = opening("A-1", "COMPLETED", **NAMED, **more, **(YEAR if more else {}))
    sent_there(home.bank, line, "processed")
    id_ = take(home, operator, line)
    quiet(home, outside, 2)
    assert payout(outside, id_).state == "COMPLETED"
    home.bank.settle("OLD-1", "reversed")
    quiet(home, outside)
    assert payout(outside, id_).state == "REVERSED"
    assert entries(outside).count("payout.reversed") == 1
    given_back = rows(outside, "SELECT sum(tax) AS tax FROM tax_records HAVING count(*) > 0")
    assert [int(row.tax) for row in given_back] == ([0] if more else [])
    assert_sound(outside)


@pytest.mark.parametrize("word", ["processed", "reversed"])
@pytest.mark.parametrize(
    ("state", "names"), [("PROCESSING", IN_DOUBT), ("COMPLETED", NAMED), ("FAILED", IN_DOUBT)]
)
def test_a_webhook_finds_it_by_the_old_reference_and_settles_it_once(
    home: House, outside: Database, operator: Database, state: str, names: dict[str, str], word: str
) -> None:
    line = opening("A-1", state, **names)
    paid = replace(sent_there(home.bank, line), reference="OLD-1")
    id_ = take(home, operator, line)
    home.bank.settle("OLD-1", word)
    events = receive(outside, [event(paid, word, utr="UTR1"), event(paid, word, utr="UTR1")])
    home.run(APPLY)
    assert {came_of(outside, one).state for one in events} == {"APPLIED"}
    quiet(home, outside, 2)
    became = {"processed": "COMPLETED", "reversed": "FAILED" if state == "FAILED" else "REVERSED"}
    assert payout(outside, id_).state == became[word]
    assert home.bank.submits == []
    assert_sound(outside)


@pytest.mark.parametrize(
    ("state", "more"), [("FAILED", {"source": "earnings"}), ("CANCELLED", {}), ("FAILED", {})]
)
def test_what_had_ended_there_and_was_paid_after_all_takes_nothing_that_others_are_owed_by(
    home: House, outside: Database, operator: Database, state: str, more: dict[str, str]
) -> None:
    """Invariant 28: where its debt was never opened here, its payee owes it; what else is owed to them stays."""
    line = opening("A-1", state, **SENT, **IN_DOUBT, **more)
    paid = replace(sent_there(home.bank, line), reference="OLD-1")
    id_ = take(home, operator, line)
    know(operator, [payee(line.payee, fund_account_id="fa_1")])
    earn(operator, [earning("E-1", payee=line.payee, amount_minor=300_000)])
    home.bank.settle("OLD-1", "processed")
    receive(outside, [event(paid, "processed", utr="UTR1")])
    home.run(APPLY)
    assert payout(outside, id_).state == "COMPLETED"
    opened_here = state == "FAILED" and not more
    [owed] = rows(outside, OWED, kind="payee_payable")
    assert owed.minor == 300_000
    [owing] = rows(outside, OWED, kind="payee_receivable")
    assert owing.minor == (0 if opened_here else 100_000)
    # Whether anything was withheld from what it was made of, no row says: that stays a person's to find out.
    found = {name for name, _ in broken(outside.options.url)}
    assert found == ({"withheld-is-recorded"} if more else set())


def test_taken_over_as_approved_it_is_not_sent_before_a_person_approves_it(
    home: House, outside: Database, operator: Database
) -> None:
    id_ = take(home, operator, opening("A-1", "APPROVED", generation="2"))
    quiet(home, outside, 2)
    assert home.bank.submits == []
    rows(
        operator,
        "SELECT outcome FROM bursar_move('payout', ARRAY[CAST(:id AS uuid)], 'APPROVED', 'ravi', 'looked at it')",
        id=id_,
    )
    assert_sound(outside)
    quiet(home, outside, 2)
    assert [sent.reference for sent in home.bank.submits] == [f"{id_}-2"]
    assert_sound(outside)


def test_what_failed_there_is_retried_as_the_next_generation(
    home: House, outside: Database, operator: Database
) -> None:
    id_ = take(home, operator, opening("A-1", "FAILED", generation="2", **NAMED))
    rows(
        operator,
        "SELECT outcome FROM bursar_move('payout', ARRAY[CAST(:id AS uuid)], 'APPROVED', 'ravi', 'again')",
        id=id_,
    )
    home.run(PROCESS)
    home.bank.finish()
    quiet(home, outside, 2)
    assert (payout(outside, id_).state, payout(outside, id_).generation) == ("COMPLETED", 3)
    assert home.bank.times_paid(f"{id_}-3") == 1
    assert_sound(outside)


def test_after_a_restore_the_banks_list_is_matched_by_the_old_reference(
    home: House, outside: Database, operator: Database
) -> None:
    line = opening("A-1", "PROCESSING", **IN_DOUBT)
    paid = sent_there(home.bank, line, "processed")
    id_ = take(home, operator, line)
    with operator.begin() as tx:
        matches = reconcile.compare(tx, provider.of(home.bank), [paid], actor="asha")
    assert matches[Match.ADOPTED] == 1
    assert payout(outside, id_).state == "COMPLETED"
    assert_sound(outside)


def test_the_database_refuses_a_send_of_it_whoever_asks(
    home: House, outside: Database, operator: Database
) -> None:
    take(home, operator, opening("A-1", "PROCESSING", **IN_DOUBT))
    with pytest.raises(Exception, match="taken_over_is_never_sent"):
        change(outside, "UPDATE effects SET sends = sends + 1")


def test_a_hold_on_payouts_lets_it_be_asked_about(
    home: House, outside: Database, operator: Database
) -> None:
    line = opening("A-1", "PROCESSING", **IN_DOUBT)
    sent_there(home.bank, line, "processed")
    id_ = take(home, operator, line)
    change(
        outside,
        "INSERT INTO switches (name, is_on, who, why) VALUES ('hold:payouts', true, 'asha', 'we look first')",
    )
    home.run(RECOVER)
    assert payout(outside, id_).state == "COMPLETED"


def test_a_statement_from_the_cut_over_on_misses_nothing_that_was_paid_before(
    home: House, outside: Database, database_url: str
) -> None:
    with desk(database_url, home, outside) as at:
        before = opening("A-1", "COMPLETED", **NAMED)
        flying = opening("A-2", "PROCESSING", provider_id="pout_old_2", reference="OLD-2")
        for line in (before, flying):
            sent_there(home.bank, line)
        take(home, at.operator, before, flying)
        for reference in ("OLD-1", "OLD-2"):
            home.bank.settle(reference, "processed", utr=f"UTR of {reference}")
        quiet(home, outside, 2)
        seed(database_url, 1)
        home.run(PROCESS)
        home.bank.finish()
        quiet(home, outside, 2)

        since = at.hold_file(at.lines()[2:])
        assert (since.missing, at.states()) == ({}, {"matched": 1})
        assert at.told() == {}
        whole = at.hold_file(at.lines())
        assert (whole.missing, at.states()) == ({}, {"matched": 3})
        assert at.told() == {}
        assert_sound(outside)
