"""`bursar obligations resolve`: once put right, what stalled is divided, and escalated money leaves suspense by two."""

from collections.abc import Iterator
from dataclasses import replace
from uuid import UUID

import pytest

from domain.obligations import CREATE, HEAL, TRIES_MAX
from tests.builders import House, assert_sound, house
from tests.mortgages import (
    LINE,
    SETTLED,
    balances,
    disperse,
    heal,
    lend,
    owe,
    pay,
    shares,
    standing,
)
from tests.operating import query
from tests.workers.cli.conftest import Line
from tests.workers.cli.test_obligations import operators

UNITS = {"A": 6000, "B": 4000}


@pytest.fixture
def worker(bursar: Line) -> Iterator[House]:
    """A process that divides."""
    with house(bursar.database.options.url) as made:
        yield made


def stalled(line: Line, tries: int) -> UUID:
    """An obligation that nobody lends for, tried so often."""
    [id_] = owe(line.database, LINE)
    pay(line.database, id_, 100_000)
    disperse(line.database)
    heal(line.database, tries)
    return id_


def reported(line: Line) -> list[str]:
    """The kinds of the findings that are open."""
    found = query(line.database, "SELECT kind FROM findings WHERE resolved_at IS NULL")
    return sorted(row.kind for row in found)


def test_what_is_not_put_right_is_refused_and_nothing_moves(bursar: Line) -> None:
    id_ = stalled(bursar, TRIES_MAX + 1)
    bursar.set("BURSAR_OPERATOR_TOKEN", operators(bursar)[0])
    said = bursar("obligations", "resolve", "O-1", "--why", "looked at it")
    assert said.code == 1
    assert "obligation O-1 cannot be divided yet: nobody has a position in its mortgage" in said.err
    assert bursar("proposals", "--json").json == []
    assert standing(bursar.database, id_).state == "ESCALATED"
    bad = bursar("obligations", "resolve", "O-1", "--why", " ")
    assert (bad.code, "--why" in bad.err) == (2, True)


def test_a_stalled_one_is_divided_by_one_person(bursar: Line, worker: House) -> None:
    id_ = stalled(bursar, 1)
    lend(bursar.database, UNITS)
    said = bursar("obligations", "resolve", "O-1", "--why", "positions came", "--json")
    assert (said.code, said.json) == (0, {"obligation": "O-1", "proposal": None})
    assert standing(bursar.database, id_).job == CREATE
    worker.run(CREATE)
    assert (standing(bursar.database, id_).state, reported(bursar)) == ("DISPERSED", [])
    [noted] = query(bursar.database, "SELECT why FROM changes WHERE what = 'obligation.resolve'")
    assert noted.why == "positions came"
    again = bursar("obligations", "resolve", "O-1", "--why", "once more")
    assert (again.code, "is DISPERSED, neither STALLED nor ESCALATED" in again.err) == (1, True)


def test_an_escalated_one_is_put_right_and_taken_out_of_suspense_by_two(
    bursar: Line, worker: House
) -> None:
    """Tried, escalated, repaired, resolved by two, divided: suspense is empty, and the audit finds nothing."""
    id_ = stalled(bursar, TRIES_MAX + 1)
    assert reported(bursar) == ["dispersal-escalated"]
    told = bursar("why", "obligation", "O-1", "--json").json
    assert told["command"].startswith(f"bursar obligations resolve {id_}")
    assert sum("of healing failed" in line for line in told["evidence"]) == TRIES_MAX + 1
    lend(bursar.database, UNITS)
    tokens = operators(bursar)
    bursar.set("BURSAR_OPERATOR_TOKEN", tokens[0])
    made = bursar("obligations", "resolve", "O-1", "--why", "positions came", "--json").json
    assert balances(bursar.database)["suspense"] == 100_000
    own = bursar("approve", str(made["proposal"]))
    assert own.code != 0
    bursar.set("BURSAR_OPERATOR_TOKEN", tokens[1])
    assert bursar("approve", str(made["proposal"])).code == 0
    assert "suspense" not in balances(bursar.database)
    [moved] = query(
        bursar.database,
        "SELECT actor, reason FROM moves WHERE subject = :id AND source = 'ESCALATED'",
        id=id_,
    )
    assert (moved.actor, moved.reason) == ("asha, ravi", "positions came")
    worker.run(CREATE)
    assert shares(bursar.database, id_) == {"A": 55_000, "B": 36_667}
    assert reported(bursar) == []
    assert_sound(bursar.database)


def test_the_day_of_an_escalated_one_is_said_before_it_is_resolved(
    bursar: Line, worker: House
) -> None:
    lend(bursar.database, UNITS)
    [id_] = owe(bursar.database, replace(SETTLED, settled_on=None))
    pay(bursar.database, id_, 100_000)
    disperse(bursar.database)
    heal(bursar.database, TRIES_MAX + 1)
    assert standing(bursar.database, id_).state == "ESCALATED"
    tokens = operators(bursar)
    bursar.set("BURSAR_OPERATOR_TOKEN", tokens[0])
    early = bursar("obligations", "resolve", "O-1", "--why", "paper found")
    assert "nobody says since when" in early.err
    assert bursar("obligations", "date", "O-1", "--on", "2026-03-20", "--why", "paper").code == 0
    assert standing(bursar.database, id_).state == "ESCALATED"
    made = bursar("obligations", "resolve", "O-1", "--why", "paper found", "--json").json
    bursar.set("BURSAR_OPERATOR_TOKEN", tokens[1])
    assert bursar("approve", str(made["proposal"])).code == 0
    worker.run(CREATE)
    assert standing(bursar.database, id_).state == "DISPERSED"
    assert_sound(bursar.database)


def test_a_try_of_healing_takes_no_time_to_come_after_a_resolution(
    bursar: Line, worker: House
) -> None:
    """What is matched in vain is not escalated twice: it stays, and says so."""
    id_ = stalled(bursar, TRIES_MAX + 1)
    tokens = operators(bursar)
    bursar.set("BURSAR_OPERATOR_TOKEN", tokens[0])
    asked = ("suspense.resolve", str(id_), "--set", "way=match", "--why", "w", "--json")
    made = bursar("propose", *asked).json
    bursar.set("BURSAR_OPERATOR_TOKEN", tokens[1])
    assert bursar("approve", str(made["proposal"])).code == 0
    worker.run(CREATE)
    heal(bursar.database, 2)
    assert (standing(bursar.database, id_).state, standing(bursar.database, id_).job) == (
        "STALLED",
        HEAL,
    )
    assert reported(bursar) == ["escalation-refused"]
    assert balances(bursar.database)["trust_cash"] == 100_000
    assert_sound(bursar.database)
