"""`bursar import wallets`, `bursar wallets …` and `bursar why wallet`: from a credit to a payout."""

import pytest

from tests.operating import change, query
from tests.workers.cli.conftest import Line

PAYEES = """name,fund_account_id,kind,tax_class,has_pan,resident,verified,default
Asha Rao,fa_1,person,individual,yes,yes,yes,yes
"""
CREDITS = """external_id,payee,amount,currency
W-1,Asha Rao,800.00,INR
W-2,Asha Rao,0.50,INR
W-3,Bela,900.00,INR
W-4,Bela,1.00,USD
"""


@pytest.fixture
def kept(bursar: Line) -> Line:
    """Wallets of one who can be paid, and of one who cannot."""
    assert bursar("import", "payees", bursar.file(PAYEES, "payees.csv")).code == 0
    assert bursar("import", "wallets", bursar.file(CREDITS, "wallets.csv")).code == 0
    return bursar


def test_credits_are_imported_once_and_a_dry_run_writes_nothing(bursar: Line) -> None:
    file = bursar.file(CREDITS, "wallets.csv")
    foreseen = bursar("import", "wallets", file, "--dry-run", "--json").json
    assert (foreseen["created"], foreseen["created_minor_INR"]) == (4, 170_050)
    assert query(bursar.database, "SELECT * FROM wallets") == []
    assert bursar("import", "wallets", file, "--json").json["created"] == 4
    again = bursar("import", "wallets", file, "--json").json
    assert (again["created"], again["existing"]) == (0, 4)
    noted = query(bursar.database, "SELECT what, why FROM changes")
    assert [tuple(row) for row in noted] == [("wallets.import", "4 created, 0 approved")]


def test_bad_credits_are_named_with_file_row_field_and_value(kept: Line) -> None:
    other = kept("import", "wallets", kept.file(CREDITS.replace("800.00", "801.00"), "w.csv"))
    assert other.code == 2
    assert "w.csv row 2 field amount: '801.00'" in other.err
    bad = kept("import", "wallets", kept.file(CREDITS.replace("900.00", "1e3"), "w.csv"))
    assert bad.code == 2
    assert "w.csv row 4 field amount: '1e3'" in bad.err


def test_wallets_are_listed_and_shown_with_what_is_left(kept: Line) -> None:
    listed = kept("wallets", "list", "--json").json
    assert {(row["payee"], row["currency"], row["balance_minor"]) for row in listed} == {
        ("Asha Rao", "INR", 80_050),
        ("Bela", "INR", 90_000),
        ("Bela", "USD", 100),
    }
    first = kept("wallets", "list", "--limit", "1", "--json").json
    rest = kept("wallets", "list", "--after", first[0]["id"], "--json").json
    assert len(rest) == 2
    assert kept("enqueue", "payouts.batch", "--wait", "--inline").code == 0
    shown = kept("wallets", "show", "Asha Rao", "--json").json
    assert (shown["balance_minor"], shown["left_minor"]) == (80_050, 0)
    assert [line["fact"] for line in shown["history"]] == ["wallet.credited"] * 2 + ["payout made"]
    assert "wallet.credited" in kept("wallets", "show", "Asha Rao").out


def test_a_name_of_several_wallets_or_of_none_is_an_error(kept: Line) -> None:
    several = kept("wallets", "show", "Bela")
    assert several.code == 2
    assert "has several, name one by its id" in several.err
    assert kept("wallets", "show", "Nobody").code == 2


def test_an_owner_says_how_a_wallet_is_paid_and_it_is_kept_who_and_why(kept: Line) -> None:
    said = kept(
        "wallets", "set", "Asha Rao", "--frequency", "day", "--minimum", "900.00", "--why", "mail 7"
    )
    assert said.code == 0
    assert "its owner wants 900.00 INR at least" in kept("why", "wallet", "Asha Rao").out
    assert kept("wallets", "set", "Asha Rao", "--opt-out", "--why", "mail 8").code == 0
    assert "opted out" in kept("why", "wallet", "Asha Rao").out
    again = kept(
        "wallets", "set", "Asha Rao", "--opt-in", "--minimum", "0", "--why", "mail 9", "--json"
    ).json
    assert (again["frequency"], again["minimum_minor"], again["opted_out"]) == ("day", None, False)
    assert "waits for the next batch" in kept("why", "wallet", "Asha Rao").out
    noted = query(kept.database, "SELECT why FROM changes WHERE what = 'wallet.set' ORDER BY id")
    assert [row.why for row in noted] == ["mail 7", "mail 8", "mail 9"]


@pytest.mark.parametrize(
    "words", [(), ("--minimum", "-1"), ("--minimum", "1.234"), ("--frequency", "yearly")]
)
def test_what_says_nothing_or_nonsense_is_refused(kept: Line, words: tuple[str, ...]) -> None:
    assert kept("wallets", "set", "Asha Rao", *words, "--why", "x").code == 2
    assert query(kept.database, "SELECT FROM changes WHERE what = 'wallet.set'") == []


def test_why_tells_what_became_of_it(kept: Line) -> None:
    kept("enqueue", "payouts.batch", "--wait", "--inline")
    told = kept("why", "wallet", "Asha Rao", "--json").json
    assert told["reason"] == "all it holds is in payouts that wait"
    assert any("is APPROVED" in line for line in told["evidence"])
    kept("import", "wallets", kept.file(CREDITS.replace("W-", "V-"), "v.csv"))
    assert "once in a week" in kept("why", "wallet", "Asha Rao").out


def checked(bursar: Line) -> str:
    """Under policy:maker-checker; a file of credits."""
    turned = bursar("maintenance", "hold", "policy:maker-checker", "--why", "policy 7")
    assert turned.code == 0
    return bursar.file(CREDITS, "wallets.csv")


def by_another(bursar: Line) -> None:
    """Whoever proposed it was somebody else."""
    change(bursar.database, "UPDATE proposals SET proposed_by = 'somebody else'")


def test_under_four_eyes_credits_are_proposed_and_brought_by_another(bursar: Line) -> None:
    file = checked(bursar)
    assert bursar("import", "wallets", file).code == 2, "another person reads why"
    said = bursar("import", "wallets", file, "--why", "refunds of May")
    assert said.code == 0
    assert "proposal 1" in said.err
    assert query(bursar.database, "SELECT FROM wallets") == []
    own = bursar("import", "wallets", file, "--proposal", "1")
    assert own.code != 0
    assert "another operator" in own.err
    by_another(bursar)
    assert bursar("import", "wallets", file, "--proposal", "1", "--json").json["created"] == 4
    [entry] = query(bursar.database, "SELECT DISTINCT actor FROM entries")
    assert entry.actor.startswith("somebody else, ")
    [proposal] = query(bursar.database, "SELECT outcome FROM proposals")
    assert proposal.outcome == "4 credited"
    assert bursar("import", "wallets", file, "--why", "again").code == 0, "nothing is new"


def test_a_proposal_is_about_one_file_and_approved_with_it_alone(bursar: Line) -> None:
    file = checked(bursar)
    bursar("import", "wallets", file, "--why", "refunds of May")
    by_another(bursar)
    other = bursar.file(CREDITS.replace("800.00", "801.00"), "other.csv")
    said = bursar("import", "wallets", other, "--proposal", "1")
    assert said.code != 0
    assert "not about this file" in said.err
    bare = bursar("approve", "1")
    assert bare.code != 0
    assert "with its file" in bare.err
    assert query(bursar.database, "SELECT FROM wallets") == []
    [proposal] = query(bursar.database, "SELECT approved_at FROM proposals")
    assert proposal.approved_at is None
