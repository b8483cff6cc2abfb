"""`payouts.org_batch`: what is owed to organisations, by the same rules, apart from what is owed to people."""

from datetime import UTC, datetime

import pytest

from domain.batching import BATCH, ORG_BATCH, BatchPolicy
from domain.findings import FindingKind
from domain.payouts import ORG_PROCESS, PROCESS
from jobs.payouts.org_batch import BatchOrganisations
from schedules.timetable import TIMETABLE
from tests.builders import assert_sound, change, rows
from tests.earning import earn, earning, know, owe, payee
from tests.kit.world import Scene

MADE = "SELECT p.*, y.name FROM payouts p JOIN payees y ON y.id = p.payee ORDER BY y.name"
OPEN = "SELECT subject FROM findings WHERE kind = :kind AND resolved_at IS NULL ORDER BY subject"


def both(world: Scene) -> None:
    """What is owed to two organisations and two people."""
    owe(world.url, 4, payees=2, called="trust", kind="organisation")
    owe(world.url, 4, payees=2)


def test_each_batch_pays_its_own_kind(world: Scene) -> None:
    both(world)
    assert world.run(ORG_BATCH).tally["succeeded"] == 2
    assert [(row.name, row.payee_kind) for row in rows(world.owner, MADE)] == [
        ("trust 0", "organisation"),
        ("trust 1", "organisation"),
    ]
    run = world.run(BATCH)
    assert (run.tally["succeeded"], run.tally["skipped"]) == (2, 0)
    jobs = rows(world.owner, "SELECT job, count(*) AS n FROM work GROUP BY job ORDER BY job")
    assert [tuple(row) for row in jobs] == [(ORG_PROCESS, 2), (PROCESS, 2)]
    assert_sound(world.owner)


@pytest.mark.parametrize(
    ("period", "key"),
    [("hour", "2026-11-16T05"), ("day", "2026-11-16"), ("week", "2026-W47"), ("month", "2026-11")],
)
def test_identities_are_those_of_the_tick_and_tell_their_source(
    world: Scene, period: str, key: str
) -> None:
    """The trap: a key made of the time a run happens to start is another one each time."""
    owe(world.url, 1, payees=1, called="trust", kind="organisation")
    asked = world.request(ORG_BATCH, period=period)
    change(
        world.owner,
        """INSERT INTO ticks (schedule, tick_at, outcome, run, recorded_by)
           VALUES ('payouts.org_batch', '2026-11-16T05:30Z', 'run', :run, 'x')""",
        run=asked,
    )
    world.runner.execute(asked)
    [made] = rows(world.owner, MADE)
    assert made.external_id == f"batch:earnings:{key}:{made.payee}:INR"


def test_whoever_turns_out_to_be_an_organisation_is_paid_once_in_a_period(world: Scene) -> None:
    know(world.operator, [payee()])
    earn(world.operator, [earning("E-1")])
    assert world.run(BATCH).tally["succeeded"] == 1
    change(world.owner, "UPDATE payees SET kind = 'organisation'")
    earn(world.operator, [earning("E-2")])
    run = world.run(ORG_BATCH)
    assert (run.tally["succeeded"], run.tally["skipped"]) == (0, 1)


def test_each_batch_tells_of_its_own_unpayable_payees_and_heals_no_others(world: Scene) -> None:
    know(world.operator, [payee("trust", kind="organisation", verified=False)])
    know(world.operator, [payee("person", verified=False)])
    earn(world.operator, [earning("E-1", payee="trust"), earning("E-2", payee="person")])
    world.run(ORG_BATCH)
    world.run(BATCH)
    kind = FindingKind.PAYEES_UNPAYABLE.value
    assert [row.subject for row in rows(world.owner, OPEN, kind=kind)] == [BATCH, ORG_BATCH]
    know(world.operator, [payee("person")])
    assert world.run(BATCH).tally["succeeded"] == 1
    assert [row.subject for row in rows(world.owner, OPEN, kind=kind)] == [ORG_BATCH]


def test_what_needs_nobody_is_sent_at_the_next_tick_of_its_own_sender(world: Scene) -> None:
    owe(world.url, 1, payees=1, called="trust", kind="organisation")
    change(
        world.owner,
        """INSERT INTO schedule_progress (schedule, rhythm, accounted_until, next_tick_at)
           VALUES ('payouts.org_process', 'every 60', clock_timestamp(), '2099-01-05T06:30Z'),
                  ('payouts.process', 'every 60', clock_timestamp(), '2099-01-05T06:00Z')""",
    )
    world.run(ORG_BATCH)
    [work] = rows(world.owner, "SELECT job, due_at FROM work")
    assert (work.job, work.due_at) == (ORG_PROCESS, datetime(2099, 1, 5, 6, 30, tzinfo=UTC))


def test_a_dry_run_foresees_its_own_kind_and_writes_nothing(world: Scene) -> None:
    both(world)
    with world.database.begin() as tx:
        facts = BatchOrganisations(BatchPolicy()).foresee(tx, {})
    assert (facts["would_make"], facts["amount_minor_INR"]) == (2, 400_000)
    assert rows(world.owner, MADE) == []


def test_organisations_come_half_an_hour_after_people() -> None:
    crons = {line.job: line.rhythm.cron for line in TIMETABLE}
    assert crons[BATCH] == "0 5 * * mon"
    assert crons[ORG_BATCH] == "30 5 * * mon"
    assert crons[PROCESS] == "0 6 * * mon"
    assert crons[ORG_PROCESS] == "30 6 * * mon"
