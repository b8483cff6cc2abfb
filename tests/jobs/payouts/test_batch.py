"""`payouts.batch`: what is owed becomes payouts, each payee once in a period, nothing twice."""

import uuid
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from db.earnings import source
from db.earnings.source import EARNINGS
from db.errors import DatabaseRefusedError
from db.payouts.batch import Order
from db.tx import Tx
from domain.batching import BatchPolicy
from domain.earnings import EarningKind
from domain.errors import BadInputError, BrokenError
from domain.findings import FindingKind
from domain.payees import PayeeKind
from jobs.payouts.batch import FIRST, BatchPayouts
from tests.builders import assert_sound, change, states
from tests.earning import earn, earning, earning_states, know, owe, payee
from tests.kit.world import Scene
from tests.operating import query
from workers.runner.execute import subjects

MADE = "SELECT * FROM payouts ORDER BY external_id"
THIS_WEEK = "SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'IYYY-\"W\"IW') AS key"


def key(world: Scene) -> str:
    return str(query(world.operator, THIS_WEEK)[0].key)


def fresh(world: Scene, *lines: tuple[str, int], payees: int = 1) -> None:
    """Payees who can be paid, and earnings (external id, amount) of the first."""
    know(world.operator, [payee(f"payee {n}") for n in range(payees)])
    earn(world.operator, [earning(id_, amount_minor=amount) for id_, amount in lines])


def test_what_is_owed_becomes_one_payout_of_each_payee(world: Scene) -> None:
    """Invariant 14: what a payout pays is the sum of what it is linked to."""
    owe(world.url, 9, payees=3)
    run = world.run("payouts.batch")
    assert (run.state, run.tally["succeeded"], run.tally["skipped"]) == ("succeeded", 3, 0)
    made = query(world.operator, MADE)
    assert [row.amount for row in made] == [300_000] * 3
    assert {row.source for row in made} == {"earnings"}
    assert made[0].external_id == f"batch:earnings:{key(world)}:{made[0].payee}:INR"
    links = query(
        world.operator,
        """SELECT l.payout, sum(e.amount - e.refunded) AS owed FROM payout_earnings l
           JOIN earnings e ON e.id = l.earning WHERE l.live GROUP BY l.payout""",
    )
    assert {row.payout: row.owed for row in links} == {row.id: 300_000 for row in made}
    assert earning_states(world.operator) == {"BATCHED": 9}
    assert_sound(world.owner)


def test_the_same_batch_twice_makes_nothing_new(world: Scene) -> None:
    """A second run in the period pays nobody again, not even what came in between."""
    fresh(world, ("E-1", 100_000))
    world.run("payouts.batch")
    earn(world.operator, [earning("E-2")])
    run = world.run("payouts.batch")
    assert (run.tally["succeeded"], run.tally["skipped"]) == (0, 1)
    assert earning_states(world.operator) == {"BATCHED": 1, "READY": 1}
    assert world.run("payouts.batch", period="day").tally["succeeded"] == 1


def test_a_late_batch_is_of_the_period_its_tick_lies_in(world: Scene) -> None:
    owe(world.url, 1)
    asked = world.request("payouts.batch")
    change(
        world.owner,
        """INSERT INTO ticks (schedule, tick_at, outcome, run, recorded_by)
           VALUES ('payouts.batch', '2026-11-16T05:00Z', 'run', :run, 'x')""",
        run=asked,
    )
    world.runner.execute(asked)
    [made] = query(world.operator, MADE)
    assert ":2026-W47:" in made.external_id


@pytest.mark.parametrize(("amount", "made"), [(49_999, 0), (50_000, 1)])
def test_less_than_the_minimum_waits_for_more(world: Scene, amount: int, made: int) -> None:
    """Invariant 20."""
    fresh(world, ("E-1", amount - 20_000), ("E-2", 20_000))
    run = world.run("payouts.batch")
    assert (run.tally["succeeded"], run.tally["skipped"]) == (made, 1 - made)
    assert sum(states(world.operator).values()) == made


@pytest.mark.parametrize(("amount", "state"), [(499_999, "APPROVED"), (500_000, "PENDING")])
def test_only_what_is_strictly_below_the_limit_needs_nobody(
    world: Scene, amount: int, state: str
) -> None:
    """Invariant 19."""
    fresh(world, ("E-1", amount))
    world.run("payouts.batch")
    [made] = query(world.operator, MADE)
    assert made.state == state
    assert made.approved_by == ("auto-approve" if state == "APPROVED" else None)


def test_mixed_currencies_are_never_in_one_payout(world: Scene) -> None:
    """Invariant 21."""
    fresh(world, ("E-1", 100_000))
    earn(world.operator, [earning("E-2", currency="USD"), earning("E-3", currency="USD")])
    world.run("payouts.batch")
    made = {row.currency: row.amount for row in query(world.operator, MADE)}
    assert made == {"INR": 100_000, "USD": 200_000}
    assert_sound(world.owner)


@pytest.mark.parametrize(
    "changes", [{"verified": False}, {"default": False}], ids=["unverified", "not default"]
)
def test_nobody_is_paid_to_an_account_that_is_not_proven(
    world: Scene, changes: dict[str, object]
) -> None:
    """Invariant 22; somebody is told, and is told no more once it is put right."""
    know(world.operator, [payee("payee 0", **changes)])
    earn(world.operator, [earning()])
    assert world.run("payouts.batch").tally["skipped"] == 1
    assert told(world) == ["1 payees"]
    know(world.operator, [payee()])
    assert world.run("payouts.batch").tally["succeeded"] == 1
    assert told(world) == []


def told(world: Scene) -> list[str]:
    """How many payees the open finding is about."""
    rows = query(
        world.operator,
        "SELECT detail FROM findings WHERE kind = :kind AND resolved_at IS NULL",
        kind=FindingKind.PAYEES_UNPAYABLE.value,
    )
    return [" ".join(row.detail.partition(": ")[2].split()[:2]) for row in rows]


def test_what_is_disputed_or_on_hold_or_given_back_is_not_paid(world: Scene) -> None:
    """Invariant 16, before there is a payout."""
    soon = datetime.now(UTC)
    know(world.operator, [payee()])
    earn(
        world.operator,
        [
            earning("held", earned_at=soon, kind=EarningKind.WEBINAR),
            earning("disputed"),
            earning("given back"),
            earning("owed"),
        ],
    )
    change(
        world.owner,
        "UPDATE earnings SET held = true, state = 'HELD' WHERE external_id = 'disputed'",
    )
    change(world.owner, "UPDATE earnings SET refunded = amount WHERE external_id = 'given back'")
    world.run("payouts.batch")
    rows = query(world.operator, "SELECT external_id FROM earnings WHERE state = 'BATCHED'")
    assert [row.external_id for row in rows] == ["owed"]


def test_an_earning_is_in_one_live_payout(world: Scene) -> None:
    """Invariant 15: a rejected payout gives its earnings back, and the next batch pays them."""
    fresh(world, ("E-1", 600_000))
    world.run("payouts.batch")
    change(
        world.operator,
        "SELECT bursar_move('payout', ARRAY(SELECT id FROM payouts), 'CANCELLED', 'asha', 'no')",
    )
    assert earning_states(world.operator) == {"READY": 1}
    world.run("payouts.batch", period="month")
    live = query(world.operator, "SELECT live FROM payout_earnings ORDER BY live")
    assert [row.live for row in live] == [False, True]
    assert states(world.operator) == {"CANCELLED": 1, "PENDING": 1}
    assert_sound(world.owner)


def test_what_needs_nobody_is_sent_at_the_next_tick_of_process(world: Scene) -> None:
    owe(world.url, 1)
    change(
        world.owner,
        """INSERT INTO schedule_progress (schedule, rhythm, accounted_until, next_tick_at)
           VALUES ('payouts.process', 'every 60', clock_timestamp(), '2099-01-05T06:00Z')""",
    )
    world.run("payouts.batch")
    [work] = query(world.operator, "SELECT job, due_at FROM work")
    assert (work.job, work.due_at) == ("payouts.process", datetime(2099, 1, 5, 6, tzinfo=UTC))


def test_pages_end_between_payees_and_all_are_paid(
    world: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source, "PAGE", 4)
    owe(world.url, 15, payees=5)
    run = world.run("payouts.batch")
    assert run.tally["succeeded"] == 5
    assert {row.amount for row in query(world.operator, MADE)} == {300_000}


def test_one_payee_with_more_than_a_page_is_paid_whole(
    world: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source, "PAGE", 2)
    owe(world.url, 5, payees=1)
    assert world.run("payouts.batch").tally["succeeded"] == 1
    assert earning_states(world.operator) == {"BATCHED": 5}


def test_a_page_whose_links_are_not_what_was_locked_is_rolled_back(world: Scene) -> None:
    owe(world.url, 2, payees=1)

    def make(tx: Tx) -> None:
        stretch = EARNINGS.stretch(tx, PayeeKind.PERSON, FIRST)
        assert stretch is not None
        [owed] = EARNINGS.owed(tx, stretch, datetime.now(UTC), lock=True)
        other = replace(owed, amount=owed.amount + 1)
        order = Order(id=uuid.uuid4(), external_id="x", narration="", owed=other)
        EARNINGS.make(tx, [order], "x")

    with pytest.raises(BrokenError, match="would pay 2 earnings"):
        world.database.transact(make)
    assert earning_states(world.operator) == {"READY": 2}
    assert states(world.operator) == {}


def test_a_dry_run_foresees_and_writes_nothing(world: Scene) -> None:
    """Invariant 18: a dry run writes nothing."""
    owe(world.url, 4, payees=2)
    earn(
        world.operator,
        [earning("E-big", payee="payee 1", amount_minor=125_000), earning("E-x", payee="Z")],
    )
    job = BatchPayouts(BatchPolicy())
    with world.database.begin() as tx:
        facts = dict(job.foresee(tx, {}))
    [largest] = query(world.operator, "SELECT id FROM payees WHERE name = 'payee 1'")
    assert facts == {
        "key": key(world),
        "would_make": 2,
        "amount_minor_INR": 525_000,
        "largest_minor_INR": 325_000,
        "largest_payee_INR": largest.id,
        "left_out_no_account": 1,
    }
    assert states(world.operator) == {}


def test_a_dry_run_counts_who_was_paid_already(world: Scene) -> None:
    fresh(world, ("E-1", 100_000))
    world.run("payouts.batch")
    earn(world.operator, [earning("E-2")])
    with world.database.begin() as tx:
        facts = BatchPayouts(BatchPolicy()).foresee(tx, {})
    assert (facts["would_make"], facts["left_out_paid_already"]) == (0, 1)


def test_a_scope_that_is_none_is_refused(world: Scene) -> None:
    with pytest.raises(BadInputError, match="must be one of week, hour, day, month"):
        subjects(world.jobs["payouts.batch"], {"period": "year"})


def test_a_worker_makes_payouts_of_nothing_but_what_is_owed(world: Scene) -> None:
    """The door computes the amount, and pays to the verified default account."""
    owe(world.url, 1)
    with pytest.raises(DatabaseRefusedError, match="permission denied"):
        query(
            world.database,
            "INSERT INTO payout_earnings (payout, earning) VALUES (gen_random_uuid(), gen_random_uuid())",
        )
    made = query(
        world.database,
        """SELECT p.* FROM earnings e CROSS JOIN LATERAL pay_earnings(
             ARRAY[gen_random_uuid()], ARRAY['x'], ARRAY[gen_random_uuid()], ARRAY['INR'], ARRAY['{' || e.id || '}'],
             ARRAY[''], 'x') p""",
    )
    assert made == []
