"""`bursar import payees|earnings`, `bursar earnings …` and `bursar why earning`: from a sale to a payout."""

import json

import pytest

from tests.builders import house
from tests.operating import change, query
from tests.workers.cli.conftest import Line

PAYEES = """name,fund_account_id,kind,tax_class,has_pan,resident,verified,default
Asha Rao,fa_1,person,individual,yes,yes,yes,yes
Bela,fa_2,,,,,,yes
"""
HEADER = "external_id,payee,kind,gross,amount,currency,earned_at\n"
EARNINGS = (
    HEADER
    + "E-1,Asha Rao,class,1000.00,800.00,INR,2026-01-05T06:00Z\n"
    + "E-2,Bela,webinar,1000.00,800.00,INR,2026-01-05T06:00Z\n"
    + "E-3,Chitra,class,1000.00,400.00,INR,2026-01-05T06:00Z\n"
    + "E-4,Asha Rao,subscription,1000.00,800.00,INR,2099-01-05T06:00Z\n"
)


TAKEN_OVER = (
    HEADER.rstrip("\n") + ",state,refunded,payout\n"
    "E-1,Asha Rao,class,1000.00,800.00,INR,2026-01-05T06:00Z,READY,,\n"
)


@pytest.fixture
def market(bursar: Line) -> Line:
    """Payees and what they earned."""
    assert bursar("import", "payees", bursar.file(PAYEES, "payees.csv")).code == 0
    assert bursar("import", "earnings", bursar.file(EARNINGS, "earnings.csv")).code == 0
    return bursar


def test_payees_are_imported_once(bursar: Line) -> None:
    file = bursar.file(PAYEES, "payees.csv")
    foreseen = bursar("import", "payees", file, "--dry-run", "--json").json
    assert (foreseen["created"], foreseen["dry_run"]) == (2, True)
    assert query(bursar.database, "SELECT * FROM payees") == []
    assert bursar("import", "payees", file, "--json").json["created"] == 2
    again = bursar("import", "payees", file, "--json").json
    assert (again["created"], again["completed"], again["existing"]) == (0, 0, 2)


def test_a_payee_told_otherwise_is_named_with_file_row_field_and_value(bursar: Line) -> None:
    bursar("import", "payees", bursar.file(PAYEES, "payees.csv"))
    said = bursar("import", "payees", bursar.file(PAYEES.replace("individual", "firm"), "p.csv"))
    assert said.code == 2
    assert "p.csv row 2 field tax_class: 'firm': 'individual' was told of it before" in said.err
    partly = bursar(
        "import", "payees", "--partial", bursar.file(PAYEES.replace("individual", "firm"))
    )
    assert partly.code == 1


def test_json_lines_of_payees_may_say_true_and_false(bursar: Line) -> None:
    row = {"name": "Asha Rao", "fund_account_id": "fa_1", "verified": True, "default": False}
    file = bursar.file(json.dumps(row) + "\n", "payees.jsonl")
    assert bursar("import", "payees", file).code == 0
    [made] = query(bursar.database, "SELECT verified, is_default FROM payout_accounts")
    assert (made.verified, made.is_default) == (True, False)


def test_earnings_are_imported_once_and_listed(market: Line) -> None:
    file = market.file(EARNINGS, "earnings.csv")
    again = market("import", "earnings", file, "--json").json
    assert (again["created"], again["existing"]) == (0, 4)
    listed = market("earnings", "list", "--state", "ready", "--json")
    assert [row["external_id"] for row in listed.json] == ["E-4", "E-3", "E-2", "E-1"]
    assert "total 2800.00 INR" in listed.err
    other = market("import", "earnings", market.file(EARNINGS.replace("400.00", "401.00"), "e.csv"))
    assert other.code == 2
    assert "e.csv row 4 field amount: '401.00'" in other.err


@pytest.mark.parametrize(
    ("earning", "reason"),
    [
        ("E-1", "it waits for the next batch"),
        ("E-2", "account fa_2 of Bela is not verified"),
        ("E-3", "Chitra has no default account"),
        ("E-4", "its hold is not over before 2099-01-12 06:00:00 UTC"),
    ],
)
def test_why_an_earning_is_not_paid(market: Line, earning: str, reason: str) -> None:
    assert reason in market("why", "earning", earning).out


def test_why_names_the_minimum(market: Line) -> None:
    market.set("BURSAR_PAYOUT_MINIMUM_MINOR", "80001")
    assert "a batch pays 800.01 INR at least" in market("why", "earning", "E-1").out


@pytest.mark.parametrize("more", [(), ("--as-of", "2026-03-31")])
def test_under_four_eyes_nobody_brings_earnings_in_alone(
    bursar: Line, more: tuple[str, ...]
) -> None:
    """What is below a limit a rule approves: so who brings in what is owed would be who pays it."""
    assert bursar("import", "payees", bursar.file(PAYEES, "payees.csv")).code == 0
    policy = ("maintenance", "hold", "policy:maker-checker", "--why", "policy 7")
    assert bursar(*policy).code == 0
    file = bursar.file(TAKEN_OVER if more else EARNINGS, "earnings.csv")
    bring = ("import", "earnings", file, *more)
    assert bursar(*bring).code == 2, "another person reads why"
    said = bursar(*bring, "--why", "sales of May")
    assert (said.code, "proposal 1" in said.err) == (0, True)
    assert query(bursar.database, "SELECT FROM earnings") == []
    assert bursar(*bring, "--proposal", "1").code == 1
    change(bursar.database, "UPDATE proposals SET proposed_by = 'somebody else'")
    assert bursar(*bring, "--proposal", "1", "--json").json["created"] == (1 if more else 4)
    [entry] = query(bursar.database, "SELECT DISTINCT actor FROM entries")
    assert entry.actor.startswith("somebody else, ")


def test_an_earning_is_held_and_released(market: Line) -> None:
    assert market("earnings", "hold", "E-1", "--why", "complaint 7").code == 0
    said = market("why", "earning", "E-1", "--json").json
    assert said["reason"] == "people hold it"
    assert "complaint 7" in said["evidence"][1]
    assert market("earnings", "release", "E-1", "--why", "settled").code == 0
    history = market("earnings", "show", "E-1", "--json").json["history"]
    assert [line["detail"] for line in history if "->" in line["fact"]] == [
        "complaint 7",
        "settled",
    ]


def test_a_share_is_given_back(market: Line) -> None:
    words = ("earnings", "reduce", "E-1", "--refunded", "300.00", "--why", "cancelled late")
    assert market(*words).code == 0
    assert "it stood so already" in market(*words).out
    assert market("earnings", "show", "E-1", "--json").json["refunded_minor"] == 30_000
    assert (
        market("earnings", "reduce", "E-1", "--refunded", "300.00", "--whole", "--why", "x").code
        == 2
    )
    assert market("earnings", "reduce", "E-1", "--refunded", "900.00", "--why", "x").code == 1
    assert market("earnings", "reduce", "E-1", "--whole", "--why", "all of it").code == 0
    assert "nothing is owed" in market("why", "earning", "E-1").out


def test_a_batch_is_foreseen_and_then_made(market: Line) -> None:
    foreseen = market("enqueue", "payouts.batch", "--dry-run", "--json").json
    assert (foreseen["would_make"], foreseen["amount_minor_INR"]) == (1, 80_000)
    assert (foreseen["left_out_not_verified"], foreseen["left_out_below_minimum"]) == (1, 1)
    assert query(market.database, "SELECT * FROM runs") == []
    with house(market.database.options.url) as home:
        home.run("payouts.batch")
    said = market("why", "earning", "E-1").out
    assert "it is in payout batch:earnings:" in said
    assert "which is APPROVED" in said


def test_a_scope_is_checked_before_a_run_is_on_record(market: Line) -> None:
    said = market("enqueue", "payouts.batch", "--scope", "period=year")
    assert said.code == 2
    assert "period=week|hour|day|month" in said.err
    assert market("enqueue", "payouts.batch", "--scope", "period=day").code == 0


def test_samples_import(bursar: Line) -> None:
    for kind in ("payees", "earnings"):
        words = ["sample", kind, "--seed", "3"] + (["--count", "50"] if kind == "earnings" else [])
        sample = bursar(*words)
        assert bursar("import", kind, bursar.file(sample.out, f"{kind}.csv")).code == 0
    [found] = query(bursar.database, "SELECT count(*) AS n FROM earnings")
    assert found.n == 50
