"""`bursar dispersals list|show`: each share, and the calculation behind it as it was made."""

import json

import pytest

from domain.obligations import CREATE
from tests.builders import house
from tests.mortgages import DAY, LINE, lend, owe, pay, reroute
from tests.operating import query
from tests.workers.cli.conftest import Line


@pytest.fixture
def divided(bursar: Line) -> Line:
    """An obligation that was divided between two, after a reroute; and a later reroute."""
    lend(bursar.database, {"A": 6000, "B": 4000})
    reroute(bursar.database, "A", "B", 1000)
    [id_] = owe(bursar.database, LINE)
    pay(bursar.database, id_, 100_000, method="pad")
    with house(bursar.database.options.url) as made:
        made.run(CREATE)
    reroute(bursar.database, "B", "A", 5000, day=DAY)
    return bursar


def test_a_share_is_shown_with_all_it_was_calculated_from(divided: Line) -> None:
    listed = divided("dispersals", "list", "--json").json
    assert sorted(row["amount_minor"] for row in listed) == [45_833, 45_834]
    shown = divided("dispersals", "show", listed[0]["id"], "--json").json
    assert shown["id"] == listed[0]["id"]
    made = shown["calculation"]
    assert {name: made[name] for name in FIGURES} == FIGURES
    [kept] = query(divided.database, "SELECT inputs FROM calculation_runs")
    assert len(kept.inputs["positions"]) == len(shown["positions"]) == 2
    assert {row["lender_name"]: row["units"] for row in shown["positions"]} == {
        "A": 6000,
        "B": 4000,
    }
    assert shown["reroutes"] == [
        {"effective_on": "2026-03-20", "from_lender": "A", "to_lender": "B", "units": 1000}
    ]
    assert sum(row["amount_minor"] for row in shown["shares"]) == made["distributable_minor"]
    assert {row["lender_name"] for row in shown["shares"]} == {"A", "B"}
    assert shown["history"] == []


FIGURES = {
    "obligation_name": "O-1",
    "mortgage_name": "M-1",
    "generation": 1,
    "currency": "INR",
    "received_minor": 100_000,
    "fee_due_minor": 8_333,
    "fee_applied_minor": 8_333,
    "fee_receivable_minor": 0,
    "distributable_minor": 91_667,
    "shares": 2,
    "settled_on": "2026-03-20",
    "eligible_on": "2026-03-27",
    "kind": "regular_interest",
    "method": "pad",
    "principal_minor": 10_000_000,
    "fee_rate_ppm": 10_000,
    "frequency": "monthly",
}


def test_people_read_it_in_major_units(divided: Line) -> None:
    [first, *_] = divided("dispersals", "list", "--json").json
    told = divided("dispersals", "show", first["id"]).out
    for words in ("1000.00 INR", "83.33 INR", "916.67 INR", "lender name", "from lender"):
        assert words in told


def test_where_nothing_was_rerouted_it_says_so(bursar: Line) -> None:
    lend(bursar.database, {"A": 1})
    [id_] = owe(bursar.database, LINE)
    pay(bursar.database, id_, 100_000)
    with house(bursar.database.options.url) as made:
        made.run(CREATE)
    [one] = bursar("dispersals", "list", "--json").json
    assert "no reroutes" in bursar("dispersals", "show", one["id"]).out


def test_a_share_there_is_not_is_named(bursar: Line) -> None:
    said = bursar("dispersals", "show", "O-1")
    assert (said.code, "must be the id or the external id of a dispersal" in said.err) == (2, True)


def test_dispersals_are_listed_by_state_a_page_at_a_time(divided: Line) -> None:
    first = divided("dispersals", "list", "--state", "pending", "--limit", "1", "--json").json
    rest = divided("dispersals", "list", "--after", first[0]["id"], "--json").json
    assert len({first[0]["id"], *(row["id"] for row in rest)}) == 2
    assert json.loads(divided("dispersals", "list", "--state", "SENDING", "--json").out) == []
    bad = divided("dispersals", "list", "--state", "LOST")
    assert (bad.code, "must be one of" in bad.err) == (2, True)
