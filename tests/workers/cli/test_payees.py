"""`bursar payees set`: where a payee is paid, and told of payouts."""

import pytest

from tests.operating import change, query
from tests.workers.cli.conftest import Line

OLD = """name,fund_account_id,kind,tax_class,has_pan,resident,verified,default
Asha Rao,fa_1,person,individual,yes,yes,yes,yes
"""
TAKEN_OVER = OLD.replace(
    "default\n", "default,prior_year,prior_gross,prior_share,prior_base,prior_tax\n"
).replace("yes\n", "yes,2025-26,1000.00,800.00,0,0\n")
ADDRESS = "SELECT email FROM payees"


@pytest.fixture
def known(bursar: Line) -> Line:
    """A payee of a file that says nothing of addresses: its header may leave the column out."""
    assert bursar("import", "payees", bursar.file(OLD, "payees.csv")).code == 0
    return bursar


def test_an_address_is_said_shown_and_taken_back_and_it_is_kept_who_and_why(known: Line) -> None:
    said = known("payees", "set", "Asha Rao", "--email", "asha@example.org", "--why", "by phone")
    assert said.code == 0
    assert known("payees", "show", "Asha Rao", "--json").json["email"] == "asha@example.org"
    assert known("import", "payees", known.file(OLD, "payees.csv"), "--json").json["existing"] == 1
    assert [row.email for row in query(known.database, ADDRESS)] == ["asha@example.org"]
    assert known("payees", "set", "Asha Rao", "--no-email", "--why", "asked to stop").code == 0
    assert [row.email for row in query(known.database, ADDRESS)] == [None]
    noted = query(known.database, "SELECT why FROM changes WHERE what = 'payee.set' ORDER BY id")
    assert [row.why for row in noted] == ["by phone", "asked to stop"]


def test_an_account_is_closed_and_another_is_paid_from_now_on(known: Line) -> None:
    second = "Asha Rao,fa_2,person,individual,yes,yes,yes,no\n"
    known("import", "payees", known.file(OLD + second, "payees.csv"))
    words = ("payees", "set", "Asha Rao", "--account")
    assert known(*words, "fa_1", "--inactive", "--why", "closed").code == 0
    said = known(*words, "fa_2", "--default", "--verified", "--why", "by letter")
    assert said.out == "account fa_2 of Asha Rao is default, verified\n"
    shown = known("payees", "show", "Asha Rao", "--json").json
    assert [(a["fund_account_id"], a["active"], a["is_default"]) for a in shown["accounts"]] == [
        ("fa_1", False, False),
        ("fa_2", True, True),
    ]
    assert {(line["fund_account_id"], line["what"], line["why"]) for line in shown["history"]} == {
        ("fa_1", "payee.account.inactive", "closed"),
        ("fa_1", "payee.account.no-default", "by letter"),
        ("fa_2", "payee.account.default", "by letter"),
        ("fa_2", "payee.account.verified", "by letter"),
    }
    assert "payee.account.verified" in known("payees", "show", "Asha Rao").out


def test_what_is_withheld_and_which_ways_lead_to_an_account_are_said_and_kept(known: Line) -> None:
    words = ("payees", "set", "Asha Rao")
    said = known(*words, "--tax-class", "company", "--no-pan", "--why", "her deed")
    assert said.out == "Asha Rao is taxed as company, without a PAN\n"
    said = known(*words, "--account", "fa_1", "--account-kind", "vpa", "--why", "she wrote")
    assert said.out == "account fa_1 of Asha Rao is vpa\n"
    shown = known("payees", "show", "Asha Rao", "--json").json
    assert (shown["tax_class"], shown["has_pan"], shown["accounts"][0]["kind"]) == (
        "company",
        False,
        "vpa",
    )
    assert [(line["what"], line["why"]) for line in shown["history"]] == [
        ("payee.account.vpa", "she wrote"),
        ("payee.no-pan", "her deed"),
        ("payee.tax-class.company", "her deed"),
    ]
    assert known(*words, "--tax-class", "club", "--why", "x").code == 2
    assert known(*words, "--account-kind", "vpa", "--why", "x").code == 2


def test_who_moves_abroad_and_comes_back(known: Line) -> None:
    said = known("payees", "set", "Asha Rao", "--non-resident", "--why", "moved")
    assert said.out == "Asha Rao is non-resident\n"
    assert known("payees", "show", "Asha Rao", "--json").json["resident"] is False
    refused = known("import", "payees", known.file(OLD, "payees.csv"))
    assert (refused.code, "payees set" in refused.err) == (2, True)
    assert known("payees", "set", "Asha Rao", "--resident", "--why", "is back").code == 0
    assert known("import", "payees", known.file(OLD, "payees.csv")).code == 0


@pytest.mark.parametrize(
    ("words", "rule"),
    [
        (("--account", "fa_9", "--default"), "must be an account of Asha Rao"),
        (("--account", "fa_1"), "go with an --account"),
        (("--default",), "go with an --account"),
        (("--account", "fa_1", "--default", "--inactive"), "a default account is active"),
    ],
)
def test_what_is_half_said_of_an_account_is_refused(
    known: Line, words: tuple[str, ...], rule: str
) -> None:
    refused = known("payees", "set", "Asha Rao", *words, "--why", "x")
    assert (refused.code, rule in " ".join(refused.err.split())) == (2, True)
    assert query(known.database, "SELECT FROM changes WHERE what LIKE 'payee.%'") == []


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("--email", "asha@example.org", "--no-email"),
        ("--email", "asha@example.org, all@example.org"),
        ("--email", "Asha <asha@example.org>"),
    ],
)
def test_what_says_nothing_or_is_no_address_is_refused(known: Line, words: tuple[str, ...]) -> None:
    assert known("payees", "set", "Asha Rao", *words, "--why", "x").code == 2
    assert [row.email for row in query(known.database, ADDRESS)] == [None]


def test_a_file_with_the_column_tells_it(bursar: Line) -> None:
    lines = OLD.strip().splitlines()
    text = "\n".join([f"email,{lines[0]}", f"asha@example.org,{lines[1]}"])
    assert bursar("import", "payees", bursar.file(text, "payees.csv")).code == 0
    assert [row.email for row in query(bursar.database, ADDRESS)] == ["asha@example.org"]


def test_under_four_eyes_nobody_makes_an_account_payable_alone(known: Line) -> None:
    """TRAP: who says where somebody is paid, and that it is theirs, is paid by rule what is owed to them."""
    assert known("maintenance", "hold", "policy:maker-checker", "--why", "policy 7").code == 0
    words = ("payees", "set", "Asha Rao", "--account", "fa_1")
    assert known(*words, "--unverified", "--inactive", "--why", "stolen").code == 0, "one stops it"
    both = known(*words, "--unverified", "--active", "--why", "x")
    assert (both.code, "which one person says at once" in both.err) == (2, True)
    said = known(*words, "--verified", "--active", "--why", "hers again")
    assert (said.code, "is as it was" in said.out, "proposal 1" in said.out) == (0, True, True)
    assert known(*words, "--verified", "--why", "x").code == 1, "it waits already"
    [account] = known("payees", "show", "Asha Rao", "--json").json["accounts"]
    assert (account["verified"], account["active"]) == (False, False)
    assert known("approve", "1").code == 1, "nobody approves their own"
    change(known.database, "UPDATE proposals SET proposed_by = 'somebody else'")
    agreed = known("approve", "1", "--json").json
    assert agreed["outcome"] == "account fa_1 of Asha Rao is active, verified"
    shown = known("payees", "show", "Asha Rao", "--json").json
    assert [(a["verified"], a["active"]) for a in shown["accounts"]] == [(True, True)]
    assert shown["history"][0]["who"].startswith("somebody else, ")


@pytest.mark.parametrize(
    ("subject", "detail", "rule"),
    [
        ("fa_1 of Asha Rao", "verified=maybe", "verified=yes|no"),
        ("fa_1 of Asha Rao", "default=no", "default=yes"),
        ("fa_1 of Asha Rao", "active=no", "which one person says at once"),
        ("fa_9 of Asha Rao", "verified=yes", "must be an account of Asha Rao"),
        ("fa_1 of Nobody", "verified=yes", "must be the name or the id of a payee"),
    ],
)
def test_what_two_people_could_never_agree_on_is_refused(
    known: Line, subject: str, detail: str, rule: str
) -> None:
    said = known("propose", "payee.account", subject, "--set", detail, "--why", "x")
    assert (said.code, rule in " ".join(said.err.split())) == (2, True)
    assert query(known.database, "SELECT FROM proposals") == []


@pytest.mark.parametrize("more", [(), ("--as-of", "2026-03-31")])
def test_under_four_eyes_nobody_brings_payees_in_alone(bursar: Line, more: tuple[str, ...]) -> None:
    assert bursar("maintenance", "hold", "policy:maker-checker", "--why", "policy 7").code == 0
    bring = ("import", "payees", bursar.file(TAKEN_OVER if more else OLD, "payees.csv"), *more)
    assert bursar(*bring).code == 2, "another person reads why"
    said = bursar(*bring, "--why", "sellers of May")
    assert (said.code, "bursar import payees FILE --proposal 1" in said.err) == (0, True)
    assert query(bursar.database, "SELECT FROM payees") == []
    assert bursar(*bring, "--proposal", "1").code == 1, "nobody approves their own"
    change(bursar.database, "UPDATE proposals SET proposed_by = 'somebody else'")
    assert bursar(*bring, "--proposal", "1", "--json").json["created"] == 1
    assert bursar(*bring, "--json").json["existing"] == 1, "what is known needs nobody"
    [noted] = query(bursar.database, "SELECT who FROM changes WHERE what LIKE 'payees.%'")
    assert noted.who.startswith("somebody else, ")


def test_under_four_eyes_lines_that_are_left_out_are_named_to_whoever_proposes(
    bursar: Line,
) -> None:
    assert bursar("maintenance", "hold", "policy:maker-checker", "--why", "policy 7").code == 0
    file = bursar.file(f"{OLD.strip()}\n,,,\n", "payees.csv")
    said = bursar("import", "payees", file, "--partial", "--why", "sellers of May")
    assert (said.code, "this is proposal 1" in said.err, "row 3" in said.err) == (1, True, True)
