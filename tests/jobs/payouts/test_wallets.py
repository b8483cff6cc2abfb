"""Wallets as a source of `payouts.batch`: paid once, in their own rhythm, and whatever does not arrive is back once."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from db.errors import DatabaseRefusedError
from db.payees import listing as payees, statement
from db.payouts import advice
from db.payouts.decide import decide
from db.wallets import listing
from db.wallets.listing import Wish
from db.wallets.source import WALLETS
from domain.batching import BATCH, ORG_BATCH, Period
from domain.decisions import Decision
from domain.payouts import FOLLOW, ORG_PROCESS, PROCESS
from tests.builders import assert_sound, change, hurry, payout, rows, states
from tests.earning import LONG_AGO, earn, earning, know, payee
from tests.hearing import about, event, receive
from tests.keeping import credit, fill, held, ids, keep, left
from tests.kit.world import Scene
from workers.papers.statement import paper as told_on_paper
from workers.sandbox.faults import Fault

FAR = datetime(2100, 1, 1, tzinfo=UTC)
MADE = "SELECT * FROM payouts ORDER BY created_at, external_id"


def says(world: Scene, **said: object) -> None:
    """The owner of every wallet says how it is to be paid."""
    with world.operator.begin() as tx:
        for row in tx.page(listing._NEWEST, after=None, limit=100):
            listing.wish(tx, row.id, Wish(**said), actor="asha", why="asked by mail")  # type: ignore[arg-type]  # by name


def batch_at(world: Scene, moment: str, job: str = BATCH) -> int:
    """A batch whose tick was at `moment`; how many payouts it made."""
    asked = world.request(job)
    change(
        world.owner,
        """INSERT INTO ticks (schedule, tick_at, outcome, run, recorded_by)
           VALUES (:job, CAST(:at AS timestamptz), 'run', :run, 'x')""",
        job=job,
        at=moment,
        run=asked,
    )
    world.runner.execute(asked)
    return int(world.row(asked).tally["succeeded"])


def hears(world: Scene, payout: UUID, *words: str) -> None:
    """Its provider sends an event for each word, and each is applied."""
    receive(world.database, [event(about(world.bank, payout), word) for word in words])
    world.run("webhooks.apply")


def test_all_that_is_left_of_a_wallet_becomes_one_payout_of_its_own_account(world: Scene) -> None:
    fill(world.operator, 2)
    run = world.run(BATCH)
    assert (run.state, run.tally["succeeded"], run.tally["skipped"]) == ("succeeded", 2, 0)
    made = rows(world.owner, MADE)
    assert {(row.source, row.amount, row.state) for row in made} == {
        ("wallets", 100_000, "APPROVED")
    }
    assert made[0].external_id.startswith(f"batch:wallets:{datetime.now(UTC):%G-W%V}:")
    assert made[0].narration == f"Wallet {datetime.now(UTC):%G W%V}"
    assert set(held(world.owner).values()) == {100_000}
    assert set(left(world.owner).values()) == {0}, "what waits is reserved"
    assert_sound(world.owner)


def test_money_leaves_the_wallet_when_it_is_sent_and_is_counted_once(world: Scene) -> None:
    fill(world.operator)
    world.run(BATCH)
    assert world.run(PROCESS).tally["succeeded"] == 1
    assert (held(world.owner), left(world.owner)) == ({"payee 0": 0}, {"payee 0": 0})
    assert world.run(BATCH, period="hour").tally["succeeded"] == 0
    world.bank.finish()
    hurry(world.owner)
    world.run(FOLLOW)
    assert states(world.owner) == {"COMPLETED": 1}
    assert held(world.owner) == {"payee 0": 0}
    assert_sound(world.owner)


def test_what_comes_in_meanwhile_is_paid_by_the_next_batch_and_nothing_else(world: Scene) -> None:
    """Invariant 15, of wallets: no unit is in two payouts."""
    fill(world.operator)
    assert batch_at(world, "2026-11-16T05:00Z") == 1
    keep(world.operator, [credit("W-2", amount_minor=60_000)])
    assert batch_at(world, "2026-11-17T05:00Z") == 0, "once in its week"
    assert batch_at(world, "2026-11-23T05:00Z") == 1
    assert [row.amount for row in rows(world.owner, MADE)] == [100_000, 60_000]
    assert left(world.owner) == {"payee 0": 0}
    assert_sound(world.owner)


def test_a_refused_payout_is_back_in_the_wallet_once_and_a_retry_takes_it_again(
    world: Scene,
) -> None:
    fill(world.operator)
    world.run(BATCH)
    [made] = ids(world.owner)
    world.bank.script(Fault.REFUSE)
    world.run(PROCESS)
    assert states(world.owner) == {"FAILED": 1}
    assert (held(world.owner), left(world.owner)) == ({"payee 0": 100_000}, {"payee 0": 100_000})
    assert_sound(world.owner)

    with world.operator.begin() as tx:
        [moved] = decide(tx, Decision.RETRY, [made], actor="asha", why="repaired")
    assert moved.outcome == "moved"
    assert left(world.owner) == {"payee 0": 0}
    assert world.run(PROCESS).tally["succeeded"] == 1
    assert held(world.owner) == {"payee 0": 0}
    assert_sound(world.owner)


def test_a_retry_is_refused_where_the_wallet_pays_another_payout_meanwhile(world: Scene) -> None:
    fill(world.operator)
    world.run(BATCH)
    [made] = ids(world.owner)
    world.bank.script(Fault.REFUSE)
    world.run(PROCESS)
    says(world, frequency=Period.MONTH)
    assert world.run(BATCH).tally["succeeded"] == 1
    with world.operator.begin() as tx:
        [moved] = decide(tx, Decision.RETRY, [made], actor="asha", why="repaired")
    assert moved.outcome == "short"


@pytest.mark.parametrize("decision", [Decision.REJECT, Decision.CANCEL])
def test_what_is_withdrawn_before_it_was_sent_is_free_again(
    world: Scene, decision: Decision
) -> None:
    fill(world.operator, each=600_000 if decision is Decision.REJECT else 100_000)
    world.run(BATCH)
    with world.operator.begin() as tx:
        [moved] = decide(tx, decision, ids(world.owner), actor="asha", why="no")
    assert moved.outcome == "moved"
    assert left(world.owner) == held(world.owner)
    assert world.run(PROCESS).tally["processed"] == 0
    assert_sound(world.owner)


def test_what_the_bank_gives_back_is_back_in_the_wallet_once(world: Scene) -> None:
    """Invariant 26, of wallets."""
    fill(world.operator)
    world.run(BATCH)
    world.run(PROCESS)
    [made] = ids(world.owner)
    hears(world, made, "processed")
    assert held(world.owner) == {"payee 0": 0}
    world.bank.settle(str(made), "reversed")
    for _ in range(2):
        hurry(world.owner)
        world.run(FOLLOW)
    assert states(world.owner) == {"REVERSED": 1}
    assert held(world.owner) == {"payee 0": 100_000}
    assert_sound(world.owner)


def test_what_was_paid_after_all_is_taken_from_the_wallet_and_the_next_payout_is_not_sent(
    world: Scene,
) -> None:
    """Invariant 28: the owner has the money; a second payout of it fails unsent, and nothing is below zero."""
    fill(world.operator)
    world.run(BATCH)
    world.run(PROCESS)
    [first] = ids(world.owner)
    world.bank.settle(str(first), "failed")
    hurry(world.owner)
    world.run(FOLLOW)
    assert states(world.owner) == {"FAILED": 1}
    says(world, frequency=Period.MONTH)
    assert world.run(BATCH).tally["succeeded"] == 1

    hears(world, first, "processed")
    assert payout(world.owner, first).state == "COMPLETED"
    assert held(world.owner) == {"payee 0": 0}
    sent = len(world.bank.submits)
    assert world.run(PROCESS).tally["skipped"] == 1
    assert len(world.bank.submits) == sent
    [short] = rows(world.owner, "SELECT error FROM payouts WHERE state = 'FAILED'")
    assert "its wallet holds less than was approved" in short.error
    assert left(world.owner) == {"payee 0": 0}
    assert_sound(world.owner)


@pytest.mark.parametrize(
    ("own", "amount", "made"),
    [
        (None, 49_999, 0),
        (None, 50_000, 1),
        (80_000, 79_999, 0),
        (80_000, 80_000, 1),
        (20_000, 30_000, 0),
    ],
)
def test_the_minimum_has_two_tiers(world: Scene, own: int | None, amount: int, made: int) -> None:
    """Nobody's own is below the installation's."""
    fill(world.operator, each=amount)
    says(world, minimum_minor=own)
    run = world.run(BATCH)
    assert (run.tally["succeeded"], run.tally["skipped"]) == (made, 1 - made)


def test_who_has_opted_out_is_left_alone_until_they_opt_in(world: Scene) -> None:
    fill(world.operator)
    says(world, opted_out=True)
    assert world.run(BATCH).tally["succeeded"] == 0
    says(world, opted_out=False)
    assert world.run(BATCH).tally["succeeded"] == 1


@pytest.mark.parametrize(
    ("frequency", "made"),
    [(Period.HOUR, 4), (Period.DAY, 3), (Period.WEEK, 2), (Period.MONTH, 1)],
)
def test_each_wallet_is_paid_in_its_own_rhythm(world: Scene, frequency: Period, made: int) -> None:
    """Whatever the batch is asked: its period is that of earnings."""
    fill(world.operator)
    says(world, frequency=frequency)
    done = 0
    ticks = ("2026-11-15T05:00Z", "2026-11-16T05:00Z", "2026-11-17T05:00Z", "2026-11-17T06:00Z")
    for number, tick in enumerate(ticks):
        keep(world.operator, [credit(f"more {number}")])
        done += batch_at(world, tick)
    assert done == made
    assert_sound(world.owner)


def test_organisations_wallets_are_paid_by_their_own_jobs(world: Scene) -> None:
    fill(world.operator, kind="organisation")
    assert world.run(BATCH).tally["succeeded"] == 0
    assert world.run(ORG_BATCH).tally["succeeded"] == 1
    assert world.run(ORG_PROCESS).tally["succeeded"] == 1
    assert_sound(world.owner)


def test_a_payee_is_paid_its_earnings_and_its_wallet_apart_and_tax_of_earnings_alone(
    world: Scene,
) -> None:
    know(world.operator, [payee()])
    earn(world.operator, [earning("E-1")])
    keep(world.operator, [credit()])
    assert world.run(BATCH).tally["succeeded"] == 2
    world.run(PROCESS)
    found = {row.source: row for row in rows(world.owner, MADE)}
    assert found["earnings"].tds_engine is not None
    assert (found["wallets"].tds_engine, found["wallets"].net_amount) == (None, None)
    assert_sound(world.owner)


def test_only_a_verified_default_account_is_paid_to(world: Scene) -> None:
    """Invariant 22: not by a batch, and not by a claim after it."""
    keep(world.operator, [credit()])
    assert world.run(BATCH).tally["succeeded"] == 0
    know(world.operator, [payee()])
    assert world.run(BATCH).tally["succeeded"] == 1
    change(world.owner, "UPDATE payout_accounts SET verified = false")
    world.run(PROCESS)
    assert "not verified" in payout(world.owner, ids(world.owner)[0]).w_parked
    assert world.bank.submits == []


def test_a_worker_makes_of_a_wallet_what_is_left_and_no_more(world: Scene) -> None:
    """The door pays no more than is left, whatever it is asked; a wallet that is named twice is paid once."""
    fill(world.operator)
    for forbidden in (
        "INSERT INTO wallets SELECT * FROM wallets",
        "UPDATE wallets SET opted_out = false",
    ):
        with pytest.raises(DatabaseRefusedError, match="permission denied"):
            change(world.database, forbidden)
    twice = """
        SELECT p.* FROM wallets w CROSS JOIN LATERAL pay_wallets(
          ARRAY[gen_random_uuid(), gen_random_uuid()], ARRAY['x', 'y'], ARRAY[w.id, w.id],
          ARRAY[999999, 999999], ARRAY['', ''], 'x') p"""
    assert [row.amount for row in rows(world.database, twice)] == [100_000]
    assert rows(world.database, twice.replace("'x', 'y'", "'v', 'z'")) == []


def test_pages_end_between_payees_and_all_are_paid(
    world: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("db.wallets.source.PAGE", 2)
    fill(world.operator, 5)
    keep(world.operator, [credit("W-usd", payee="payee 1", currency="USD")])
    assert world.run(BATCH).tally["succeeded"] == 6
    assert WALLETS.name == "wallets"


def test_what_the_owner_is_told_on_paper_are_the_books_with_the_wallet(world: Scene) -> None:
    """What a wallet holds is owed to its owner, and its payouts are payments to them."""
    fill(world.operator)
    world.run(BATCH)
    world.run(PROCESS)
    [made] = ids(world.owner)
    hears(world, made, "processed")
    keep(world.operator, [credit("W-2", amount_minor=7_000)])
    with world.operator.begin() as tx:
        whose, name = payees.find(tx, "payee 0")
        told = statement.statement(tx, whose, name, start=LONG_AGO, end=FAR)
        paper = advice.advice(tx, made)
    [rupees] = told.currencies
    rupees.check()
    paper.check()
    assert told_on_paper(told).tables
    assert [one.event for one in rupees.movements] == [
        "put into the wallet",
        "paid out",
        "put into the wallet",
    ]
    assert rupees.closing.owed_minor == 7_000
    assert [(one.gross_minor, one.net_minor) for one in rupees.payments] == [(100_000, 100_000)]
