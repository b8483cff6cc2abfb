"""Taking over: each payout in the state the other system had it in, all or nothing, and the audit is clean."""

import pytest

from db import books, installation
from db.engine import Database
from db.payees.imports import PayeeLines, take_over as take_payees
from db.payouts.advice import advice
from domain.errors import BadInputsError
from domain.payee_lines import PayeeLine
from domain.tax_periods import period
from tests.builders import assert_sound
from tests.fakes.bank import FakeBank
from tests.opening import PAID_AT, SENT_AT, WITHHELD, opening, taken
from tests.operating import line, query, take

BANK = FakeBank()
NAMED = {"provider_id": "pout_1", "reference": "OLD-1"}
YEAR = {"tds_financial_year": period(PAID_AT).financial_year}
TAXED = WITHHELD | YEAR

STANDS = [
    ("PENDING", {}, "PENDING", None, None, {"payee_payable": 100_000}),
    ("APPROVED", {}, "PENDING", None, None, {"payee_payable": 100_000}),
    ("APPROVED", {"generation": "2"}, "PENDING", None, None, {"payee_payable": 100_000}),
    ("PENDING", {"source": "earnings"}, "PENDING", None, None, {}),
    ("PROCESSING", NAMED, "PROCESSING", "accepted", "payouts.follow", {"payouts_in_transit": 100_000}),
    ("PROCESSING", {"reference": "OLD-1"}, "PROCESSING", "unknown", "payouts.recover", {"payouts_in_transit": 100_000}),
    ("PROCESSING", NAMED | TAXED, "PROCESSING", "accepted", "payouts.follow", {"payouts_in_transit": 100_000}),
    ("COMPLETED", NAMED, "COMPLETED", "accepted", "payouts.follow", {}),
    ("COMPLETED", NAMED | TAXED, "COMPLETED", "accepted", "payouts.follow", {"tds_payable": 125}),
    ("COMPLETED", NAMED | {"source": "earnings"}, "COMPLETED", "accepted", "payouts.follow", {}),
    ("REVERSED", NAMED, "REVERSED", "accepted", None, {}),
    ("REVERSED", NAMED | {"source": "earnings"}, "REVERSED", "accepted", None, {}),
    ("FAILED", {}, "FAILED", "rejected", None, {"payee_payable": 100_000}),
    ("FAILED", NAMED | {"generation": "3"}, "FAILED", "accepted", None, {"payee_payable": 100_000}),
    ("FAILED", {"source": "earnings"}, "FAILED", "rejected", None, {}),
    ("CANCELLED", {}, "CANCELLED", None, None, {}),
    ("CANCELLED", NAMED | {"submitted_at": SENT_AT.isoformat()}, "CANCELLED", "accepted", None, {}),
]  # fmt: skip


@pytest.mark.parametrize(("told", "more", "state", "effect", "job", "opened"), STANDS)
def test_each_state_has_its_effect_its_work_and_its_opening_balance(
    operator: Database,
    told: str,
    more: dict[str, str],
    state: str,
    effect: str | None,
    job: str | None,
    opened: dict[str, int],
) -> None:
    done = taken(operator, [opening("A-1", told, **more)], BANK)

    assert done.labels == {(told, "INR"): (1, 100_000)}
    [row] = query(
        operator,
        """SELECT p.id, p.state, e.state AS effect, e.sends, e.idempotency_key, w.job
           FROM payouts p LEFT JOIN effects e ON e.key = p.effect_key LEFT JOIN work w ON w.subject = p.id""",
    )
    assert (row.state, row.effect, row.job) == (state, effect, job)
    balances = query(
        operator,
        """SELECT a.kind, sum(b.credits - b.debits) AS balance FROM accounts a JOIN balances b ON b.account = a.id
           GROUP BY a.kind HAVING sum(b.credits - b.debits) <> 0""",
    )
    against = {"opening_balances": -sum(opened.values())} if opened else {}
    assert {b.kind: int(b.balance) for b in balances} == opened | against
    assert [(m.source, m.target) for m in query(operator, "SELECT source, target FROM moves")] == [
        ("PENDING", state)
    ]
    assert_sound(operator)
    with operator.begin() as tx:
        told_of = advice(tx, row.id)
    told_of.check()
    assert (told_of.lines, told_of.posted.is_paid) == ([], False)


def test_what_was_paid_long_ago_is_not_asked_about(operator: Database) -> None:
    long_ago = "2024-10-10T10:00:00Z"
    times = {"submitted_at": long_ago, "completed_at": long_ago}
    taken(operator, [opening("A-1", "COMPLETED", **NAMED, **times)], BANK)

    assert query(operator, "SELECT FROM work") == []
    assert_sound(operator)


def test_tax_is_recorded_when_it_was_paid_and_counts_in_that_year(operator: Database) -> None:
    paid = opening("A-1", "COMPLETED", **NAMED, **WITHHELD, **YEAR, payee="Asha Rao")
    other = {"provider_id": "pout_2", "reference": "OLD-2"}
    flying = opening("A-2", "PROCESSING", **other, **WITHHELD, **YEAR, payee="Asha Rao")
    taken(operator, [paid, flying], BANK)

    [year] = query(operator, "SELECT * FROM tax_years")
    assert (year.financial_year, year.gross, year.share, year.base, year.tax) == (
        YEAR["tds_financial_year"], 250_000, 200_000, 250_000, 250,
    )  # fmt: skip
    [record] = query(operator, "SELECT * FROM tax_records")
    assert (record.quarter, record.tax, record.recorded_at) == (
        period(PAID_AT).quarter,
        125,
        PAID_AT,
    )
    assert_sound(operator)


def everything() -> list[tuple[str, dict[str, str]]]:
    named = [(told, dict(more)) for told, more, *_ in STANDS]
    for n, (_, more) in enumerate(named):
        more |= {f: f"{more[f]}-{n}" for f in ("provider_id", "reference") if f in more}
    return named


def test_the_same_file_twice_creates_nothing(operator: Database) -> None:
    lines = [opening(f"A-{n}", told, **more) for n, (told, more) in enumerate(everything())]
    foreseen = taken(operator, lines, BANK, dry_run=True)
    assert query(operator, "SELECT FROM payouts") == []
    first = taken(operator, lines, BANK)
    assert (first.created, foreseen.labels, foreseen.amounts) == (
        len(lines), first.labels, first.amounts,
    )  # fmt: skip
    assert_sound(operator)
    again = taken(operator, lines, BANK)
    assert (again.created, again.existing, again.labels) == (0, len(lines), {})
    assert taken(operator, lines, BANK, dry_run=True).existing == len(lines)
    with operator.begin() as tx:
        balance = books.trial_balance(tx)
    assert sum(row.debits_minor - row.credits_minor for row in balance) == 0
    assert_sound(operator)


def test_other_content_under_an_id_is_an_error_naming_the_field(operator: Database) -> None:
    taken(operator, [opening("A-1", "PROCESSING", **NAMED)], BANK)
    with pytest.raises(BadInputsError) as refused:
        taken(operator, [opening("A-1", "COMPLETED", **NAMED)], BANK)
    places = [error.place for error in refused.value.errors]
    assert places == [f"old.csv row 1 field {f}" for f in ("state", "utr", "completed_at")]


def test_what_was_imported_to_be_paid_is_not_of_another_system(operator: Database) -> None:
    take(
        operator, [line("A-1", payee="Payee of A-1", amount_minor=100_000, mode=None, narration="")]
    )
    with pytest.raises(BadInputsError) as refused:
        taken(operator, [opening("A-1", "PENDING")], BANK)
    assert "field state" in str(refused.value.errors[0])


@pytest.mark.parametrize("field", ["provider_id", "reference"])
def test_a_payment_belongs_to_one_payout(operator: Database, field: str) -> None:
    first = opening("A-1", "PROCESSING", provider_id="pout_1", reference="OLD-1")
    names = {"provider_id": "pout_2", "reference": "OLD-2"} | {field: NAMED[field]}
    second = opening("A-2", "PROCESSING", **names)
    with pytest.raises(BadInputsError) as in_file:
        taken(operator, [first, second], BANK)
    assert in_file.value.errors[0].place == f"old.csv row 2 field {field}"
    taken(operator, [first], BANK)
    for dry_run in (True, False):
        with pytest.raises(BadInputsError) as beside:
            taken(operator, [second], BANK, dry_run=dry_run)
        assert "is that of A-1 already" in str(beside.value.errors[0])
    assert query(operator, "SELECT external_id FROM payouts") == [("A-1",)]


def test_what_an_organisation_is_owed_is_sent_by_the_sender_of_organisations(
    operator: Database,
) -> None:
    with operator.begin() as tx:
        said = PayeeLine(
            name="House", fund_account_id="fa_1", kind="organisation", tax_class="company",
            has_pan=True, resident=True, verified=True, default=True,
        )  # fmt: skip
        order = PayeeLines(lines=[said], file="payees.csv", rows=[2])
        take_payees(tx, installation.get(tx).id, order)
    taken(operator, [opening("A-1", "APPROVED", payee="House")], BANK)
    query(
        operator,
        "SELECT bursar_move('payout', array_agg(id), 'APPROVED', 'ravi', 'looked at it') FROM payouts",
    )
    assert query(operator, "SELECT job FROM work") == [("payouts.org_process",)]
    assert_sound(operator)
