"""Imports of payees: what was not told is filled in, what was told otherwise is an error."""

import pytest

from domain.errors import BadInputsError
from tests.earning import know, payee
from tests.operating import line, opened, query, take

FACTS = """
    SELECT y.name, y.kind, y.tax_class, y.has_pan, a.verified, a.is_default FROM payees y
    JOIN payout_accounts a ON a.payee = y.id ORDER BY y.name, a.fund_account_id"""


def test_payees_and_their_accounts_are_made(database_url: str) -> None:
    with opened(database_url) as operator:
        know(operator, [payee("Asha"), payee("Bela", verified=False, default=False)])
        rows = query(operator, FACTS)
        assert [tuple(row) for row in rows] == [
            ("Asha", "person", "individual", True, True, True),
            ("Bela", "person", "individual", True, False, False),
        ]


def test_what_an_import_of_payouts_left_open_is_filled_in(database_url: str) -> None:
    with opened(database_url) as operator:
        take(operator, [line("P-1", payee="Asha", fund_account_id="fa_Asha")])
        know(operator, [payee("Asha")])
        know(operator, [payee("Asha")])
        assert [tuple(row) for row in query(operator, FACTS)] == [
            ("Asha", "person", "individual", True, True, True)
        ]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"tax_class": "company"}, "tax_class"),
        ({"has_pan": False}, "has_pan"),
        ({"verified": False}, "verified"),
        ({"fund_account_id": "fa_other"}, "default"),
    ],
)
def test_what_was_told_otherwise_is_named(
    database_url: str, changes: dict[str, object], field: str
) -> None:
    with opened(database_url) as operator:
        know(operator, [payee("Asha")])
        with pytest.raises(BadInputsError, match=f"payees.csv row 2 field {field}"):
            know(operator, [payee("Asha", **changes)])
        assert len(query(operator, FACTS)) == 1


def test_an_address_is_filled_in_and_said_by_nobody_it_stays(database_url: str) -> None:
    """An older file without the column takes no address away; another address is an error."""
    with opened(database_url) as operator:
        know(operator, [payee("Asha")])
        know(operator, [payee("Asha", email="asha@example.org")])
        know(operator, [payee("Asha")])
        assert [row.email for row in query(operator, "SELECT email FROM payees")] == [
            "asha@example.org"
        ]
        with pytest.raises(BadInputsError, match="row 2 field email"):
            know(operator, [payee("Asha", email="other@example.org")])


def test_what_an_account_is_may_be_told_later_and_stays(database_url: str) -> None:
    """A file without the column says nothing of it; another word is an error."""
    kinds = "SELECT kind FROM payout_accounts"
    with opened(database_url) as operator:
        know(operator, [payee("Asha")])
        assert [row.kind for row in query(operator, kinds)] == [None]
        know(operator, [payee("Asha", account_kind="vpa")])
        know(operator, [payee("Asha")])
        assert [row.kind for row in query(operator, kinds)] == ["vpa"]
        with pytest.raises(BadInputsError, match="row 2 field account_kind"):
            know(operator, [payee("Asha", account_kind="bank")])


def test_rows_of_one_payee_must_say_the_same_and_name_one_default(database_url: str) -> None:
    second = {"fund_account_id": "fa_2", "default": False}
    with opened(database_url) as operator:
        with pytest.raises(BadInputsError, match="row 3 field kind"):
            know(operator, [payee("Asha"), payee("Asha", kind="organisation", **second)])
        with pytest.raises(BadInputsError, match="row 3 field default"):
            know(operator, [payee("Asha"), payee("Asha", fund_account_id="fa_2")])
        know(operator, [payee("Asha"), payee("Asha", **second)])
        assert [row.is_default for row in query(operator, FACTS)] == [False, True]
