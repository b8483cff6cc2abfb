"""`import … --as-of` as it is typed: what it says, what it refuses, and that it writes nothing then."""

import json

import pytest

from db import installation
from domain.opening_rules import FIELDS
from tests.opening import texts
from tests.operating import query
from tests.workers.cli.conftest import Line, bursar

__all__ = ["bursar"]

TIMES = {"submitted_at": "2026-03-30T06:00:00Z", "completed_at": "2026-03-30T07:00:00Z"}
ROWS = [
    texts("A-1", "PENDING"),
    texts("A-2", "APPROVED", amount="1.00"),
    texts("A-3", "COMPLETED", **TIMES, provider_id="pout_1", reference="OLD-1"),
]


def csv(rows: list[dict[str, str]]) -> str:
    lines = [",".join(row[field] for field in FIELDS) for row in rows]
    return "\n".join([",".join(FIELDS), *lines, ""])


@pytest.fixture
def bound(bursar: Line) -> Line:
    """The command line on a database that is bound to an account."""
    with bursar.database.begin() as tx:
        installation.bind(tx, "razorpayx", "2323230000000001")
    return bursar


def test_each_state_is_counted_and_summed_before_and_when_it_is_taken_over(bound: Line) -> None:
    file = bound.file(csv(ROWS))
    seen = bound("import", "payouts", file, "--as-of", "2026-03-31", "--dry-run", "--json")
    assert (seen.code, query(bound.database, "SELECT FROM payouts")) == (0, [])
    done = bound("import", "payouts", file, "--as-of", "2026-03-31", "--why", "we move", "--json")
    assert done.code == 0, done.err
    assert seen.json | {"dry_run": False} == done.json
    assert (done.json["created"], done.json["created_APPROVED"]) == (3, 1)
    assert done.json["created_APPROVED_minor_INR"] == 100
    [change] = query(bound.database, "SELECT what, why FROM changes")
    assert (change.what, change.why) == ("payouts.take_over", "we move: 3 created, 0 approved")
    again = bound("import", "payouts", file, "--as-of", "2026-03-31", "--json")
    assert (again.json["created"], again.json["existing"]) == (0, 3)
    assert bound("audit").code == 0


def test_objects_need_only_the_fields_that_say_something(bound: Line) -> None:
    said = {name: value for name, value in ROWS[0].items() if value}
    file = bound.file(json.dumps(said), "payouts.jsonl")
    assert bound("import", "payouts", file, "--as-of", "2026-03-31").code == 0


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--as-of", "2999-01-01"], "must be over"),
        (["--as-of", "yesterday"], "must be ISO 8601"),
        (["--as-of", "2026-03-31", "--approve"], "--as-of takes everything over as it is"),
        (["--as-of", "2026-03-31", "--partial"], "--as-of takes everything over as it is"),
        (["--as-of", "2026-03-30"], "must be before 2026-03-31T00:00:00Z"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_written(
    bound: Line, words: list[str], says: str
) -> None:
    late = [texts("A-1", "PENDING", created_at="2026-03-31T00:00:00Z")]
    said = bound("import", "payouts", bound.file(csv(late)), *words)
    assert (said.code, query(bound.database, "SELECT FROM payouts")) == (2, [])
    assert says in said.err


def test_without_a_bound_account_nobody_knows_whose_payments_they_are(bursar: Line) -> None:
    said = bursar("import", "payouts", bursar.file(csv(ROWS)), "--as-of", "2026-03-31")
    assert said.code != 0
    assert "bound to no provider account" in said.err


def test_payees_bring_what_they_were_paid_this_year(bursar: Line) -> None:
    said = {
        "name": "Asha Rao", "fund_account_id": "fa_1", "prior_year": "2025-26", "prior_gross": "10.00",
        "prior_share": "8.00", "prior_base": "0", "prior_tax": "0",
    }  # fmt: skip
    file = bursar.file(json.dumps(said), "payees.jsonl")
    words = ("import", "payees", file, "--as-of", "2026-03-31", "--json")
    assert (bursar(*words, "--dry-run").json["years"], bursar(*words).json["years"]) == (1, 1)
    assert bursar(*words).json["years"] == 0
    assert bursar(*words, "--partial").code == 2
    [change] = query(bursar.database, "SELECT what, why FROM changes")
    assert change == ("payees.take_over", "1 created, 0 completed, 1 years")
    assert bursar("audit").code == 0


def test_earnings_are_counted_and_summed_by_state(bursar: Line) -> None:
    said = {
        "external_id": "S-1", "payee": "Asha Rao", "kind": "class", "gross": "10.00", "amount": "8.00",
        "currency": "INR", "earned_at": "2026-03-20T06:00:00Z", "state": "HELD",
    }  # fmt: skip
    file = bursar.file(json.dumps(said), "earnings.jsonl")
    words = ("import", "earnings", file, "--as-of", "2026-03-31", "--json")
    seen, done = bursar(*words, "--dry-run").json, bursar(*words).json
    assert seen | {"dry_run": False} == done
    assert (done["created_HELD"], done["created_HELD_minor_INR"]) == (1, 800)
    assert bursar(*words).json["existing"] == 1
    assert bursar(*words, "--partial").code == 2
    [change] = query(bursar.database, "SELECT what, why FROM changes")
    assert change == ("earnings.take_over", "1 created, 0 approved")
    assert bursar("audit").code == 0
