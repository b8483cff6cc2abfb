"""Paid after it had failed: its earnings are taken back where they are still there, and never paid twice silently."""

from collections.abc import Sequence
from uuid import UUID

import pytest

from db.earnings import deciding
from db.payouts.advice import advice
from db.payouts.decide import decide
from domain.decisions import Decision
from domain.inbox import APPLY
from domain.payouts import FOLLOW, PROCESS
from tests.builders import assert_sound, change, hurry, payout, rows
from tests.earning import earning_states, owe
from tests.hearing import came_of, event
from tests.jobs.webhooks.conftest import Line
from tests.kit.world import Scene

BATCH = "payouts.batch"
FAILED_LATE = ["event-failed", "payout-paid-after-failed"]


def earnings(line: Line) -> set[tuple[str, bool]]:
    found = rows(
        line.world.owner,
        "SELECT e.state, l.live FROM payout_earnings l JOIN earnings e ON e.id = l.earning",
    )
    return {tuple(row) for row in found}


def late(line: Line, end: str = "failed") -> UUID:
    """A payout of earnings that its provider called ended."""
    id_ = line.earned()
    line.hears(id_, end)
    assert earnings(line) == {("READY", False)}
    return id_


def spend(line: Line, late: UUID, *, by: str, keep: bool) -> None:
    """Let a batch pay the earnings again, all but one of them with `keep`: it is under way, or was paid."""
    world = line.world
    kept = [row.id for row in rows(world.owner, "SELECT id FROM earnings ORDER BY id")][:keep]
    disputed(line, kept, opens=True)
    world.run(BATCH, period="day")
    disputed(line, kept, opens=False)
    hurry(world.owner, PROCESS)
    world.run(PROCESS)
    [other] = rows(world.owner, "SELECT id FROM payouts WHERE id <> :late", late=late)
    if by == "PAID":
        line.hears(other.id, "processed")


def disputed(line: Line, ids: Sequence[UUID], *, opens: bool) -> None:
    with line.world.operator.begin() as tx:
        say = deciding.hold if opens else deciding.release
        say(tx, ids, actor="asha", why="a complaint")


def batched(world: Scene) -> UUID:
    """A payout that a batch made of two earnings."""
    owe(world.url, 2, payees=1)
    world.run(BATCH)
    [made] = rows(world.owner, "SELECT id FROM payouts")
    return UUID(str(made.id))


def decided(line: Line, decision: Decision, id_: UUID) -> None:
    with line.world.operator.begin() as tx:
        decide(tx, decision, [id_], actor="asha", why="because")


def balance(line: Line, kind: str) -> int:
    [row] = rows(
        line.world.owner,
        """SELECT abs(coalesce(sum(b.debits - b.credits), 0)) AS n FROM accounts a JOIN balances b ON b.account = a.id
           WHERE a.kind = :kind""",
        kind=kind,
    )
    return int(row.n)


@pytest.mark.parametrize("end", ["failed", "cancelled"])
def test_its_earnings_are_taken_back_where_nobody_paid_them(line: Line, end: str) -> None:
    """F68, invariant 28: paid once, from what is owed; a person is told, and the provider is asked at once."""
    id_ = late(line, end)
    line.hears(id_, "processed")
    found = payout(line.world.owner, id_)
    assert (found.state, found.w_job, found.w_wait <= 0) == ("COMPLETED", FOLLOW, True)
    assert earnings(line) == {("PAID", True)}
    [entry] = [e for e in line.booked(id_) if e.type == "payout.paid_late"]
    assert (entry.debited, entry.credited) == ("payee_payable", "cash")
    assert balance(line, "payee_receivable") == 0
    assert line.findings() == ["payout-paid-after-failed"]
    assert_sound(line.world.owner)


@pytest.mark.parametrize("taken", ["BATCHED", "PAID", "HELD"])
def test_where_they_were_paid_elsewhere_the_payee_owes_it(line: Line, taken: str) -> None:
    """Invariant 28: never silently paid twice."""
    id_ = late(line)
    if taken == "HELD":
        [first, _] = rows(line.world.owner, "SELECT id FROM earnings ORDER BY id")
        disputed(line, [first.id], opens=True)
    else:
        spend(line, id_, by=taken, keep=True)
    before = earnings(line)
    line.hears(id_, "processed")
    assert payout(line.world.owner, id_).state == "COMPLETED"
    assert earnings(line) == before >= {(taken, False), ("READY", False)}
    [entry] = [e for e in line.booked(id_) if e.type == "payout.paid_late"]
    assert (entry.debited, entry.credited) == ("payee_receivable", "cash")
    assert line.findings() == ["payout-paid-after-failed"]
    assert_sound(line.world.owner)


def test_said_again_the_provider_is_still_asked_at_once(line: Line) -> None:
    """Old news of a payment is no look at it: what is due now is not put off to tomorrow."""
    id_ = late(line)
    line.hears(id_, "processed", "processed")
    assert payout(line.world.owner, id_).w_wait <= 0
    line.world.run(FOLLOW)
    tomorrow = payout(line.world.owner, id_).w_wait
    assert tomorrow > 80_000
    line.hears(id_, "processed")
    assert tomorrow - 600 < payout(line.world.owner, id_).w_wait <= tomorrow


def failed(line: Line) -> tuple[UUID, list[UUID]]:
    """A payout of two earnings that its provider called failed, and the earnings."""
    id_ = batched(line.world)
    line.world.run(PROCESS)
    line.hears(id_, "failed")
    return id_, [row.id for row in rows(line.world.owner, "SELECT id FROM earnings ORDER BY id")]


def reduced(line: Line, earning: UUID, total: int | None) -> None:
    with line.world.operator.begin() as tx:
        deciding.reduce(tx, {earning: total}, actor="asha", why="cancelled late")


def advised(line: Line, id_: UUID) -> tuple[int, int]:
    """What its payee is told of it, held against the books: gross, and of that what nobody owed."""
    with line.world.operator.begin() as tx:
        told = advice(tx, id_)
    told.check()
    return told.gross_minor, told.posted.overpaid_minor


def balances(line: Line) -> tuple[int, int]:
    """What is owed to the payee, and what the payee owes."""
    return balance(line, "payee_payable"), balance(line, "payee_receivable")


@pytest.mark.parametrize(
    ("total", "states"), [(30_000, {"PAID": 2}), (None, {"PAID": 1, "REFUNDED": 1})]
)
def test_of_what_was_given_back_before_it_was_paid_late_the_payee_owes_the_difference(
    line: Line, total: int | None, states: dict[str, int]
) -> None:
    """Invariant 28: nothing is owed twice, and a reversal gives back what is owed, to whom it is owed."""
    id_, [first, _] = failed(line)
    reduced(line, first, total)
    gone = 100_000 if total is None else total
    line.hears(id_, "processed")
    assert earning_states(line.world.owner) == states
    assert balances(line) == (0, gone)
    assert advised(line, id_) == (200_000, gone)
    assert_sound(line.world.owner)

    line.hears(id_, "reversed")
    assert balances(line) == (200_000 - gone, 0)
    assert earning_states(line.world.owner) == {
        "READY" if s == "PAID" else s: n for s, n in states.items()
    }
    assert_sound(line.world.owner)


def test_where_one_is_held_the_payee_owes_all_and_no_earning_is_touched(line: Line) -> None:
    id_, [first, second] = failed(line)
    reduced(line, first, 30_000)
    disputed(line, [second], opens=True)
    line.hears(id_, "processed")
    assert earning_states(line.world.owner) == {"READY": 1, "HELD": 1}
    assert balances(line) == (170_000, 200_000)
    assert advised(line, id_) == (200_000, 200_000)

    line.hears(id_, "reversed")
    assert balances(line) == (170_000, 0)
    assert_sound(line.world.owner)


def test_where_the_books_do_not_cover_it_no_earning_is_taken(line: Line) -> None:
    id_, _ = failed(line)
    change(line.world.owner, "UPDATE balances SET debits = debits + 1 WHERE floor = 'C'")
    line.hears(id_, "processed")
    assert earnings(line) == {("READY", False)}
    assert balances(line) == (199_999, 200_000)


def test_given_back_after_part_of_it_was_refunded_nobody_owes_the_part(line: Line) -> None:
    """Paid, reduced, given back: the payee is owed what is left, and owes nothing."""
    id_ = batched(line.world)
    line.world.run(PROCESS)
    line.hears(id_, "processed")
    [first, _] = rows(line.world.owner, "SELECT id FROM earnings ORDER BY id")
    reduced(line, first.id, 30_000)
    assert balances(line) == (0, 30_000)
    line.hears(id_, "reversed")
    assert balances(line) == (170_000, 0)
    assert_sound(line.world.owner)

    line.world.run(BATCH, period="day")
    [again] = rows(line.world.owner, "SELECT amount FROM payouts WHERE id <> :id", id=id_)
    assert again.amount == 170_000


def test_where_what_is_owed_no_longer_covers_it_the_payee_owes_the_rest(line: Line) -> None:
    """An imported payout has no earnings: the books alone say whether its money is still there."""
    ids = line.accepted(21)  # the first and the last are of one payee
    first, last = (i for i in ids if payout(line.world.owner, i).external_id in {"P-0", "P-20"})
    line.hears(first, "failed")
    change(
        line.world.owner,
        """UPDATE balances b SET debits = debits + 1, floor = NULL FROM payouts p
           WHERE p.id = :id AND b.account = p.payable""",
        id=first,
    )
    line.hears(first, "processed")
    [entry] = [e for e in line.booked(first) if e.type == "payout.paid_late"]
    assert entry.debited == "payee_receivable"
    assert payout(line.world.owner, last).state == "PROCESSING"


@pytest.mark.parametrize("is_spent", [False, True])
def test_given_back_after_that_every_account_is_as_before(line: Line, is_spent: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """The reversal goes to the account that the late payment came from."""
    id_ = late(line)
    if is_spent:
        spend(line, id_, by="PAID", keep=False)
    before = {kind: balance(line, kind) for kind in ("cash", "payee_payable", "payee_receivable")}
    held = earnings(line)
    line.hears(id_, "processed")
    line.world.bank.settle(str(id_), "reversed")
    hurry(line.world.owner, FOLLOW)
    line.world.run(FOLLOW)
    assert payout(line.world.owner, id_).state == "REVERSED"
    assert {kind: balance(line, kind) for kind in before} == before
    assert earnings(line) == held
    assert_sound(line.world.owner)


def test_paid_and_given_back_in_one_set_after_it_failed(line: Line) -> None:
    id_ = late(line)
    before = balance(line, "cash"), balance(line, "payee_payable")
    line.says(id_, "reversed", "processed")
    line.world.run(APPLY)
    line.world.run(FOLLOW)
    assert payout(line.world.owner, id_).state == "REVERSED"
    assert (balance(line, "cash"), balance(line, "payee_payable")) == before
    assert earnings(line) == {("READY", False)}
    assert_sound(line.world.owner)


def test_retried_meanwhile_nothing_moves_and_what_is_not_sent_yet_is_kept_back(line: Line) -> None:
    """Invariant 28: the first generation was paid after all, so the second must not go out."""
    id_ = late(line)
    first = line.told(id_)
    with line.world.operator.begin() as tx:
        decide(tx, Decision.RETRY, [id_], actor="asha", why="try again")
    [told] = line.sends([event(first, "processed")])
    line.world.run(APPLY)
    line.world.run(PROCESS)
    found = payout(line.world.owner, id_)
    assert (found.state, found.generation, found.e_state) == ("APPROVED", 2, None)
    assert "in generation 1" in found.w_parked
    assert came_of(line.world.owner, told).state == "FAILED"
    assert line.findings() == FAILED_LATE
    assert len(line.world.bank.transfers) == 1
    assert_sound(line.world.owner)


def test_said_of_what_lost_its_work_row_it_is_concluded_and_a_person_is_told(line: Line) -> None:
    """Invariant 36: nobody will come to it by itself, so it is parked where its send would have waited."""
    id_ = late(line)
    first = line.told(id_)
    decided(line, Decision.RETRY, id_)
    change(line.world.owner, "DELETE FROM work WHERE subject = :id", id=id_)
    [told] = line.sends([event(first, "processed")])
    line.world.run(APPLY)
    assert came_of(line.world.owner, told).state == "FAILED"
    found = payout(line.world.owner, id_)
    assert (found.state, found.w_job) == ("APPROVED", PROCESS)
    assert "in generation 1" in found.w_parked
    assert line.findings() == FAILED_LATE
    assert_sound(line.world.owner)


@pytest.mark.parametrize("parked", [None, "its payout account is not verified"])
def test_cancelled_after_an_earlier_generation_was_paid_no_batch_pays_its_earnings(
    line: Line, parked: str | None
) -> None:
    """Invariant 28: also where it was parked for something else before the bank spoke."""
    world = line.world
    id_ = batched(world)
    world.run(PROCESS)
    line.hears(id_, "failed")
    decided(line, Decision.RETRY, id_)
    if parked is not None:
        change(
            world.owner,
            "UPDATE work SET parked_reason = :why, due_at = 'infinity' WHERE subject = :id",
            why=parked,
            id=id_,
        )
    [told] = line.hears(id_, "processed")
    assert came_of(world.owner, told).state == "FAILED"
    assert "in generation 1" in payout(world.owner, id_).w_parked

    decided(line, Decision.CANCEL, id_)
    assert earning_states(world.owner) == {"HELD": 2}
    world.run(BATCH, period="day")
    assert [row.id for row in rows(world.owner, "SELECT id FROM payouts")] == [id_]
    assert len(world.bank.transfers) == 1
    assert_sound(world.owner)


def test_retried_and_sent_meanwhile_a_person_is_told_and_nothing_moves(line: Line) -> None:
    id_ = late(line)
    first = line.told(id_)
    with line.world.operator.begin() as tx:
        decide(tx, Decision.RETRY, [id_], actor="asha", why="try again")
    line.world.run(PROCESS)
    before = payout(line.world.owner, id_)
    [late_failed, paid] = line.sends([event(first, "failed"), event(first, "processed")])
    line.world.run(APPLY)
    after = payout(line.world.owner, id_)
    told = ("state", "generation", "e_state", "w_job", "w_parked", "updated_at")
    assert [getattr(after, name) for name in told] == [getattr(before, name) for name in told]
    assert came_of(line.world.owner, late_failed).outcome == "nothing to do: generation 1 is over"
    assert came_of(line.world.owner, paid).state == "FAILED"
    assert line.findings() == FAILED_LATE
    assert_sound(line.world.owner)


def test_a_generation_that_we_never_came_to_is_an_orphan(line: Line) -> None:
    """The database was restored, or somebody else pays under our references."""
    [id_] = line.accepted()
    [told] = line.sends(
        [event(line.told(id_), "processed", id="pout_ahead", reference_id=f"{id_}-2")]
    )
    line.world.run(APPLY)
    assert came_of(line.world.owner, told).outcome == "orphan: no payout is meant"
    assert line.findings() == ["transfer-without-payout"]
