"""Earnings, and years of payees, as another system's export says them."""

from collections.abc import Sequence

from db import installation
from db.earnings.openings import EarningLines, look, take_over
from db.engine import Database
from db.importing.order import Imported
from db.payees.imports import PayeeLines, take_over as take_payees
from db.payees.prior_years import PriorYears, take_over_years
from domain.errors import BadInputError
from domain.opening_earnings import FIELDS, OpeningEarning, parse_opening_earning
from domain.prior_years import FIELDS as PAYEE_FIELDS, OpeningPayee, parse_opening_payee
from domain.tax_periods import period
from tests.earned import PERSON
from tests.opening import AS_OF

YEAR = period(AS_OF).financial_year
TOLD = {
    "name": PERSON.name, "fund_account_id": "fa_1", "tax_class": "individual", "has_pan": "yes",
    "prior_year": YEAR, "prior_gross": "499000.00", "prior_share": "399200.00", "prior_base": "0", "prior_tax": "0",
}  # fmt: skip


def parsed(external_id: str, state: str, **changes: str) -> OpeningEarning | list[BadInputError]:
    """One row of earnings, or what is wrong with it; `changes` by field."""
    said = {
        "external_id": external_id, "payee": "Asha Rao", "kind": "class", "gross": "750.00", "amount": "600.00",
        "currency": "INR", "earned_at": "2026-03-20T06:00:00Z", "state": state, "refunded": "", "payout": "",
    } | changes  # fmt: skip
    return parse_opening_earning([said[field] for field in FIELDS], "old.csv", 2, AS_OF)


def earning(external_id: str, state: str, **changes: str) -> OpeningEarning:
    """One valid row of earnings."""
    line = parsed(external_id, state, **changes)
    assert isinstance(line, OpeningEarning), line
    return line


def both(state: str, payout: str = "A-1") -> list[OpeningEarning]:
    """What a payout of 1000 rupees is of: 600, and 600 of which 200 were given back before."""
    return [
        earning("E-1", state, payout=payout),
        earning("E-2", state, payout=payout, refunded="200.00"),
    ]


def earnings_taken(
    database: Database, lines: Sequence[OpeningEarning], *, dry_run: bool = False
) -> Imported:
    """Take earnings over in a transaction of their own."""
    order = EarningLines(lines=lines, file="old.csv", as_of=AS_OF)
    with database.begin() as tx:
        here = installation.get(tx).id
        if dry_run:
            return look(tx, here, order)
        return take_over(tx, here, order, actor="asha")


def parsed_year(**changes: str) -> OpeningPayee | list[BadInputError]:
    """One row of a payee and what they were paid in a year, or what is wrong with it."""
    said = dict.fromkeys(PAYEE_FIELDS, "") | TOLD | changes
    return parse_opening_payee([said[field] for field in PAYEE_FIELDS], "old.csv", 2, AS_OF)


def year(**changes: str) -> OpeningPayee:
    """One valid row of a payee."""
    found = parsed_year(**changes)
    assert isinstance(found, OpeningPayee), found
    return found


def years_taken(database: Database, lines: Sequence[OpeningPayee], *, dry_run: bool = False) -> int:
    """Take payees over with their years, in a transaction of their own; returns how many years were new."""
    rows = range(2, 2 + len(lines))
    with database.begin() as tx:
        here = installation.get(tx).id
        payees = PayeeLines(lines=[one.payee for one in lines], file="old.csv", rows=rows)
        take_payees(tx, here, payees, dry_run=dry_run)
        order = PriorYears(lines=lines, file="old.csv", rows=rows)
        return take_over_years(tx, here, order, dry_run=dry_run)
