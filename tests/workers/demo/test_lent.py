"""The demo's verdict of what was lent finds a share that nobody has, and money that nobody set apart."""

import pytest

from workers.demo.lent import BACK, EXPECTED, lent, reconciled

SEEN = {
    table: {str(state): count for state, count in states.items()}
    for table, states in EXPECTED.items()
}
BOOKS = {"lender_payable": (700, 700), "suspense": (300, 300)}


def test_everything_holds_where_it_went_well() -> None:
    assert BACK == 2
    assert lent(SEEN, BOOKS).holds


@pytest.mark.parametrize(
    ("table", "state"),
    [("obligations", "DISPERSED"), ("obligations", "RETURNED"), ("dispersals", "DISBURSED")],
)
def test_one_that_is_not_where_it_ought_to_be_is_found(table: str, state: str) -> None:
    short = {**SEEN, table: {**SEEN[table], state: SEEN[table][state] - 1}}
    found = lent(short, BOOKS)
    assert not found.holds
    assert f"{state} {SEEN[table][state] - 1}" in found.detail


@pytest.mark.parametrize("books", [{"lender_payable": (699, 700)}, {"suspense": (1, 0)}])
def test_money_that_is_owed_or_not_set_apart_is_found(books: dict[str, tuple[int, int]]) -> None:
    assert not lent(SEEN, {**BOOKS, **books}).holds


def test_a_reconciliation_that_found_something_or_was_not_made_is_told() -> None:
    assert [reconciled(offences).holds for offences in (0, 1, None)] == [True, False, False]
