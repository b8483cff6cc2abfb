"""Whatever the order and however often: the same end, the same books."""

from collections import Counter
from collections.abc import Sequence
from itertools import permutations
from uuid import UUID

import pytest

from domain.inbox import APPLY
from domain.payouts import FOLLOW, PROCESS
from tests.builders import assert_sound, hurry, payout, rows
from tests.earned import Who, earned
from tests.earning import earning_states
from tests.hearing import event
from tests.jobs.webhooks.conftest import Line

WORDS = ("processing", "queued", "processed", "reversed")
"""What payout.initiated, .updated, .processed and .reversed carry."""
ORDERS = list(permutations(WORDS))
REVERSED = Counter(["payout.imported", "payout.submitted", "payout.completed", "payout.reversed"])


def spoken(order: Sequence[str]) -> list[str]:
    """Every word twice, the second time in the opposite order."""
    return [*order, *reversed(order)]


EARNED = Counter({"payout.submitted": 1, "payout.completed": 2, "payout.reversed": 2})
"""Of a payout of earnings, with tax: net and tax are a posting each; what it pays came into the books before."""


def earned_back(line: Line, count: int) -> list[UUID]:
    """The same of payouts of earnings, each of a company of its own, with tax withheld."""
    who = [Who(f"company {n}", "company") for n in range(count)]
    made = [
        earned(line.world.operator, f"P-{n}", gross=1_000_000, each=2, payee=payee)
        for n, payee in enumerate(who)
    ]
    line.world.run(PROCESS)
    for id_ in made:
        line.world.bank.settle(str(id_), "reversed")
    return made


def assert_earned_anew(line: Line) -> None:
    """Each is REVERSED, its earnings are payable again, and its tax was recorded once and given back once."""
    line.world.run(FOLLOW)
    owner = line.world.owner
    for row in rows(owner, "SELECT id FROM payouts"):
        assert payout(owner, row.id).state == "REVERSED"
        assert Counter(line.entries(row.id)) == EARNED
    assert earning_states(owner) == {"READY": 2 * len(ORDERS)}
    assert rows(owner, "SELECT FROM payout_earnings WHERE live") == []
    moved = rows(
        owner,
        """SELECT count(*) AS n FROM moves WHERE kind = 'earning' AND target = 'READY'
           GROUP BY subject HAVING count(*) <> 1""",
    )
    assert moved == []
    kept = rows(
        owner,
        """SELECT payout, array_agg(tax ORDER BY tax) AS taxes, array_agg(is_reversal ORDER BY tax) AS back
           FROM tax_records GROUP BY payout""",
    )
    assert {(tuple(row.taxes), tuple(row.back)) for row in kept} == {
        ((-1_000, 1_000), (True, False))
    }
    assert len(kept) == len(ORDERS)
    years = rows(owner, "SELECT DISTINCT gross, share, base, tax FROM tax_years")
    assert [tuple(year) for year in years] == [(0, 0, 0, 0)]
    assert line.findings() == []
    assert_sound(owner)


def given_back(line: Line, count: int) -> list[UUID]:
    """Payouts that their bank has given back, whatever its events say meanwhile."""
    ids = line.accepted(count)
    for id_ in ids:
        line.world.bank.settle(str(id_), "reversed")
    return ids


def assert_settled(line: Line) -> None:
    """Once asked, each payout is REVERSED, with one entry of each kind, and what is owed is owed as before."""
    line.world.run(FOLLOW)
    for row in rows(line.world.owner, "SELECT id FROM payouts"):
        assert payout(line.world.owner, row.id).state == "REVERSED"
        assert Counter(line.entries(row.id)) == REVERSED
    assert set(states(line)) == {"APPLIED"}
    assert line.findings() == []
    assert_sound(line.world.owner)


def states(line: Line) -> dict[str, int]:
    found = rows(line.world.owner, "SELECT state, count(*) AS n FROM inbox GROUP BY state")
    return {row.state: row.n for row in found}


def test_all_orders_of_four_events_in_one_set_end_alike(line: Line) -> None:
    """F71, invariants 23, 24, 26 and 27: one transaction, each event in it twice."""
    ids = given_back(line, len(ORDERS))
    line.sends(
        event(line.told(id_), word)
        for id_, order in zip(ids, ORDERS, strict=True)
        for word in spoken(order)
    )
    run = line.world.run(APPLY)
    assert run.tally["processed"] == len(ORDERS) * 8
    assert_settled(line)


def test_all_orders_of_four_events_one_by_one_end_alike(line: Line) -> None:
    """F71, invariants 23 to 27: a transaction for each event, duplicates long after."""
    ids = given_back(line, len(ORDERS))
    for place in range(8):
        line.sends(
            event(line.told(id_), spoken(order)[place])
            for id_, order in zip(ids, ORDERS, strict=True)
        )
        line.world.run(APPLY)
    assert_settled(line)


@pytest.mark.parametrize("at_once", [True, False])
def test_earnings_and_tax_are_given_back_once_whatever_the_order(
    line: Line,
    at_once: bool,  # noqa: FBT001 - by name
) -> None:
    """F71, invariants 24 and 26: in one set, or a transaction for each event; each comes twice."""
    ids = earned_back(line, len(ORDERS))
    told = [
        [event(line.told(id_), word) for word in spoken(order)]
        for id_, order in zip(ids, ORDERS, strict=True)
    ]
    if at_once:
        line.sends(one for words in told for one in words)
        line.world.run(APPLY)
    else:
        for place in range(len(told[0])):
            line.sends(words[place] for words in told)
            line.world.run(APPLY)
    assert_earned_anew(line)


@pytest.mark.parametrize("words", [("processed", "failed"), ("failed", "processed")], ids="-".join)
def test_paid_and_then_failed_in_one_set_was_given_back(line: Line, words: tuple[str, ...]) -> None:
    """A provider may take back what it had called paid: in one set the order cannot matter."""
    [id_] = line.accepted()
    line.says(id_, *words)
    line.world.run(APPLY)
    line.world.run(FOLLOW)
    assert payout(line.world.owner, id_).state == "REVERSED"
    assert Counter(line.entries(id_)) == REVERSED
    assert_sound(line.world.owner)


def test_an_old_paid_that_comes_after_failed_is_asked_about_and_corrected(line: Line) -> None:
    """Invariant 24: the word that came late may be old news; the provider is asked at once, and its word holds."""
    [id_] = line.accepted()
    line.hears(id_, "failed")
    line.sends([event(line.told(id_), "processed")])
    line.world.run(APPLY)
    assert payout(line.world.owner, id_).state == "COMPLETED"
    assert hurry(line.world.owner, FOLLOW) == 1
    line.world.run(FOLLOW)
    assert payout(line.world.owner, id_).state == "REVERSED"
    assert Counter(line.entries(id_)) == Counter([
        "payout.imported", "payout.submitted", "payout.failed", "payout.paid_late", "payout.reversed",
    ])  # fmt: skip
    assert_sound(line.world.owner)


@pytest.mark.parametrize("end", ["processed", "failed", "cancelled", "reversed"])
def test_after_an_end_a_late_word_changes_nothing_but_the_utr(line: Line, end: str) -> None:
    """Invariant 25: queued, processing and initiated after a terminal state."""
    [id_] = line.accepted()
    line.hears(id_, end)
    before = payout(line.world.owner, id_)
    booked = line.booked(id_)
    late = line.hears(id_, "queued", "pending", "processing", "scheduled")
    line.sends([event(line.told(id_), end, utr="UTR4711")])
    line.world.run(APPLY)
    after = payout(line.world.owner, id_)
    assert (after.state, after.e_status, after.w_job) == (before.state, end, before.w_job)
    assert line.booked(id_) == booked
    [effect] = rows(line.world.owner, "SELECT utr FROM effects")
    assert effect.utr == "UTR4711"
    assert states(line) == {"APPLIED": len(late) + 2}
    assert_sound(line.world.owner)
