"""`import credits`: given once, spent by a checkout, and by two people where policy says so."""

import pytest

from domain.credit_lines import CREDIT_RECORDS, parse_credit
from domain.ledger import AccountKind
from tests.booking import balance
from tests.bringing import offers
from tests.operating import query
from tests.workers.cli.conftest import Line

FILE = "external_id,customer,amount,currency\nK-1,C-1,50.00,INR\nK-2,C-2,5.00,INR\n"


@pytest.fixture
def known(bursar: Line) -> Line:
    """A database that knows customers, and something to book."""
    offers(bursar.database)
    return bursar


def credit_of(bursar: Line, name: str) -> int:
    """What a customer was given and has not spent."""
    [who] = query(bursar.database, f"SELECT id FROM customers WHERE external_id = '{name}'")  # noqa: S608  our own
    return balance(bursar.database, AccountKind.REFERRAL_CREDIT, who.id)


def test_a_credit_is_given_once_and_pays_for_a_booking(known: Line) -> None:
    file = known.file(FILE, "credits.csv")
    seen = known("import", "credits", file, "--dry-run", "--json")
    assert (seen.code, credit_of(known, "C-1")) == (0, 0)
    done = known("import", "credits", file, "--why", "spring", "--json")
    assert done.code == 0, done.err
    assert seen.json | {"dry_run": False} == done.json
    assert (done.json["created"], done.json["created_minor_INR"]) == (2, 5_500)
    assert known("import", "credits", file, "--json").json["existing"] == 2
    assert credit_of(known, "C-1") == 5_000
    start = (
        "bookings",
        "start",
        "TEA",
        "--customer",
        "C-1",
        "--appointment",
        "TEA-1",
        "--why",
        "x",
    )
    made = known(*start, "--credit", "50.00", "--key", "k", "--json")
    assert (made.json["gateway_minor"], credit_of(known, "C-1")) == (5_000, 0)
    assert known(*start, "--credit", "0.01", "--key", "l").code == 1
    assert known("audit").code == 0


def test_errors_name_what_is_wrong_and_nothing_is_given(known: Line) -> None:
    said = known("import", "credits", known.file(FILE + "K-3,C-9,1.00,INR\n", "credits.csv"))
    assert said.code == 2
    rule = "must be the external_id of a customer: import them first"
    assert f"credits.csv row 4 field customer: 'C-9': {rule}" in said.err
    assert query(known.database, "SELECT FROM entries") == []
    assert known("import", "credits", known.file(FILE, "credits.csv")).code == 0
    other = known.file(FILE.replace("50.00", "51.00"), "credits.csv")
    said = known("import", "credits", other)
    assert "field amount: '51.00': external_id K-1 was imported with '50.00'" in said.err


def test_two_people_give_where_policy_says_so(known: Line) -> None:
    """One shows the file, another brings it; what one alone may do is to ask."""
    tokens = {
        name: known("operators", "add", name, "--why", "x", "--json").json["token"]
        for name in ("asha", "ravi")
    }
    known.set("BURSAR_OPERATOR_TOKEN", tokens["asha"])
    assert known("maintenance", "hold", "policy:maker-checker", "--why", "two people").code == 0
    file = known.file(FILE, "credits.csv")
    assert known("import", "credits", file, "--why", "spring").code == 0
    assert credit_of(known, "C-1") == 0
    [waiting] = known("proposals", "--json").json
    number = str(waiting["id"])
    assert known("import", "credits", file, "--proposal", number, "--why", "x").code == 1
    known.set("BURSAR_OPERATOR_TOKEN", tokens["ravi"])
    assert known("import", "credits", file, "--proposal", number, "--why", "seen").code == 0
    assert credit_of(known, "C-1") == 5_000


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"amount": "0"}, "amount: must be more than zero"),
        ({"amount": "1.234"}, "amount: INR has 2 digits after the point"),
        ({"currency": "XXX"}, "currency: must be one of AED"),
        ({"customer": ""}, "customer: must be 1 to 64 printable characters"),
    ],
)
def test_a_credit_keeps_its_rules(changes: dict[str, str], rule: str) -> None:
    said = {"external_id": "K-1", "customer": "C-1", "amount": "5.00", "currency": "INR"} | changes
    found = parse_credit([said[field] for field in CREDIT_RECORDS.fields], "a.csv", 2)
    assert isinstance(found, list)
    assert f"{found[0].place.rpartition(' ')[2]}: {found[0].rule}".startswith(rule)
