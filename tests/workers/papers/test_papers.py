"""Papers to the byte: what is printed, what a sheet opens, what a page shows; texts of others stay texts."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from domain.errors import BrokenError
from domain.ledger import AccountKind, EntryType
from domain.ledger_rules import ENTRY_RULES
from domain.payee_statements import (
    EVENTS,
    OWED,
    OWING,
    Balance,
    CurrencyStatement,
    Movement,
    PayeeStatement,
    Payment,
)
from domain.payouts import PayoutState
from domain.remittance import Advice, AdviceLine, Posted
from workers.cli.papers import Form, write
from workers.papers import advice as of_advice, statement as of_statement
from workers.papers.paper import Paper

GOLDEN = Path(__file__).with_name("golden")
START = datetime(2026, 4, 1, tzinfo=UTC)
EVIL = '=HYPERLINK("http://x")<script>alert(1)</script>'


def advice() -> Advice:
    """A payout of two earnings, of which something was given back before it and after it."""
    return Advice(
        id=UUID(int=7),
        external_id="batch-2026-W14-1",
        payee=EVIL,
        state=PayoutState.COMPLETED,
        currency="INR",
        gross_minor=150_000,
        tax_minor=188,
        tax_base_minor=188_000,
        tax_rate_bps=10,
        tax_financial_year="2026-27",
        recovered_minor=10_000,
        net_minor=139_812,
        clawed_back_minor=2_500,
        posted=Posted(
            paid_minor=139_812,
            paid_tax_minor=188,
            returned_minor=0,
            returned_tax_minor=0,
            overpaid_minor=0,
            settled_minor=0,
            returned_at=None,
        ),
        reference=str(UUID(int=7)),
        provider="razorpayx",
        provider_id="pout_00000000000007",
        utr="000123456789",
        mode="IMPS",
        fund_account_id="fa_1",
        created_at=START,
        sent_at=START + timedelta(hours=1),
        completed_at=START + timedelta(hours=2),
        is_earned=True,
        lines=[line("E-1", 100_000), line("@E-2", 60_000, refunded=10_000, since=2_500)],
    )


def line(earning: str, share: int, *, refunded: int = 0, since: int = 0) -> AdviceLine:
    return AdviceLine(
        earning=earning,
        kind="class",
        earned_at=START - timedelta(days=3),
        sale_minor=share * 5 // 4,
        share_minor=share,
        refunded_minor=refunded,
        refunded_since_minor=since,
    )


def statement() -> PayeeStatement:
    """Two currencies, one without a minor unit; one payout, and what was clawed back of it."""
    rupees = CurrencyStatement(
        currency="INR",
        opening=Balance(owed_minor=10_000, owing_minor=0),
        closing=Balance(owed_minor=10_000, owing_minor=2_500),
        movements=[
            movement(1, EntryType.EARNING_IMPORTED, "E-1", 150_000, 160_000),
            movement(2, EntryType.PAYOUT_SUBMITTED, "P-1", -150_000, 10_000),
            movement(3, EntryType.EARNING_REDUCED, "+E-1", -2_500, 7_500, owing=True),
        ],
        payments=[
            Payment(
                payout="P-1",
                paid_at=START + timedelta(hours=2),
                gross_minor=150_000,
                tax_minor=188,
                recovered_minor=0,
                net_minor=149_812,
                utr="000123456789",
                state="COMPLETED",
            )
        ],
    )
    yen = CurrencyStatement(
        currency="JPY",
        opening=Balance(owed_minor=0, owing_minor=0),
        closing=Balance(owed_minor=1_250, owing_minor=0),
        movements=[movement(4, EntryType.EARNING_IMPORTED, "E-9", 1_250, 1_250)],
        payments=[],
    )
    return PayeeStatement(
        payee=EVIL, start=START, end=START + timedelta(days=30), currencies=[rupees, yen]
    )


def movement(
    hour: int, kind: EntryType, document: str, change: int, balance: int, *, owing: bool = False
) -> Movement:
    return Movement(
        at=START + timedelta(hours=hour),
        effective_on=date(2026, 4, 1),
        type=kind.value,
        document=document,
        account=AccountKind.PAYEE_RECEIVABLE if owing else AccountKind.PAYEE_PAYABLE,
        change_minor=change,
        balance_minor=balance,
    )


PAPERS: dict[str, Callable[[], Paper]] = {
    "advice": lambda: of_advice.paper(advice()),
    "statement": lambda: of_statement.paper(statement()),
}


@pytest.mark.parametrize("form", list(Form))
@pytest.mark.parametrize("name", list(PAPERS))
def test_a_paper_is_written_to_the_byte(name: str, form: Form, tmp_path: Path) -> None:
    suffix = "txt" if form is Form.TABLE else form.value
    write(PAPERS[name](), form, tmp_path / "paper")
    assert (tmp_path / "paper").read_text() == (GOLDEN / f"{name}.{suffix}").read_text()


@pytest.mark.parametrize("name", list(PAPERS))
def test_what_others_wrote_is_no_formula_and_no_script(name: str, tmp_path: Path) -> None:
    write(PAPERS[name](), Form.CSV, tmp_path / "paper.csv")
    cells = (tmp_path / "paper.csv").read_text().replace("\n", ",").split(",")
    assert not [c for c in cells if c.startswith(("=", "+", "@"))]
    assert all(re.fullmatch(r"-[0-9.]+", c) for c in cells if c.startswith("-"))
    write(PAPERS[name](), Form.HTML, tmp_path / "paper.html")
    page = (tmp_path / "paper.html").read_text()
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "http-equiv" in page


def test_every_movement_of_a_payee_has_words_for_them() -> None:
    theirs = {*OWED, *OWING}
    assert set(EVENTS) == {
        kind for kind, (debits, credits_) in ENTRY_RULES.items() if theirs & (debits | credits_)
    }


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"tax_minor": 189}, "net, tax and recovered"),
        ({"recovered_minor": 9_999}, "net, tax and recovered"),
        ({"net_minor": 139_811, "tax_minor": 189}, "the books paid"),
        ({"lines": [line("E-1", 149_999)]}, "its earnings come to 149999"),
    ],
)
def test_an_advice_that_does_not_add_up_is_not_told(changes: dict[str, object], said: str) -> None:
    with pytest.raises(BrokenError, match=said):
        of_advice.paper(replace(advice(), **changes))  # type: ignore[arg-type]  # fields by name


def test_of_a_payment_beyond_what_was_owed_the_rest_is_owed_back() -> None:
    told = advice()
    posted = replace(told.posted, overpaid_minor=50_000)
    of_advice.paper(replace(told, posted=posted, lines=[line("E-1", 100_000)]))
    with pytest.raises(BrokenError):
        of_advice.paper(replace(told, posted=posted))


@pytest.mark.parametrize("side", ["owed_minor", "owing_minor"])
def test_a_statement_that_does_not_lead_to_the_books_is_not_told(side: str) -> None:
    told = statement()
    one = told.currencies[0]
    wrong = replace(one, closing=replace(one.closing, **{side: getattr(one.closing, side) + 1}))
    with pytest.raises(BrokenError, match="of the books"):
        of_statement.paper(replace(told, currencies=[wrong]))
