"""`waitlist …`: whoever serves customers puts them in line, and answers offers for them."""

from collections.abc import Iterator

import pytest

from db.engine import Database
from tests.builders import owner
from tests.lining import Full, full, offered, reader
from tests.workers.cli.conftest import Line


@pytest.fixture
def outside(bursar: Line) -> Iterator[Database]:
    with owner(bursar.database.options.url) as made:
        yield made


BECAUSE = ("--why", "she called")


def whose(there: Full, place: int) -> tuple[str, ...]:
    """An entry, whose it is, and why something is done."""
    entry = there.waiting[place]
    return str(entry), "--customer", str(there.customers[entry]), *BECAUSE


def test_a_customer_is_put_in_line_once_and_read_there(bursar: Line, outside: Database) -> None:
    there = full(bursar.database, outside, waiting=1)
    who = reader(bursar.database, outside)
    asked = ("waitlist", "join", str(there.appointment), "--customer", str(who), *BECAUSE)
    said = bursar(*asked, "--priority", "3", "--json")
    assert (said.code, said.json["state"]) == (0, "WAITING")
    assert bursar(*asked).code == 1
    told = bursar("waitlist", "roster", str(there.appointment), "--json").json
    assert [(row["priority"], row["state"]) for row in told] == [(3, "WAITING"), (0, "WAITING")]
    assert bursar("waitlist", "join", "nowhere", "--customer", str(who), *BECAUSE).code == 2
    why = bursar("why", "waitlist", said.json["entry"], "--json").json
    assert why["reason"] == "all places are taken, and 0 wait before it"
    assert why["command"] == f"bursar waitlist roster {there.appointment}"
    behind = bursar("why", "waitlist", str(there.waiting[0]), "--json").json
    assert behind["reason"] == "all places are taken, and 1 wait before it"


def test_an_offer_is_taken_under_its_key_or_declined(bursar: Line, outside: Database) -> None:
    there = offered(bursar.database, outside)
    first = bursar("waitlist", "accept", *whose(there, 0), "--key", "k", "--json")
    again = bursar("waitlist", "accept", *whose(there, 0), "--key", "k", "--json")
    assert first.json["payment"] == again.json["payment"]
    assert bursar("waitlist", "decline", *whose(there, 0)).code == 1
    [booked] = bursar("waitlist", "list", "--state", "booked", "--json").json
    assert booked["id"] == str(there.waiting[0])
    assert bursar("audit").code == 0
    noted = bursar("changes", "--json").json
    assert [(row["what"], row["why"]) for row in noted] == [("waitlist.accept", "she called")]


def test_who_leaves_or_declines_makes_room_for_the_next(bursar: Line, outside: Database) -> None:
    there = offered(bursar.database, outside)
    assert bursar("waitlist", "decline", *whose(there, 1)).code == 1
    assert bursar("waitlist", "decline", *whose(there, 0)).code == 0
    assert bursar("appointments", "list", "--state", "freed", "--json").json != []
    assert "is about to offer it" in bursar("why", "waitlist", str(there.waiting[1])).out
    assert "it declined" in bursar("why", "waitlist", str(there.waiting[0])).out
    assert bursar("waitlist", "leave", *whose(there, 1)).code == 0
    shown = bursar("waitlist", "show", str(there.waiting[1]), "--json").json
    assert shown["state"] == "CANCELLED"
    assert bursar("audit").code == 0
