"""`notices …`: read what applications are told, have it sent again, turn it on and off."""

import pytest

from db.payouts.listing import find
from tests.operating import change, line, query, take
from tests.workers.cli.conftest import Line


@pytest.fixture
def told(bursar: Line) -> Line:
    """Two payouts that were rejected, and of which an application is to be told."""
    assert bursar("notices", "on", "--why", "a shop listens").code == 0
    take(bursar.database, [line("A-1"), line("A-2")])
    assert bursar("payouts", "reject", "--all-pending", "--why", "a mistake").code == 0
    return bursar


def fail(bursar: Line) -> list[str]:
    """Give all notices up, as three days of silence do; returns their ids."""
    change(bursar.database, "DELETE FROM work WHERE job = 'notices.deliver'")
    change(bursar.database, "UPDATE notices SET state = 'FAILED'")
    return [row["id"] for row in bursar("notices", "list", "--json").json]


def test_notices_are_listed_and_shown_with_what_they_say(told: Line) -> None:
    first, second = told("notices", "list", "--json").json
    assert {first["kind"], second["kind"]} == {"payout.cancelled"}
    assert first["state"] == "PENDING"
    shown = told("notices", "show", first["id"], "--json").json
    with told.database.begin() as tx:
        payout = find(tx, [shown["payload"]["payout"]["external_id"]])
    assert str(next(iter(payout.values()))) == shown["subject"]
    assert shown["waits_for"] == "notices.deliver"
    assert told("notices", "list", "--state", "failed", "--json").json == []
    why = told("why", "notice", first["id"], "--json").json
    assert "notices.deliver" in why["reason"]


def test_what_was_given_up_is_replayed_with_a_reason(told: Line) -> None:
    one, other = fail(told)
    said = told("notices", "replay", one, "--why", "receiver fixed", "--json")
    assert said.code == 0, said.err
    assert said.json == [{"id": one, "outcome": "moved", "meaning": "is sent again"}]
    [move] = query(told.database, "SELECT * FROM moves WHERE subject = :id", id=one)
    assert (move.source, move.target, move.reason) == ("FAILED", "PENDING", "receiver fixed")
    assert query(told.database, "SELECT FROM work WHERE subject = :id", id=one)

    again = told("notices", "replay", one, other, "--why", "x", "--json")
    assert again.code == 1
    assert {row["id"]: row["outcome"] for row in again.json} == {one: "illegal", other: "moved"}
    assert told("audit").code == 0


def test_all_that_failed_are_replayed_at_once(told: Line) -> None:
    fail(told)
    assert told("notices", "replay", "--all-failed", "--why", "x").out.endswith(
        "replay: 2 of 2 notices\n"
    )
    assert told("notices", "replay", "--all-failed", "--why", "x").code == 0


@pytest.mark.parametrize("words", [[], ["--all-failed", "x"], ["nobody"]])
def test_which_ones_must_be_said(bursar: Line, words: list[str]) -> None:
    said = bursar("notices", "replay", *words, "--why", "x")
    assert (said.code, said.out) == (2, "")


def test_on_and_off_are_told_with_who_and_why(bursar: Line) -> None:
    assert bursar("notices", "off", "--why", "nobody listens").out == "notices is off\n"
    assert bursar("notices", "on", "--why", "a shop listens").out == "notices is on\n"
    assert bursar("notices", "on", "--why", "again").out == "notices is on already\n"
    newest, *_ = bursar("maintenance", "history", "notices", "--json").json
    assert (newest["is_on"], newest["why"]) == (True, "a shop listens")
