"""`bursar import receipts`, `bursar receipts …` and `bursar suspense …`: money that came in."""

import pytest

from tests.operating import change, query
from tests.workers.cli.conftest import Line
from tests.workers.cli.test_obligations import FILES, by_two, operators

RECEIPTS = """external_id,reference,amount,currency,received_on,method
RC-1,O-1,1000.00,INR,2026-03-20,pad
RC-2,rent of May,300.05,INR,2026-03-21,
RC-3,,10.00,INR,2026-03-22,manual
"""


@pytest.fixture
def lent(bursar: Line) -> Line:
    """Lenders, positions and obligations."""
    for kind, text in FILES.items():
        assert bursar("import", kind, bursar.file(text, f"{kind}.csv")).code == 0
    return bursar


def test_receipts_are_imported_once_and_say_what_is_set_apart(lent: Line) -> None:
    file = lent.file(RECEIPTS, "receipts.csv")
    foreseen = lent("import", "receipts", file, "--dry-run", "--json").json
    assert (foreseen["created"], foreseen["suspense"], foreseen["suspense_minor_INR"]) == (
        3,
        2,
        31_005,
    )
    assert query(lent.database, "SELECT FROM receipts") == []
    done = lent("import", "receipts", file, "--json").json
    assert (done["created"], done["created_minor_INR"], done["suspense"]) == (3, 131_005, 2)
    again = lent("import", "receipts", file, "--json").json
    assert (again["created"], again["existing"], again["suspense"]) == (0, 3, 0)
    noted = query(lent.database, "SELECT why FROM changes WHERE what = 'receipts.import'")
    assert [row.why for row in noted] == ["3 created, 0 approved"]
    [one] = query(lent.database, "SELECT state FROM obligations WHERE external_id = 'O-1'")
    assert one.state == "SETTLED"


def test_bad_receipts_are_named_with_file_row_field_and_value(lent: Line) -> None:
    file = lent.file(RECEIPTS.replace("300.05", "3e2"), "r.csv")
    bad = lent("import", "receipts", file)
    assert (bad.code, "r.csv row 3 field amount: '3e2'" in bad.err) == (2, True)
    partly = lent("import", "receipts", file, "--partial", "--json")
    assert (partly.code, partly.json["created"], partly.json["errors"]) == (1, 2, 1)
    other = lent("import", "receipts", lent.file(RECEIPTS.replace("1000.00", "999.00"), "r.csv"))
    assert (other.code, "r.csv row 2 field amount: '999.00'" in other.err) == (2, True)


def test_receipts_and_items_are_listed_and_shown_with_their_entries(lent: Line) -> None:
    lent("import", "receipts", lent.file(RECEIPTS, "receipts.csv"))
    listed = lent("receipts", "list", "--json")
    assert [(row["external_id"], row["state"], row["obligation"]) for row in listed.json] == [
        ("RC-3", "suspense", None),
        ("RC-2", "suspense", None),
        ("RC-1", "received", "O-1"),
    ]
    assert "total 1310.05 INR" in listed.err
    shown = lent("receipts", "show", "RC-1", "--json").json
    assert [line["fact"] for line in shown["entries"]] == ["CASH_RECEIVED", "CASH_APPLIED"]
    assert "CASH_RECEIVED" in lent("receipts", "show", "RC-1").out

    items = lent("suspense", "list", "--json")
    assert {
        (row["external_id"], row["kind"], row["open_minor"], row["age_days"]) for row in items.json
    } == {
        ("RC-2", "receipt", 30_005, 0),
        ("RC-3", "receipt", 1_000, 0),
    }
    assert "total 310.05 INR" in items.err
    item = lent("suspense", "show", "RC-2", "--json").json
    assert item["reason"] == "it names 'rent of May', and no obligation was called so"
    assert item["opened_by"] == f"suspense-routed:{item['id']}"
    assert [(line["debit"], line["credit"]) for line in item["entries"]] == [
        ("suspense", "trust_cash")
    ]
    taken = lent("findings", "take", f"suspense-open:receipt {item['id']}", "--why", "mine")
    assert taken.code == 0
    assert lent("suspense", "show", item["id"], "--json").json["owner"]


def test_what_is_no_item_is_named(lent: Line) -> None:
    lent("import", "receipts", lent.file(RECEIPTS, "receipts.csv"))
    for words in (
        ("suspense", "show", "RC-1"),
        ("suspense", "show", "O-1"),
        ("receipts", "show", "RC-9"),
    ):
        said = lent(*words)
        assert (said.code, words[2] in said.err) == (2, True)
    assert lent("suspense", "list", "--state", "resolved", "--json").json == []
    assert len(lent("suspense", "list", "--state", "all", "--json").json) == 2


def test_under_four_eyes_receipts_are_proposed_and_brought_by_another(lent: Line) -> None:
    assert lent("maintenance", "hold", "policy:maker-checker", "--why", "policy 7").code == 0
    file = lent.file(RECEIPTS, "receipts.csv")
    said = lent("import", "receipts", file, "--why", "statement of May")
    assert (said.code, "bursar import receipts FILE --proposal 1" in said.err) == (0, True)
    assert query(lent.database, "SELECT FROM receipts") == []
    own = lent("import", "receipts", file, "--proposal", "1")
    assert (own.code != 0, "another operator" in own.err) == (True, True)
    change(lent.database, "UPDATE proposals SET proposed_by = 'somebody else'")
    assert lent("import", "receipts", file, "--proposal", "1", "--json").json["created"] == 3
    [proposal] = query(lent.database, "SELECT action, outcome FROM proposals")
    assert tuple(proposal) == ("receipts.receive", "3 received")
    [entry] = query(lent.database, "SELECT DISTINCT actor FROM entries WHERE type LIKE 'SUSPENSE%'")
    assert entry.actor.startswith("somebody else, ")


def test_two_people_let_money_leave_suspense(lent: Line) -> None:
    """Invariant 67: one proposes, another approves; the item is named by its id, and by what is open of it."""
    tokens = operators(lent)
    lent("import", "receipts", lent.file(RECEIPTS, "receipts.csv"))
    item = lent("suspense", "show", "RC-2", "--json").json["id"]
    lent.set("BURSAR_OPERATOR_TOKEN", tokens[0])
    for subject, more, rule in (
        ("RC-2", ("way=refund",), f"must be the item's id, {item}"),
        (item, (), "must be way=match|refund|write_off"),
        (item, ("way=lose",), "must be one of match, refund, write_off"),
        (item, ("way=refund", "amount=3e2"), "amount: '3e2'"),
        (item, ("way=refund", "amount=300.06"), "30005 are open"),
        (item, ("way=refund", "obligation=O-1"), "must be named where a receipt is matched"),
        (
            item,
            ("way=match", "obligation=O-9"),
            "must be the id or the external id of an obligation",
        ),
    ):
        options = [word for one in more for word in ("--set", one)]
        said = lent("propose", "suspense.resolve", subject, *options, "--why", "letter 7")
        assert (said.code != 0, rule in said.err) == (True, True), said.err
    outcome = by_two(
        lent, tokens, "suspense.resolve", item, "way=match", "amount=50.05", "obligation=O-2"
    )
    assert outcome == f"50.05 INR of item {item} left suspense (match), 250.00 of it is open"
    outcome = by_two(lent, tokens, "suspense.resolve", item, "way=refund")
    assert outcome == f"250.00 INR of item {item} left suspense (refund), 0.00 of it is open"
    shown = lent("suspense", "show", "RC-2", "--json").json
    assert (shown["state"], shown["open_minor"], shown["opened_minor"]) == ("resolved", 0, 30_005)
    about = [(line["fact"], line["debit"], line["about"]) for line in shown["entries"]]
    assert about == [
        ("SUSPENSE_ROUTED", "suspense", None),
        ("SUSPENSE_RESOLVED", "trust_cash", f"suspense-routed:{item}"),
        ("SUSPENSE_RESOLVED", "cash_clearing", f"suspense-routed:{item}"),
    ]
    facts = [line["fact"] for line in lent("receipts", "show", "RC-2", "--json").json["entries"]]
    assert facts.count("SUSPENSE_RESOLVED") == 2
    assert {"CASH_RECEIVED", "CASH_APPLIED", "SUSPENSE_ROUTED"} <= set(facts)
    assert [row["external_id"] for row in lent("suspense", "list", "--json").json] == ["RC-3"]
    other = lent("suspense", "show", "RC-3", "--json").json["id"]
    by_two(lent, tokens, "suspense.resolve", other, "way=match", "amount=0.01", "obligation=O-2")
    assert by_two(lent, tokens, "receipt.reverse", other) == f"receipt {other} is reversed"
    shown = lent("receipts", "show", "RC-3", "--json").json
    assert (shown["state"], shown["suspense_minor"]) == ("reversed", 0)
    undone = [line["key"] for line in shown["entries"] if line["fact"] == "REVERSAL"]
    assert f"reversal:suspense-resolved:{other}:1" in undone
    assert f"reversal:suspense-routed:{other}" in undone
    assert lent("suspense", "list", "--json").json == []
