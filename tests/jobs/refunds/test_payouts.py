"""Refunds and the payouts of what they take: neither overtakes the other, and what was paid out is owed back."""

from collections.abc import Callable

from db import work
from db.payouts import advice
from db.transitions import regain
from db.work import ClaimOrder
from domain.ledger import AccountKind
from domain.payments import payee_share
from jobs.payouts.process import ProcessPayouts
from tests.booking import balance
from tests.builders import assert_sound, hurry, rows
from tests.kit.world import Scene
from tests.refunding import Paid, give_back, paid, payable, refunds
from workers.sandbox.faults import Fault

PRICE = 100_000
SHARE = payee_share(PRICE)
BATCH, PROCESS, CASCADE = "payouts.batch", "payouts.process", "refunds.cascade"
K = AccountKind
Quiet = Callable[[], int]


def batched(world: Scene, **how: object) -> Paid:
    """A payment whose earning a batch made a payout of, approved and due."""
    made = paid(world.operator, world.database, world.fakes.payments, price=PRICE, **how)
    payable(world.owner, made)
    world.run(BATCH)
    hurry(world.owner)
    return made


def payouts(world: Scene) -> list[str]:
    return [row.state for row in rows(world.owner, "SELECT state FROM payouts ORDER BY created_at")]


def test_a_payout_is_not_sent_while_a_refund_of_what_it_pays_is_on_its_way(
    world: Scene, run_to_quiet: Quiet
) -> None:
    """Invariant 16: a live dispute or uncascaded refund on any linked earning blocks sending (skip, still APPROVED)."""
    made = batched(world)
    give_back(world.database, made.payment, PRICE // 2)
    assert world.run(PROCESS).tally["processed"] == 0
    assert payouts(world) == ["APPROVED"]
    assert world.bank.submits == []
    [waits] = rows(world.owner, "SELECT last_error FROM work WHERE job = :job", job=PROCESS)
    assert "a refund of it is on its way" in waits.last_error
    run_to_quiet()
    # Owed less than approved by then: nothing was sent, what is left waits for the next batch.
    assert (payouts(world), list(refunds(world.owner).values())) == (["FAILED"], ["CASCADED"])
    assert world.bank.submits == []
    assert balance(world.owner, K.PAYEE_PAYABLE, made.consultant) == SHARE - SHARE // 2
    assert_sound(world.owner)


def test_w05_what_was_paid_out_already_is_owed_back_and_recorded(
    world: Scene, run_to_quiet: Quiet
) -> None:
    """Invariant 54: what the payee owes is on record, and the wallet's row beside it."""
    made = batched(world, wallet=40_000)
    run_to_quiet()
    assert payouts(world) == ["COMPLETED"]
    give_back(world.database, made.payment, PRICE // 2)
    run_to_quiet()
    records = {row.action: row for row in rows(world.owner, "SELECT * FROM refund_records")}
    assert sorted(records) == ["payout_clawback", "wallet_refund"]
    clawback = records["payout_clawback"]
    assert (clawback.owner, clawback.amount, clawback.balance_after) == (
        made.consultant,
        SHARE // 2,
        SHARE // 2,
    )
    assert balance(world.owner, K.PAYEE_RECEIVABLE, made.consultant) == -(SHARE // 2)
    assert balance(world.owner, K.PAYEE_PAYABLE, made.consultant) == 0
    assert_sound(world.owner)


def test_what_was_refunded_before_and_after_a_payment_is_told_apart_on_its_advice(
    world: Scene, run_to_quiet: Quiet
) -> None:
    made = paid(world.operator, world.database, world.fakes.payments, price=PRICE, wallet=PRICE)
    payable(world.owner, made)
    give_back(world.database, made.payment, PRICE // 10)
    run_to_quiet()
    world.run(BATCH)
    hurry(world.owner)
    run_to_quiet()
    assert payouts(world) == ["COMPLETED"]
    give_back(world.database, made.payment, PRICE // 2, key="later")
    run_to_quiet()
    [payout] = rows(world.owner, "SELECT id FROM payouts")
    with world.operator.begin() as tx:
        told = advice.advice(tx, payout.id)
    told.check()
    [of_it] = told.lines
    assert (of_it.refunded_minor, of_it.refunded_since_minor) == (SHARE // 10, SHARE // 2)
    assert (told.gross_minor, told.clawed_back_minor) == (SHARE - SHARE // 10, SHARE // 2)


def test_while_its_earning_is_being_paid_the_books_wait(world: Scene, run_to_quiet: Quiet) -> None:
    """Nobody knows whether the payee was paid: what the refund takes is decided when that has ended."""
    made = batched(world, wallet=PRICE)
    world.bank.script(Fault.DROP)
    world.run(PROCESS)
    assert payouts(world) == ["PROCESSING"]
    receipt = give_back(world.database, made.payment)
    assert world.run(CASCADE).tally["waiting"] == 1
    assert refunds(world.owner) == {receipt.refund: "SUCCEEDED"}
    assert rows(world.owner, "SELECT FROM entries WHERE type = 'refund.given'") == []
    assert_sound(world.owner)
    run_to_quiet()
    assert refunds(world.owner) == {receipt.refund: "CASCADED"}
    assert balance(world.owner, K.PAYEE_RECEIVABLE, made.consultant) == -SHARE
    assert balance(world.owner, K.WALLET, made.customer) == PRICE
    assert_sound(world.owner)


def test_neither_waits_for_the_other_where_a_claim_was_released_unsent(
    world: Scene, run_to_quiet: Quiet
) -> None:
    """The books wait for the end of what is PROCESSING, so that is sent: a refund keeps only what is APPROVED."""
    made = batched(world, wallet=PRICE)
    job = world.jobs[PROCESS]
    assert isinstance(job, ProcessPayouts)
    with world.database.begin() as tx:
        items = job.claim(tx, ClaimOrder(run=1, limit=10, lease_seconds=60)).items
    with world.database.begin() as tx:
        held = [item.held for item in items]
        job.release(regain(tx, held, run=1), items)
        work.release(tx, held)
    receipt = give_back(world.database, made.payment)
    assert world.run(CASCADE).tally["waiting"] == 1
    assert world.run(PROCESS).tally["skipped"] == 0
    run_to_quiet()
    assert (payouts(world), refunds(world.owner)) == (["COMPLETED"], {receipt.refund: "CASCADED"})
    assert balance(world.owner, K.PAYEE_RECEIVABLE, made.consultant) == -SHARE
    assert_sound(world.owner)


def test_a_payout_that_comes_back_is_owed_less_what_was_given_back_meanwhile(
    world: Scene, run_to_quiet: Quiet
) -> None:
    made = batched(world, wallet=PRICE)
    run_to_quiet()
    give_back(world.database, made.payment, PRICE // 2)
    world.run(CASCADE)
    [payout] = rows(world.owner, "SELECT id FROM payouts")
    world.bank.settle(str(payout.id), "reversed")
    hurry(world.owner)
    world.run("payouts.follow")
    assert payouts(world)[0] == "REVERSED"
    assert balance(world.owner, K.PAYEE_RECEIVABLE, made.consultant) == 0
    assert_sound(world.owner)
