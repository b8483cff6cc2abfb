"""The operations on waitlists over HTTP: in line, offered a place, and what the host sees of it."""

from collections.abc import Iterator
from uuid import uuid4

import pytest

from db.engine import Database
from tests.booking import appointment, consultant, plan, state
from tests.builders import owner, rows
from tests.lining import full, offered, reader
from tests.workers.web.calling import Shop, code


@pytest.fixture
def outside(database_url: str) -> Iterator[Database]:
    with owner(database_url) as made:
        yield made


def test_a_customer_joins_once_is_seen_by_the_host_and_leaves(
    asker: Shop, operator: Database, outside: Database
) -> None:
    there = full(operator, outside, waiting=1)
    who = reader(operator, outside)
    asked = {"actor": who, "appointment": there.appointment}
    joined = asker.ask("waitlist.join", "j", priority=3, **asked)
    assert (joined.status_code, joined.json()["state"]) == (200, "WAITING")
    assert asker.ask("waitlist.join", "j", priority=3, **asked).content == joined.content
    assert code(asker.ask("waitlist.join", **asked)) == (409, "already_waiting")
    host = {"actor": there.consultant, "appointment": there.appointment}
    told = asker.ask("waitlist.roster", **host).json()
    assert [(e["entry"], e["priority"]) for e in told["entries"]] == [
        (joined.json()["entry"], 3),
        (str(there.waiting[0]), 0),
    ]
    entry = {"actor": who, "entry": joined.json()["entry"]}
    assert asker.ask("waitlist.leave", **entry).json()["state"] == "CANCELLED"
    assert code(asker.ask("waitlist.leave", **entry)) == (409, "not_open")
    assert len(asker.ask("waitlist.roster", **host).json()["entries"]) == 1


def test_nobody_waits_where_a_place_may_be_booked(
    asker: Shop, operator: Database, outside: Database
) -> None:
    at = appointment(operator, plan(operator))
    who = reader(operator, outside)
    assert code(asker.ask("waitlist.join", actor=who, appointment=at)) == (409, "places_free")


def test_an_offer_is_accepted_under_its_key_and_its_place_is_held_by_the_checkout(
    asker: Shop, operator: Database, outside: Database, database: Database
) -> None:
    there = offered(operator, outside)
    entry = there.waiting[0]
    asked = {"actor": there.customers[entry], "entry": entry}
    accepted = asker.ask("waitlist.accept", "a", **asked)
    assert (accepted.status_code, accepted.json()["state"]) == (200, "PENDING")
    assert asker.ask("waitlist.accept", "a", **asked).content == accepted.content
    assert code(asker.ask("waitlist.accept", **asked)) == (409, "not_open")
    assert code(asker.ask("waitlist.decline", **asked)) == (409, "not_open")
    assert state(database, "waitlist", entry) == "BOOKED"
    [at] = rows(
        database, "SELECT taken, capacity FROM appointments WHERE id = :i", i=there.appointment
    )
    assert at.taken == at.capacity


def test_an_offer_is_declined_by_its_customer_alone(
    asker: Shop, operator: Database, outside: Database, database: Database
) -> None:
    """Somebody else's entry is answered as one that is missing, to the byte."""
    there = offered(operator, outside)
    entry, other = there.waiting[0], reader(operator, outside)
    refused = [
        asker.ask(f"waitlist.{word}", actor=other, entry=id_)
        for word in ("accept", "decline", "leave")
        for id_ in (entry, uuid4())
    ]
    refused.append(
        asker.ask("waitlist.roster", actor=consultant(operator).id, appointment=there.appointment)
    )
    assert {code(a) for a in refused} == {(404, "not_found")}
    assert len({a.content for a in refused}) == 1
    declined = asker.ask("waitlist.decline", actor=there.customers[entry], entry=entry)
    assert declined.json() == {"entry": str(entry), "state": "CANCELLED"}
    assert state(database, "waitlist", entry) == "CANCELLED"
