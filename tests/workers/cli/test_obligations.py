"""`bursar import lenders|positions|obligations`, `bursar obligations …`, `bursar why obligation`, and two people."""

from collections.abc import Mapping

import pytest

from domain.obligations import CREATE
from tests.builders import house
from tests.mortgages import id_of, pay, standing
from tests.operating import change, query
from tests.workers.cli.conftest import Line

LENDERS = "external_id,payee\nL-1,Asha Capital\nL-2,Ravi Capital\n"
POSITIONS = """external_id,mortgage,lender,units,from_lender,effective_on
P-1,M-1,L-1,6000,,
P-2,M-1,L-2,4000,,
R-1,M-1,L-2,100,L-1,2026-03-21
"""
OBLIGATIONS = """external_id,mortgage,borrower,kind,amount,currency,due_on,principal,fee_rate,frequency,state,settled_on
O-1,M-1,Mira,regular_interest,1000.00,INR,2026-03-20,100000.00,1,monthly,due,
O-2,M-1,Mira,late_fee,50.00,INR,2026-03-20,0,0,monthly,settled,2026-03-20
O-3,M-1,Mira,late_fee,50.00,INR,2026-03-20,0,0,monthly,settled,
"""
FILES: Mapping[str, str] = {
    "lenders": LENDERS,
    "positions": POSITIONS,
    "obligations": OBLIGATIONS,
}


@pytest.fixture
def lent(bursar: Line) -> Line:
    """Lenders, positions and obligations."""
    for kind, text in FILES.items():
        assert bursar("import", kind, bursar.file(text, f"{kind}.csv")).code == 0
    return bursar


def test_each_kind_is_imported_once(bursar: Line) -> None:
    for kind, text in FILES.items():
        file, count = bursar.file(text, f"{kind}.csv"), len(text.splitlines()) - 1
        foreseen = bursar("import", kind, file, "--dry-run", "--json").json
        assert (foreseen["created"], foreseen["dry_run"]) == (count, True)
        assert bursar("import", kind, file, "--json").json["created"] == count
        again = bursar("import", kind, file, "--json").json
        assert (again["created"], again["existing"]) == (0, count)


@pytest.mark.parametrize(
    ("kind", "was", "now", "field"),
    [
        ("lenders", "L-2,Ravi Capital", "L-2,Asha Trust", "payee"),
        ("positions", "L-2,4000", "L-2,4001", "units"),
        ("positions", "2026-03-21", "2026-03-22", "effective_on"),
        ("obligations", "1000.00", "1000.01", "amount"),
        ("obligations", "Mira,regular", "Maya,regular", "borrower"),
    ],
)
def test_the_same_name_with_other_content_is_an_error_and_nothing_is_written(
    lent: Line, kind: str, was: str, now: str, field: str
) -> None:
    said = lent("import", kind, lent.file(FILES[kind].replace(was, now), "x.csv"))
    assert said.code == 2
    assert f"field {field}: " in said.err
    assert "was imported with" in said.err


def test_under_four_eyes_each_kind_is_proposed_and_brought_by_another(bursar: Line) -> None:
    """TRAP: one person names a lender, gives it units, and is paid by rule."""
    assert bursar("maintenance", "hold", "policy:maker-checker", "--why", "policy 7").code == 0
    for number, (kind, text) in enumerate(FILES.items(), start=1):
        file = bursar.file(text, f"{kind}.csv")
        said = bursar("import", kind, file, "--why", "loan book of May")
        rule = f"bursar import {kind} FILE --proposal {number}"
        assert (said.code, rule in said.err) == (0, True)
        assert query(bursar.database, f"SELECT FROM {kind}") == []
        own = bursar("import", kind, file, "--proposal", str(number))
        assert (own.code, "another operator" in own.err) == (1, True)
        change(
            bursar.database,
            "UPDATE proposals SET proposed_by = 'somebody else' WHERE outcome IS NULL",
        )
        other = bursar.file(text + text.splitlines()[-1].replace("-", "-1", 1), "x.csv")
        assert bursar("import", kind, other, "--proposal", str(number)).code == 1
        done = bursar("import", kind, file, "--proposal", str(number), "--json")
        assert done.json["created"] == len(text.splitlines()) - 1


def test_what_contradicts_what_is_there_is_named(lent: Line) -> None:
    taken = lent("import", "lenders", lent.file("external_id,payee\nL-9,Asha Capital\n", "l.csv"))
    assert (taken.code, "is lender L-1 already: a payee is one lender" in taken.err) == (2, True)
    header = POSITIONS.splitlines()[0]
    twice = lent("import", "positions", lent.file(f"{header}\nP-9,M-1,L-1,1,,\n", "p.csv"))
    assert "p.csv row 2 field lender: 'L-1': has position P-1 in M-1" in twice.err
    nobody = lent("import", "positions", lent.file(f"{header}\nP-9,M-1,L-7,1,,\n", "p.csv"))
    assert "'L-7': is no lender: import it first" in nobody.err
    assert {taken.code, twice.code, nobody.code} == {2}
    partly = lent(
        "import", "positions", "--partial", lent.file(f"{header}\nP-9,M-1,L-7,1,,\nP-8,M-2,L-1,1,,")
    )
    assert partly.code == 1
    assert len(query(lent.database, "SELECT FROM positions")) == 3


def test_obligations_are_listed_shown_and_explained(lent: Line) -> None:
    listed = lent("obligations", "list", "--state", "settled", "--json").json
    assert [row["external_id"] for row in listed] == ["O-3", "O-2"]
    assert lent("obligations", "show", "O-1", "--json").json["amount_minor"] == 100_000
    told = lent("why", "obligation", "O-1", "--json").json
    assert told["reason"] == "nothing was received for it"
    assert "1000.00 INR due 2026-03-20" in told["evidence"]
    assert "0.00 INR received, 1000.00 INR open" in told["evidence"]
    pay(lent.database, id_of(lent.database, "O-1"), 100_000)
    with house(lent.database.options.url) as made:
        made.run(CREATE)
    told = lent("why", "obligation", "O-1", "--json").json
    assert told["reason"] == "what it received is divided among its lenders"
    assert (
        "fee 83.33 INR, 916.67 INR to 2 lenders, who may have it from 2026-03-20"
        in told["evidence"]
    )
    told = lent("why", "obligation", "O-2", "--json").json
    assert any("settled-without-cash" in line for line in told["evidence"])
    assert len(lent("dispersals", "list", "--json").json) == 2


def test_a_day_nobody_said_is_said(lent: Line) -> None:
    bad = lent("obligations", "date", "O-3", "--on", "21.3.2026", "--why", "on paper")
    assert (bad.code, "--on: '21.3.2026': must be a date" in bad.err) == (2, True)
    assert lent("obligations", "date", "O-3", "--on", "2026-03-21", "--why", "on paper").code == 0
    again = lent("obligations", "date", "O-3", "--on", "2026-03-22", "--why", "on paper")
    assert (again.code, "was settled on 2026-03-21" in again.err) == (1, True)


def test_what_could_not_be_divided_is_tried_again_once_it_is_put_right(bursar: Line) -> None:
    """Nobody had a position: what came in waits, and nobody is told that it was divided."""
    assert bursar("import", "obligations", bursar.file(OBLIGATIONS, "o.csv")).code == 0
    pay(bursar.database, id_of(bursar.database, "O-1"), 100_000)
    early = bursar("obligations", "retry", "O-1", "--why", "positions are there")
    assert (early.code, "obligation O-1 is SETTLED, not STALLED" in early.err) == (1, True)
    with house(bursar.database.options.url) as made:
        made.run(CREATE)
        assert standing(bursar.database, id_of(bursar.database, "O-1")).state == "STALLED"
        told = bursar("why", "obligation", "O-1", "--json").json
        assert told["command"].startswith("bursar obligations retry ")
        for kind in ("lenders", "positions"):
            assert bursar("import", kind, bursar.file(FILES[kind], f"{kind}.csv")).code == 0
        assert bursar("obligations", "retry", "O-1", "--why", "positions are there").code == 0
        made.run(CREATE)
    assert standing(bursar.database, id_of(bursar.database, "O-1")).state == "DISPERSED"
    assert len(bursar("dispersals", "list", "--json").json) == 2


def test_unapplied_cash_is_given_to_another_obligation(lent: Line) -> None:
    pay(lent.database, id_of(lent.database, "O-2"), 9_000)
    given = ("obligations", "apply", "O-1", "--amount", "40.00", "--reference", "letter 7")
    assert lent(*given, "--why", "she asked").code == 0
    assert standing(lent.database, id_of(lent.database, "O-1")).open == 96_000
    again = lent(*given, "--why", "she asked")
    assert (again.code, "is in the books already" in again.err) == (1, True)
    bad = lent("obligations", "apply", "O-1", "--amount", "0", "--reference", "x", "--why", "w")
    assert (bad.code, "--amount: '0': must be more than zero" in bad.err) == (2, True)


def operators(line: Line) -> list[str]:
    """The tokens of two."""
    made = [
        line("operators", "add", name, "--why", "she may", "--json") for name in ("asha", "ravi")
    ]
    return [said.json["token"] for said in made]


def by_two(line: Line, tokens: list[str], action: str, subject: str, *details: str) -> str:
    """One proposes, with `details`, another approves; what came of it."""
    line.set("BURSAR_OPERATOR_TOKEN", tokens[0])
    options = [word for one in details for word in ("--set", one)]
    made = line("propose", action, subject, *options, "--why", "she cannot pay", "--json").json
    own = line("approve", str(made["proposal"]))
    assert own.code != 0
    line.set("BURSAR_OPERATOR_TOKEN", tokens[1])
    return str(line("approve", str(made["proposal"]), "--json").json["outcome"])


def test_two_people_waive_write_off_and_reverse(lent: Line) -> None:
    tokens = operators(lent)
    ids = {name: str(id_of(lent.database, name)) for name in ("O-1", "O-2")}
    said = by_two(lent, tokens, "obligation.waive", ids["O-1"])
    assert said == f"nothing more is asked for obligation {ids['O-1']}"
    assert standing(lent.database, id_of(lent.database, "O-1")).state == "WAIVED"
    made = pay(lent.database, id_of(lent.database, "O-2"), 5_000)
    assert by_two(lent, tokens, "receipt.reverse", str(made.id)).endswith("is reversed")
    assert standing(lent.database, id_of(lent.database, "O-2")).state == "DUE"
    by_two(lent, tokens, "obligation.write_off", ids["O-2"])
    assert standing(lent.database, id_of(lent.database, "O-2")).state == "WRITTEN_OFF"


def test_what_could_never_be_done_is_not_proposed(lent: Line) -> None:
    lent.set("BURSAR_OPERATOR_TOKEN", operators(lent)[0])
    named = lent("propose", "obligation.waive", "O-1", "--why", "w")
    assert (named.code, "must be the obligation's id" in named.err) == (2, True)
    more = lent("propose", "obligation.waive", "O-1", "--set", "a=b", "--why", "w")
    assert (more.code, "takes no details" in more.err) == (2, True)
    none = lent("propose", "receipt.reverse", str(id_of(lent.database, "O-1")), "--why", "w")
    assert (none.code, "must be the id of a receipt" in none.err) == (2, True)
