"""Each broken promise is found by the verdict, and a storm without its rare things is void."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import pytest

from domain.payout_ids import reference
from workers.chaos.bank import Telling, Transfer
from workers.chaos.evidence import Evidence
from workers.chaos.heard import Heard
from workers.chaos.outcome import Outcome, Sight
from workers.chaos.plan import Plan, storm
from workers.chaos.rare import Rare
from workers.chaos.sometimes import RARE
from workers.chaos.storm import Course
from workers.chaos.verdict import Check, judge, lost

KEY = uuid4()


def payout(id_: UUID | None = None, state: str = "COMPLETED", **more: object) -> SimpleNamespace:
    """One row as the verdict reads it."""
    facts: dict[str, object] = {
        "id": id_ or uuid4(),
        "state": state,
        "amount": 100,
        "generation": 1,
        "effect": "accepted",
        "key": KEY,
        "sends": 1,
        "job": "payouts.follow",
        "parked_reason": None,
    }
    return SimpleNamespace(**{**facts, **more})


def paid(one: SimpleNamespace, **more: object) -> Transfer:
    """The bank's line for it."""
    made = Transfer(
        reference=reference(one.id, 1), key="k", amount_minor=100, status="processed", sends=1
    )
    return replace(made, **more)  # type: ignore[arg-type]  # fields by name


def evidence(payouts: Sequence[Any], transfers: list[Transfer], **more: object) -> Evidence:
    """A run in which nothing else is wrong."""
    made = Evidence(
        payouts=payouts,
        leases=(),
        runs=(),
        missing_ticks=(),
        ticks=3,
        audit=(),
        counts=Counter(),
        inbox=(),
        told=(),
        transfers=transfers,
        stuck_keys=set(),
        facts={},
        heard=Heard(),
        accepted={one.id: "x" for one in payouts},
        met=Counter(),
        course=Course(began_at=datetime.now(UTC), drained=True),
        commits_cut=0,
    )
    return replace(made, **more)  # type: ignore[arg-type]  # fields by name


def event(**more: object) -> SimpleNamespace:
    """One webhook that was kept and applied, as the verdict reads it."""
    facts: dict[str, object] = {
        "event_id": "evt_1",
        "type": "payout.processed",
        "digest": "aa",
        "state": "APPLIED",
        "outcome": "PROCESSING -> COMPLETED",
        "waits": False,
    }
    return SimpleNamespace(**{**facts, **more})


TOLD = Telling(digest="aa", sends=2, heard=1)


def broken(found: Evidence) -> set[str]:
    return {check.name for check in judge(found) if not check.holds}


def test_a_sound_run_holds() -> None:
    done, failed = payout(), payout(state="FAILED", job=None)
    gone = payout(state="REVERSED", job=None)
    transfers = [paid(done), paid(gone, status="reversed")]
    hooks = {"inbox": [event()], "told": [TOLD, Telling(digest="bb", sends=1, heard=0)]}
    assert broken(evidence([done, failed, gone], transfers, **hooks)) == set()


ONE = payout()


@pytest.mark.parametrize(
    ("found", "promise"),
    [
        (evidence([ONE], [paid(ONE), paid(ONE)]), "no reference was paid twice"),
        (evidence([ONE], []), "each completed payout was paid once"),
        (
            evidence([o := payout(state="REVERSED")], [paid(o)]),
            "each reversed payout was given back",
        ),
        (
            evidence([o := payout(state="FAILED")], [paid(o)]),
            "no failed or cancelled payout was paid",
        ),
        (evidence([], [paid(ONE)]), "the bank paid nothing that we did not ask for"),
        (evidence([ONE], [paid(ONE, amount_minor=7)]), "each was paid its own amount"),
        (evidence([], [], accepted={uuid4(): "x"}), "no accepted payout was lost or left open"),
        (
            evidence([payout(state="PROCESSING", effect="unknown")], []),
            "every unknown payment is accounted for",
        ),
        (evidence([payout(state="APPROVED", job=None)], []), "nothing open waits for nobody"),
        (evidence([], [], leases=[SimpleNamespace(what="a", who="b")]), "no lease is left"),
        (
            evidence([], [], runs=[SimpleNamespace(id=1, job="j", state="queued", reason=None)]),
            "no run is unexplained",
        ),
        (
            evidence([], [], missing_ticks=[SimpleNamespace(schedule="s", at=datetime.now(UTC))]),
            "every tick is a run or a recorded reason",
        ),
        (
            evidence([], [], heard=Heard(exits=Counter({("worker", -11): 1}))),
            "no process fell over",
        ),
        (
            evidence([], [], heard=Heard(ran=Counter({("elder", "payouts.follow"): 1}))),
            "no release did what it does not know",
        ),
        (
            evidence([], [], course=Course(began_at=datetime.now(UTC))),
            "everything ended",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_broken_is_found(found: Evidence, promise: str) -> None:
    assert promise in broken(found)


@pytest.mark.parametrize(
    ("found", "promise"),
    [
        pytest.param({"inbox": [event(digest="cc")]}, "no forged webhook was believed", id="kept"),
        pytest.param(
            {"facts": {"forgeries_believed": 1}}, "no forged webhook was believed", id="answered"
        ),
        pytest.param({"inbox": ()}, "no webhook that was acknowledged was lost", id="lost"),
        pytest.param(
            {"inbox": [event(state="FAILED", outcome="unreadable")]},
            "every webhook that was kept was applied",
            id="failed",
        ),
        pytest.param(
            {"inbox": [event(state="RECEIVED", waits=True)]},
            "every webhook that was kept was applied",
            id="left",
        ),
    ],
)
def test_what_is_broken_about_webhooks_is_found(found: dict[str, Any], promise: str) -> None:
    assert promise in broken(evidence([], [], **{"inbox": [event()], "told": [TOLD], **found}))


def test_what_the_bank_answers_with_errors_for_ever_is_accounted_for() -> None:
    stuck = payout(state="PROCESSING", effect="unknown", job="payouts.recover")
    assert broken(evidence([stuck], [], stuck_keys={KEY.hex})) == set()
    assert lost(evidence([stuck], [])) == [stuck.id]


def test_work_parked_for_a_person_is_not_lost() -> None:
    parked = payout(state="PROCESSING", effect="unknown", parked_reason="two answers")
    assert broken(evidence([parked], [paid(parked)])) == set()


def outcome(*sights: Sight) -> Outcome:
    plan: Any = SimpleNamespace()
    check = Check(name="x", holds=True, detail="")
    course = Course(began_at=datetime.now(UTC))
    return Outcome(plan=plan, course=course, checks=[check], sights=sights, figures={})


def test_a_storm_without_what_it_should_have_brought_is_void() -> None:
    rare = Rare(name="r", seen=lambda _: 0, faults=("worker-kill",), strikes=2)
    assert not rare.is_due({"worker-kill": 1}, 60)
    assert rare.is_due({"worker-kill": 2}, 60)
    assert outcome(Sight(rare=rare, times=1, due=True)).holds
    assert outcome(Sight(rare=rare, times=0, due=False)).holds
    assert not outcome(Sight(rare=rare, times=0, due=True)).holds


def test_what_only_a_long_storm_must_bring_is_not_due_in_a_short_one() -> None:
    rare = Rare(name="r", seen=lambda _: 0, faults=("worker-kill",), long=True)
    assert not rare.is_due({"worker-kill": 9}, 60)
    assert rare.is_due({"worker-kill": 9}, 180)


def test_there_are_thirty_rare_things_at_least_each_of_its_own_name() -> None:
    names = [rare.name for rare in RARE]
    assert len(names) == len(set(names)) >= 30


def test_a_run_that_judged_nothing_proves_nothing() -> None:
    assert not replace(outcome(), checks=()).holds
    assert not replace(outcome(), was_stopped=True).holds


def test_a_seed_makes_the_same_storm_and_deals_every_fault_before_any_comes_twice() -> None:
    faults = ["a", "b", "c"]
    assert storm(7, faults, 60) == storm(7, faults, 60) != storm(8, faults, 60)
    dealt = [due.fault for due in storm(7, faults, 60)]
    assert len(dealt) > 9
    assert all(sorted(dealt[n : n + 3]) == faults for n in range(0, len(dealt) - 2, 3))
    assert max(due.at_seconds for due in storm(7, faults, 60)) < 58


def test_the_longest_call_fits_into_the_lease() -> None:
    for lease, longest in ((4.5, 1.0), (15.0, 8.0)):
        plan = Plan(
            home=None,  # type: ignore[arg-type]  # not used here
            seed=1,
            storm_seconds=1,
            quiet_seconds_max=1,
            lease_seconds=lease,
            rate_per_second=1,
            strikes=(),
            faults=(),
        )
        assert plan.call_seconds_max == longest
