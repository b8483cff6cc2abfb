"""cash.reconcile: each thing that is not as it should be is told once, by its own check; it heals when it is gone."""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

import pytest
import sqlalchemy as sa

from db.cash.checks import CHECKS
from db.suspense.resolve import Resolution, resolve
from domain.dispersals import DISBURSE
from domain.findings import FindingKind
from domain.payouts import FOLLOW, PROCESS
from domain.suspense import Way
from domain.tally import Count
from jobs.cash.reconcile import ReconcileCash
from tests.builders import assert_sound, change, hurry, payout, rows, seed
from tests.healing import spent
from tests.jobs.dispersals import paying as shares
from tests.kit.clock import FrozenClock
from tests.kit.world import Scene
from tests.mortgages import LINE, balances, bring, every_standing, lend, owe, pay, stray

JOB: Final = ReconcileCash.name
_K: Final = FindingKind
TWO_HOURS: Final = timedelta(hours=2)


def told(world: Scene) -> dict[str, str]:
    """What a reconciliation reports, by key; what others report is left out."""
    world.run(JOB)
    kinds = [check.promise.finding.value for check in CHECKS] + [_K.CASH_CHECK_FAILED.value]
    found = rows(
        world.owner,
        "SELECT key, detail FROM findings WHERE resolved_at IS NULL AND kind = ANY(CAST(:kinds AS text[]))",
        kinds=kinds,
    )
    return {row.key: row.detail for row in found}


def lived(world: Scene) -> None:
    """Obligations in every state; somebody paid too much."""
    made = every_standing(world.operator, world.database)
    pay(world.operator, made["dispersed"], 500)


def behind_every_guard(url: str, statement: str) -> None:
    """Plant what no rule of the database lets be."""
    engine = sa.create_engine(url, poolclass=sa.pool.NullPool)
    with engine.begin() as connection:
        connection.exec_driver_sql("SET LOCAL search_path = bursar, pg_temp")
        connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
        for name, query in NAMED.items():
            statement = statement.replace(name, query)
        assert connection.exec_driver_sql(statement).rowcount, "nothing was planted"


def test_where_all_is_well_only_what_waits_for_a_person_is_told(world: Scene) -> None:
    """Invariant 67: the report of what is in suspense lists all that is open, with its age."""
    lived(world)
    bring(world.operator, stray())
    found = told(world)
    kinds = sorted(key.partition(":")[0] for key in found)
    assert kinds == ["suspense-open", "suspense-open", "unapplied-cash"]
    [escalated] = [key for key in found if key.startswith("suspense-open:obligation ")]
    assert "100000 minor units of INR are open, of 100000" in found[escalated]
    assert found[escalated].endswith("0 days ago")
    [unapplied] = [text for key, text in found.items() if key.startswith("unapplied-cash")]
    assert "1500 minor units of INR are applied to no obligation of mortgage M-1" in unapplied
    assert_sound(world.owner)


@dataclass(frozen=True, slots=True)
class Plant:
    """What is broken, and what is told of it: the kind, and a piece of its subject and of its detail."""

    statement: str
    kind: FindingKind
    subject: str
    detail: str


NAMED: Final = {
    "<lender>": "(SELECT id FROM accounts WHERE kind = 'lender_payable' LIMIT 1)",
    "<due>": "(SELECT receivable FROM obligations WHERE state = 'DUE')",
    "<dispersed>": "(SELECT id FROM obligations WHERE external_id = 'O-dispersed')",
}
PLANTS: Final = {
    "a lender was paid more than was owed": Plant(
        "UPDATE balances SET floor = NULL, debits = credits + 7 WHERE account = <lender>",
        _K.PAYABLE_NEGATIVE, "lender ", "was paid 7 minor units",
    ),
    "an account is not its postings": Plant(
        "UPDATE balances SET debits = debits + 1 WHERE account = <due>",
        _K.OBLIGATION_DRIFT, "obligation ", "100001 of 100000 are open, its postings say 100000",
    ),
    "an obligation is of another amount than was accrued": Plant(
        "UPDATE obligations SET amount = amount + 1 WHERE state = 'DISPERSED'",
        _K.OBLIGATION_DRIFT, "obligation ", "of 100000",
    ),
    "a state is not what was received": Plant(
        "UPDATE obligations SET state = 'PARTIALLY_SETTLED' WHERE external_id = 'O-due'",
        _K.OBLIGATION_DRIFT, "obligation ", "O-due is PARTIALLY_SETTLED",
    ),
    "a lender has more than their share": Plant(
        "UPDATE dispersals SET amount = amount + 5 WHERE obligation = <dispersed>",
        _K.CASH_NOT_CONSERVED, "obligation ", "O-dispersed received 100000 by the journal",
    ),
    "what was received was taken back behind the books": Plant(
        "DELETE FROM postings WHERE credit = (SELECT receivable FROM obligations WHERE id = <dispersed>)",
        _K.CASH_NOT_CONSERVED, "mortgage ", "M-1: obligations settled then received",
    ),
    "money stays in a control account": Plant(
        "UPDATE balances SET credits = credits + 9 WHERE stripe = 0"
        " AND account = (SELECT id FROM accounts WHERE kind = 'control_settlement')",
        _K.CONTROLS_DRIFT, "control_settlement INR", "it holds 10 minor units, under way are 1",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", PLANTS)
def test_what_is_wrong_is_told_by_its_own_kind(
    world: Scene, clock: FrozenClock, superuser_url: str, name: str
) -> None:
    plant = PLANTS[name]
    lived(world)
    clock.forward(TWO_HOURS)
    before = set(told(world))
    behind_every_guard(superuser_url, plant.statement)
    new = {key: text for key, text in told(world).items() if key not in before}
    assert [
        key
        for key, text in new.items()
        if key.startswith(f"{plant.kind.value}:{plant.subject}") and plant.detail in text
    ], new


def test_what_waits_longer_than_an_hour_to_be_divided_is_an_orphan(
    world: Scene, clock: FrozenClock
) -> None:
    """Invariant 65: an hour is enough; what the fee took whole is divided, and none."""
    lived(world)
    clock.forward(timedelta(minutes=59))
    assert not [key for key in told(world) if key.startswith("obligation-orphaned")]
    clock.forward(timedelta(minutes=2))
    [key] = [key for key in told(world) if key.startswith("obligation-orphaned")]
    [settled] = rows(world.owner, "SELECT id FROM obligations WHERE state = 'SETTLED'")
    assert key == f"obligation-orphaned:obligation {settled.id}"
    assert "it waits for dispersals.create" in told(world)[key]
    change(world.owner, "DELETE FROM work WHERE job = 'dispersals.create'")
    assert "it waits for nothing" in told(world)[key]
    change(
        world.owner,
        "INSERT INTO work (job, subject) VALUES ('dispersals.create', :id)",
        id=settled.id,
    )
    world.run("dispersals.create")
    assert key not in told(world)


GONE: Final = "DELETE FROM entries WHERE key = 'payout:{}:1:completed'"


def paid(world: Scene) -> str:
    """A payout that was confirmed; its id."""
    [id_] = seed(world.url, 1)
    world.run(PROCESS)
    world.bank.finish()
    hurry(world.owner)
    world.run(FOLLOW)
    assert payout(world.owner, id_).state == "COMPLETED"
    return str(id_)


def test_a_confirmed_transfer_without_its_entry_is_told_and_none_is_posted_for_it(
    world: Scene, clock: FrozenClock, superuser_url: str
) -> None:
    """Invariant 66: an integrity defect after five minutes, never reposted in silence."""
    id_ = paid(world)
    clock.forward(timedelta(minutes=6))
    key = f"transfer-without-entry:payout {id_}"
    assert key not in told(world)
    behind_every_guard(superuser_url, GONE.format(id_))
    before = rows(world.owner, "SELECT count(*) FROM entries"), balances(world.owner)
    assert "and no entry says so" in told(world)[key]
    assert (rows(world.owner, "SELECT count(*) FROM entries"), balances(world.owner)) == before


def test_a_share_that_was_confirmed_while_its_mortgages_cash_stayed_is_told(
    world: Scene, clock: FrozenClock, superuser_url: str
) -> None:
    """Invariant 66: of a lender's share both entries are there, or somebody looks."""
    shares.paid(world)
    clock.forward(timedelta(minutes=6))
    assert told(world) == {}
    behind_every_guard(superuser_url, "DELETE FROM entries WHERE type = 'LENDER_PAYOUT_SENT'")
    assert {key.partition(":")[0] for key in told(world)} == {"transfer-without-entry"}


def test_a_confirmation_that_the_books_refuse_is_told_until_it_is_booked(
    world: Scene, superuser_url: str
) -> None:
    """Invariant 66. TRAP: it is never COMPLETED without its entry, so a look at those alone never sees one."""
    shares.owed(world)
    for job in (DISBURSE, PROCESS):
        world.run(job)
    made = shares.the_payout(world)
    [mortgage] = rows(world.owner, "SELECT id FROM mortgages")
    spent(world, mortgage.id, 100_000)
    world.bank.settle(str(made), "processed")
    shares.follows(world)
    assert payout(world.owner, made).state == "PROCESSING"
    assert told(world) == {}
    behind_every_guard(
        superuser_url, "UPDATE effect_answers SET at = at - interval '6 minutes' WHERE NOT moved"
    )
    detail = told(world)[f"transfer-without-entry:payout {made}"]
    assert "what its provider said at" in detail
    assert "never_below_zero" in detail
    spent(world, mortgage.id, -100_000)
    shares.follows(world)
    assert payout(world.owner, made).state == "COMPLETED"
    assert told(world) == {}


def test_a_transfer_that_was_just_confirmed_is_not_told_yet(
    world: Scene, clock: FrozenClock, superuser_url: str
) -> None:
    """Invariant 66: five minutes."""
    id_ = paid(world)
    behind_every_guard(superuser_url, GONE.format(id_))
    clock.forward(timedelta(minutes=4))
    assert told(world) == {}
    clock.forward(timedelta(minutes=2))
    assert set(told(world)) == {f"transfer-without-entry:payout {id_}"}


def test_one_thing_is_one_finding_however_often_it_is_seen_and_goes_when_it_is_gone(
    world: Scene, superuser_url: str
) -> None:
    bring(world.operator, stray())
    [row] = rows(world.owner, "SELECT id FROM receipts")
    past = "UPDATE entries SET created_at = created_at - interval '3 days'"
    behind_every_guard(superuser_url, past)
    told(world)
    found = told(world)
    assert list(found) == [f"suspense-open:receipt {row.id}"]
    assert found[f"suspense-open:receipt {row.id}"].endswith("3 days ago")
    [seen] = rows(world.owner, "SELECT seen FROM findings")
    assert seen.seen == 3
    asked = Resolution(item=row.id, way=Way.REFUND)
    world.operator.transact(lambda tx: resolve(tx, asked, actor="asha, ravi", why="letter 7"))
    assert told(world) == {}


def test_a_check_that_cannot_be_made_is_told_and_stops_no_other(
    world: Scene, superuser_url: str
) -> None:
    lived(world)
    engine = sa.create_engine(superuser_url, poolclass=sa.pool.NullPool)

    def say(statement: str) -> None:
        with engine.begin() as connection:
            connection.exec_driver_sql(statement)

    say("ALTER TABLE bursar.mortgages RENAME COLUMN external_id TO named")
    run = world.run(JOB)
    assert run.state == "succeeded"
    found = told(world)
    failed = sorted(key for key in found if key.startswith("cash-check-failed"))
    assert failed == [
        "cash-check-failed:cash-is-applied",
        "cash-check-failed:cash-is-conserved",
    ]
    assert "does not exist" in found[failed[0]]
    assert [key for key in found if key.startswith("suspense-open:obligation ")]
    say("ALTER TABLE bursar.mortgages RENAME COLUMN named TO external_id")
    assert not [key for key in told(world) if key.startswith("cash-check-failed")]


@pytest.mark.parametrize("page", [1, 2])
def test_pages_of_any_size_make_the_whole(
    world: Scene, monkeypatch: pytest.MonkeyPatch, page: int
) -> None:
    """TRAP: a reconciliation of the newest, up to a limit, that never comes to old gaps."""
    lived(world)
    bring(world.operator, *(stray(f"RC-{n}") for n in range(4)))
    whole = told(world)
    for check in CHECKS:
        monkeypatch.setattr(type(check), "page", property(lambda _: page), raising=False)
    assert told(world) == whole


def test_what_nobody_looked_at_by_name_is_not_called_seen_no_longer(
    world: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """TRAP: of more open items than are named, the newest are healed each morning, and are open still."""
    bring(world.operator, *(stray(f"RC-{n}") for n in range(3)))
    before = set(told(world))
    assert len(before) == 3
    for check in CHECKS:
        monkeypatch.setattr(type(check), "named_max", property(lambda _: 2), raising=False)
    assert set(told(world)) == before | {"suspense-open:suspense-is-empty"}
    monkeypatch.undo()
    assert set(told(world)) == before


def test_two_currencies_of_one_mortgage_are_two_findings(world: Scene) -> None:
    """TRAP: the second takes the place of the first."""
    lines = [replace(LINE, external_id=f"O-{word}", currency=word) for word in ("INR", "USD")]
    lend(world.operator, {"A": 1})
    for line in lines:
        owe(world.operator, line)
        asked = stray(
            f"RC-{line.currency}",
            reference=line.external_id,
            currency=line.currency,
            amount_minor=100_700,
        )
        bring(world.operator, asked)
    found = [key for key in told(world) if key.startswith("unapplied-cash:mortgage ")]
    assert sorted(key.rpartition(" ")[2] for key in found) == ["INR", "USD"]


def test_beyond_what_one_statement_can_sum_up_the_sums_are_left_to_the_audit(
    world: Scene, monkeypatch: pytest.MonkeyPatch, superuser_url: str
) -> None:
    lived(world)
    behind_every_guard(superuser_url, PLANTS["money stays in a control account"].statement)
    assert [key for key in told(world) if key.startswith("controls-drift")]
    monkeypatch.setattr("db.cash.looking.DEEP_OBLIGATIONS_MAX", 1)
    assert [key for key in told(world) if key.startswith("controls-drift")], (
        "not seen is not healed"
    )
    with pytest.raises(AssertionError, match="controls-are-what-is-under-way"):
        assert_sound(world.owner)


def test_what_is_looked_at_is_counted(world: Scene) -> None:
    lived(world)
    tally = world.run(JOB).tally
    assert tally[Count.PROCESSED] > 20
    assert tally[Count.FAILED] == 2
