"""What settled obligations received is divided once, exactly; what cannot be divided is said."""

from dataclasses import replace

import pytest

from domain.findings import FindingKind
from domain.obligations import CREATE, ObligationKind
from tests.builders import assert_sound, change, rows
from tests.kit.world import Scene
from tests.mortgages import (
    DAY,
    LINE,
    SETTLED,
    balances,
    lend,
    owe,
    pay,
    reroute,
    shares,
    standing,
)

UNITS = {"A": 6000, "B": 4000}


def findings(world: Scene) -> dict[str, str]:
    """The detail of each open finding, by kind."""
    found = rows(world.owner, "SELECT kind, detail FROM findings WHERE resolved_at IS NULL")
    return {row.kind: row.detail for row in found}


def test_a_settled_obligation_is_divided_fee_first(world: Scene) -> None:
    lend(world.operator, UNITS)
    [id_] = owe(world.operator, LINE)
    pay(world.operator, id_, 100_000, method="pad")
    assert standing(world.owner, id_).job == CREATE
    run = world.run(CREATE)
    assert (run.state, run.tally["succeeded"]) == ("succeeded", 1)
    assert shares(world.owner, id_) == {"A": 55_000, "B": 36_667}
    assert balances(world.owner) == {
        "trust_cash": 100_000,
        "lender_payable": 91_667,
        "servicing_revenue": 8_333,
    }
    assert standing(world.owner, id_).state == "DISPERSED"
    [made] = rows(world.owner, "SELECT * FROM calculation_runs")
    assert (made.received, made.fee_due, made.fee_applied, made.shares) == (
        100_000,
        8_333,
        8_333,
        2,
    )
    assert str(made.eligible_on) == "2026-03-27"
    assert len(made.inputs["positions"]) == 2
    assert (made.inputs["method"], made.inputs["principal"]) == ("pad", 10_000_000)
    assert_sound(world.owner)


def test_what_the_fee_takes_whole_is_dispersed_without_a_share(world: Scene) -> None:
    """Invariant 65: a fee-only obligation is no orphan. TRAP: its missing shares taken for a missing dispersal."""
    lend(world.operator, UNITS)
    [id_] = owe(world.operator, replace(LINE, amount_minor=8_000))
    pay(world.operator, id_, 8_000)
    world.run(CREATE)
    assert (standing(world.owner, id_).state, shares(world.owner, id_)) == ("DISPERSED", {})
    assert balances(world.owner) == {"trust_cash": 8_000, "servicing_revenue": 8_000}
    change(world.owner, "INSERT INTO work (job, subject) VALUES (:job, :id)", job=CREATE, id=id_)
    assert world.run(CREATE).tally["skipped"] == 1
    assert rows(world.owner, "SELECT FROM work") == []
    assert findings(world) == {}
    assert_sound(world.owner)


def test_asked_for_again_under_any_key_nothing_new_is_made(world: Scene) -> None:
    """Invariant 61."""
    lend(world.operator, UNITS)
    [id_] = owe(world.operator, LINE)
    pay(world.operator, id_, 100_000)
    world.run(CREATE)
    before = [
        rows(world.owner, f"SELECT count(*) FROM {table}")  # noqa: S608  tables of ours
        for table in ("entries", "postings", "dispersals", "calculation_runs")
    ]
    for _ in range(3):
        change(
            world.owner,
            "INSERT INTO work (job, subject) VALUES (:job, :id)",
            job=CREATE,
            id=id_,
        )
        assert world.run(CREATE).tally["skipped"] == 1
    after = [
        rows(world.owner, f"SELECT count(*) FROM {table}")  # noqa: S608  tables of ours
        for table in ("entries", "postings", "dispersals", "calculation_runs")
    ]
    assert before == after
    assert_sound(world.owner)


def settled_again(world: Scene, id_: object) -> None:
    """As if nobody had moved it: SETTLED, with its work, and whatever else there is of its dispersal."""
    change(
        world.owner,
        """WITH moved AS (
             INSERT INTO moves (kind, subject, source, target, actor)
             VALUES ('obligation', :id, 'DISPERSED', 'SETTLED', 'test')),
           due AS (INSERT INTO work (job, subject) VALUES (:job, :id))
           UPDATE obligations SET state = 'SETTLED' WHERE id = :id""",
        id=id_,
        job=CREATE,
    )


def test_a_dispersal_that_is_there_whole_is_the_answer(world: Scene) -> None:
    """Invariant 61: a replay returns what there is, also where the fee took all."""
    lend(world.operator, UNITS)
    whole, fee = owe(world.operator, LINE, replace(LINE, external_id="O-2", amount_minor=8_000))
    pay(world.operator, whole, 100_000)
    pay(world.operator, fee, 8_000)
    world.run(CREATE)
    before = balances(world.owner)
    for id_ in (whole, fee):
        settled_again(world, id_)
    assert world.run(CREATE).tally["succeeded"] == 2
    assert balances(world.owner) == before
    assert {standing(world.owner, id_).state for id_ in (whole, fee)} == {"DISPERSED"}
    assert_sound(world.owner)


def test_a_dispersal_that_is_not_whole_is_an_error_and_never_topped_up(world: Scene) -> None:
    """TRAP: a partial earlier state topped up in silence."""
    lend(world.operator, UNITS)
    [id_] = owe(world.operator, LINE)
    pay(world.operator, id_, 100_000)
    world.run(CREATE)
    settled_again(world, id_)
    change(world.owner, "DELETE FROM work WHERE subject IN (SELECT id FROM dispersals LIMIT 1)")
    change(world.owner, "DELETE FROM dispersals WHERE amount = 36667")
    before = balances(world.owner)
    assert world.run(CREATE).tally["failed"] == 1
    assert "is not whole" in findings(world)[FindingKind.DISPERSAL_STALLED]
    assert shares(world.owner, id_) == {"A": 55_000}
    assert balances(world.owner) == before


def test_settled_without_cash_is_a_finding_and_the_amount_is_never_assumed(world: Scene) -> None:
    """TRAP: an obligation's own amount dispersed although nothing came in."""
    lend(world.operator, UNITS)
    [id_] = owe(world.operator, SETTLED)
    assert world.run(CREATE).tally["failed"] == 1
    assert standing(world.owner, id_).state == "STALLED"
    assert list(findings(world)) == [FindingKind.SETTLED_WITHOUT_CASH]
    assert shares(world.owner, id_) == {}
    assert balances(world.owner) == {"borrower_receivable": 100_000, "control_accrual": 100_000}
    assert_sound(world.owner)


def test_settled_without_a_date_is_a_finding_and_today_is_never_assumed(world: Scene) -> None:
    """TRAP: a missing settled date replaced by today."""
    lend(world.operator, UNITS)
    [id_] = owe(world.operator, replace(SETTLED, settled_on=None))
    pay(world.operator, id_, 100_000)
    assert world.run(CREATE).tally["failed"] == 1
    assert list(findings(world)) == [FindingKind.SETTLED_WITHOUT_DATE]
    assert shares(world.owner, id_) == {}
    assert_sound(world.owner)


def test_one_that_cannot_be_divided_does_not_stop_its_siblings(world: Scene) -> None:
    """Invariant 64: the error is recorded, and the others are divided."""
    lend(world.operator, UNITS)
    reroute(world.operator, "A", "B", 9000, day=DAY)
    lend(world.operator, UNITS, mortgage="M-2")
    lines = [
        LINE,
        replace(LINE, external_id="O-2", mortgage="M-2"),
        replace(LINE, external_id="O-3", mortgage="M-3"),
        replace(LINE, external_id="O-4", mortgage="M-2", kind=ObligationKind.LATE_FEE),
    ]
    ids = owe(world.operator, *lines)
    for id_ in ids:
        pay(world.operator, id_, 100_000)
    run = world.run(CREATE)
    assert (run.tally["succeeded"], run.tally["failed"]) == (2, 2)
    states = [standing(world.owner, id_).state for id_ in ids]
    assert states == ["STALLED", "DISPERSED", "STALLED", "DISPERSED"]
    found = rows(world.owner, "SELECT detail FROM findings ORDER BY detail")
    told = [row.detail for row in found]
    assert "takes 9000 units" in told[0]
    assert "nobody has a position" in told[1]
    assert_sound(world.owner)


def test_a_later_reroute_changes_nothing_that_was_divided(world: Scene) -> None:
    lend(world.operator, UNITS)
    first, second = owe(world.operator, LINE, replace(LINE, external_id="O-2"))
    pay(world.operator, first, 100_000)
    world.run(CREATE)
    reroute(world.operator, "A", "B", 6000, day=DAY)
    pay(world.operator, second, 100_000)
    world.run(CREATE)
    assert shares(world.owner, first) == {"A": 55_000, "B": 36_667}
    assert shares(world.owner, second) == {"B": 91_667}
    assert_sound(world.owner)


@pytest.mark.parametrize("parts", [[100_000], [1, 99_999], [40_000, 30_000, 30_000]])
def test_what_is_divided_is_what_came_in(world: Scene, parts: list[int]) -> None:
    """Invariant 60: what lenders are owed and the fee are what was received, in however many parts."""
    lend(world.operator, UNITS)
    [id_] = owe(world.operator, LINE)
    for part in parts:
        pay(world.operator, id_, part)
    world.run(CREATE)
    held = balances(world.owner)
    assert held["lender_payable"] + held["servicing_revenue"] == sum(parts) == held["trust_cash"]
    assert set(held) == {"lender_payable", "servicing_revenue", "trust_cash"}
    assert_sound(world.owner)
