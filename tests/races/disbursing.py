"""Races about lenders' shares: each is paid by one payout, or taken back, or withdrawn, whoever comes first."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from db.accounts import open_accounts
from db.dispersals.retrying import retry
from db.obligations.facts import read
from db.payouts.decide import decide
from domain.batching import BatchPolicy
from domain.decisions import Decision
from domain.errors import RefusedError
from domain.ledger import AccountKind
from domain.obligations import HEAL, TRIES_MAX
from domain.payout_ids import reference
from jobs.dispersals.disburse import DisburseDispersals
from jobs.dispersals.heal import HealDispersals
from tests import driving
from tests.builders import change, hurry, rows
from tests.mortgages import (
    LINE,
    balances,
    bank,
    disburse,
    disperse,
    heal,
    lend,
    lose,
    owe,
    pay,
)
from tests.races.dispersals import bounces
from tests.races.explorer import Race
from tests.races.parts import applies, follow, process, says, works
from tests.races.sides import Side
from tests.races.stage import Stage
from tests.races.waitlist import does

PAYS: Final = DisburseDispersals(BatchPolicy())


def divided(stage: Stage) -> object:
    """A lender's share that may be paid; the receipt it is of."""
    lend(stage.operator, {"A": 1})
    bank(stage.operator, "A")
    [id_] = owe(stage.operator, LINE)
    made = pay(stage.operator, id_, 100_000)
    disperse(stage.worker)
    return made


def short_of_cash(stage: Stage) -> object:
    """Shares of two lenders in one mortgage, each within its cash; a correction took what both need."""
    lend(stage.operator, {"A": 1, "B": 1})
    bank(stage.operator, "A", "B")
    [id_] = owe(stage.operator, LINE)
    pay(stage.operator, id_, 100_000)
    disperse(stage.worker)
    lose(stage.operator, id_, 50_000)
    [one] = stage.operator.transact(lambda tx: read(tx, [id_]))
    # Whoever opens the first account of a payout is waited for: here there were payouts before.
    books = [one.of_system(kind) for kind in (AccountKind.PAYOUTS_IN_TRANSIT, AccountKind.CASH)]
    stage.operator.transact(lambda tx: open_accounts(tx, books))
    return id_


def beside_another(stage: Stage) -> object:
    """A lender's share, and what was received for another obligation of its mortgage: there is cash for one of them."""
    lend(stage.operator, {"A": 1})
    bank(stage.operator, "A")
    free = replace(LINE, fee_rate_ppm=0)
    id_, other = owe(stage.operator, free, replace(free, external_id="O-2"))
    pay(stage.operator, id_, 100_000)
    disperse(stage.worker)
    made = pay(stage.operator, other, 100_000)
    lose(stage.operator, id_, 100_000)
    [one] = stage.operator.transact(lambda tx: read(tx, [id_]))
    books = [one.of_system(kind) for kind in (AccountKind.PAYOUTS_IN_TRANSIT, AccountKind.CASH)]
    stage.operator.transact(lambda tx: open_accounts(tx, books))
    return made


def beside_one_worn(stage: Stage) -> object:
    """The same, where the other could not be divided: its next failure sets its money apart."""
    made = beside_another(stage)
    change(stage.worker, "UPDATE obligations SET settled_on = NULL WHERE external_id = :o", o="O-2")
    disperse(stage.worker)
    heal(stage.worker, TRIES_MAX)
    hurry(stage.worker, HEAL)
    return made


def bounces_if_unsent(stage: Stage) -> str:
    """The receipt was none; what was paid out is not taken back."""
    try:
        return bounces(stage)
    except RefusedError:
        return "refused"


def withdraws(stage: Stage) -> list[str]:
    """An operator cancels whatever payout there is."""
    found = rows(stage.operator, "SELECT id FROM payouts WHERE state <> 'CANCELLED'")
    moved = stage.operator.transact(
        lambda tx: decide(tx, Decision.CANCEL, [row.id for row in found], actor="ben", why="no")
    )
    return [one.outcome for one in moved]


def sent(stage: Stage) -> object:
    """The same with a payout that is approved and due."""
    made = divided(stage)
    disburse(stage.worker)
    return made


def failed_and_reset(stage: Stage) -> object:
    """A share whose payout its bank called failed, and which a person reset; now the bank says that it was paid."""
    sent(stage)
    driving.drive(stage.worker, process(stage.bank))
    [first] = [row.id for row in rows(stage.worker, "SELECT id FROM payouts")]
    stage.bank.settle(reference(first, 1), "failed")
    driving.hasten(stage.worker)
    driving.drive(stage.worker, follow(stage.bank))
    [share] = [row.id for row in rows(stage.worker, "SELECT id FROM dispersals")]
    stage.operator.transact(lambda tx: retry(tx, share, actor="asha", why="repaired"))
    says(stage, first, "processed")
    return first


def reset_and_sent(stage: Stage) -> object:
    """The same with the new payout approved and due."""
    first = failed_and_reset(stage)
    disburse(stage.worker)
    return first


def paid_once(stage: Stage, sides: Sequence[Side]) -> None:
    """One of them makes the payout, the other finds nothing to do."""
    assert sorted(side.result for side in sides) == [0, 1]
    [made] = rows(stage.worker, "SELECT amount, state FROM payouts")
    assert (made.amount, made.state) == (91_667, "APPROVED")


def paid_within_its_cash(stage: Stage, sides: Sequence[Side]) -> None:
    """Whoever holds the mortgage first makes the payout; the other sees it under way, and that no cash is left."""
    assert sorted(side.result for side in sides) == [0, 1]
    states = rows(stage.worker, "SELECT state FROM dispersals ORDER BY state")
    assert [row.state for row in states] == ["PENDING", "SENDING"]
    assert len(rows(stage.worker, "SELECT FROM payouts")) == 1


def paid_or_left(stage: Stage, sides: Sequence[Side]) -> None:
    """Whoever holds the mortgage first has its cash: it is on its way to the lender, or gone, and never both."""
    [share] = rows(stage.worker, "SELECT state FROM dispersals")
    [other] = rows(stage.worker, "SELECT state FROM obligations WHERE external_id = 'O-2'")
    left = balances(stage.worker).get("trust_cash", 0)
    assert (share.state, left, other.state) in {
        ("SENDING", 100_000, "SETTLED"),
        ("SENDING", 100_000, "STALLED"),
        ("PENDING", 0, "DUE"),
        ("PENDING", 0, "ESCALATED"),
    }, sides


def paid_or_taken_back(stage: Stage, sides: Sequence[Side]) -> None:
    """Its payout is made and the receipt stands, or the receipt is reversed and there is no payout."""
    found = rows(stage.worker, "SELECT state FROM dispersals")
    made = rows(stage.worker, "SELECT state FROM payouts")
    if sides[1].result == "refused":
        assert ([row.state for row in found], len(made)) == (["SENDING"], 1)
    else:
        assert ([row.state for row in found], len(made)) == (["CANCELLED"], 0)


def made_or_withdrawn(stage: Stage, sides: Sequence[Side]) -> None:
    """What was made may have been withdrawn; then its share waits for a person."""
    [share] = rows(stage.worker, "SELECT state FROM dispersals")
    [made] = rows(stage.worker, "SELECT state FROM payouts")
    withdrawn = sides[1].result == ["moved"]
    assert (share.state, made.state) == (
        ("FAILED", "CANCELLED") if withdrawn else ("SENDING", "APPROVED")
    )


def sent_or_withdrawn(stage: Stage, sides: Sequence[Side]) -> None:
    """It is on its way, or its share waits for a person: never both."""
    [share] = rows(stage.worker, "SELECT state FROM dispersals")
    withdrawn = sides[1].result == ["moved"]
    assert share.state == ("FAILED" if withdrawn else "SENDING")
    assert len(stage.bank.submits) == (0 if withdrawn else 1)


def paid_by_one(stage: Stage, _sides: Sequence[Side]) -> None:
    """Invariant 28: no second is sent where the first was known of; else the lender owes what came twice."""
    [share] = rows(stage.worker, "SELECT state FROM dispersals")
    sends = len(stage.bank.submits)
    owed = balances(stage.worker).get("payee_receivable", 0)
    assert (share.state, sends, owed) in {("DISBURSED", 1, 0), ("SENDING", 2, 91_667)}


ALL: Final = (
    Race(
        name="disburse/disburse",
        prepare=divided,
        sides=(does(PAYS, 7), does(PAYS, 8)),
        check=paid_once,
    ),
    Race(
        name="disburse/disburse-of-one-mortgage",
        prepare=short_of_cash,
        sides=(does(PAYS, 7, limit=1), does(PAYS, 8, limit=1)),
        check=paid_within_its_cash,
    ),
    Race(
        name="disburse/reverse-of-one-mortgage",
        prepare=beside_another,
        sides=(does(PAYS, 7), bounces_if_unsent),
        check=paid_or_left,
    ),
    Race(
        name="disburse/heal-of-one-mortgage",
        prepare=beside_one_worn,
        sides=(does(PAYS, 7), does(HealDispersals(), 8)),
        check=paid_or_left,
    ),
    Race(
        name="disburse/reverse",
        prepare=divided,
        sides=(does(PAYS, 7), bounces_if_unsent),
        check=paid_or_taken_back,
    ),
    Race(
        name="disburse/cancel",
        prepare=divided,
        sides=(does(PAYS, 7), withdraws),
        check=made_or_withdrawn,
    ),
    Race(
        name="process/cancel-of-dispersal",
        prepare=sent,
        sides=(works(process, 7), withdraws),
        check=sent_or_withdrawn,
    ),
    Race(
        name="disburse/paid-late",
        prepare=failed_and_reset,
        sides=(does(PAYS, 7), applies(8)),
        check=paid_by_one,
    ),
    Race(
        name="process/paid-late-of-dispersal",
        prepare=reset_and_sent,
        sides=(works(process, 7), applies(8)),
        check=paid_by_one,
    ),
)
