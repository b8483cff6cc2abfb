"""Races about where payees are paid: an operator says another account beside a batch, a claim or another operator."""

from collections.abc import Sequence
from typing import Final

from db.payees import accounts, listing, setting
from db.payees.setting import TaxWords
from db.payees.words import AccountWords
from domain.errors import RefusedError
from domain.tax import TaxClass
from tests.builders import rows
from tests.earning import know, payee
from tests.races.earnings import Given, approved as batched, batches, owed
from tests.races.explorer import Act, Race
from tests.races.parts import process, works
from tests.races.sides import Side
from tests.races.stage import Stage

NAME, FIRST = "payee 0", "fa_payee_0"
OTHERS = [payee(NAME, fund_account_id=f"fa_{n}", default=False) for n in (1, 2)]


def known(stage: Stage) -> Given:
    """Two earnings of one payee who has three accounts, all of them verified, the first the default."""
    given = owed(stage)
    know(stage.operator, OTHERS)
    return given


def approved(stage: Stage) -> Given:
    """The same, batched and approved, and due."""
    given = batched(stage)
    know(stage.operator, OTHERS)
    return given


def says(account: str, **words: bool) -> Act:
    """An operator says something of an account."""
    said = AccountWords(fund_account_id=account, **words)  # type: ignore[arg-type]  # words by name

    def say(stage: Stage) -> None:
        with stage.operator.begin() as tx:
            accounts.set_account(tx, listing.find(tx, NAME), said, actor="asha", why="she wrote")

    return say


def is_a_company(stage: Stage) -> None:
    """An operator says that the payee, an individual so far, is a company: nothing of it is exempt."""
    said = TaxWords(tax_class=TaxClass.COMPANY)
    with stage.operator.begin() as tx:
        payee, _ = listing.find(tx, NAME)
        setting.set_tax(tx, payee, said, actor="asha", why="her deed")


def taxed_as_what_it_is(stage: Stage, sides: Sequence[Side]) -> None:
    """Said before its tax was computed, it is of a company; else the word is refused while it is under way."""
    [made] = rows(
        stage.worker,
        """SELECT p.tds_gross, p.tds_deducted, y.tax_class FROM payouts p JOIN payees y ON y.id = p.payee""",
    )
    assert made.tds_gross == 2_000_000
    if isinstance(sides[1].error, RefusedError):
        assert (made.tax_class, made.tds_deducted) == ("individual", 0)
    else:
        assert (made.tax_class, made.tds_deducted) == ("company", 2_000)


def one_default(stage: Stage, _sides: Sequence[Side]) -> None:
    """Whoever came second is who is believed; there is one."""
    found = rows(stage.worker, "SELECT fund_account_id FROM payout_accounts WHERE is_default")
    assert [row.fund_account_id for row in found] in (["fa_1"], ["fa_2"])
    kept = rows(stage.worker, "SELECT FROM changes WHERE what = 'payee.account.default'")
    assert len(kept) == 2


def paid_to_one(stage: Stage, _sides: Sequence[Side]) -> None:
    """One payout, to the account that was the default before or is now, and nothing is lost between."""
    [made] = rows(
        stage.worker,
        """SELECT a.fund_account_id, p.amount FROM payouts p JOIN payout_accounts a ON a.id = p.account""",
    )
    assert made.fund_account_id in {FIRST, "fa_1"}
    assert made.amount == 200_000


def sent_or_parked(stage: Stage, _sides: Sequence[Side]) -> None:
    """Invariant 22: sent before it was closed, or parked, and never to another."""
    [made] = rows(
        stage.worker,
        "SELECT p.state, w.parked_reason FROM payouts p LEFT JOIN work w ON w.subject = p.id",
    )
    if made.state == "APPROVED":
        assert made.parked_reason == "its payout account is not active"
        assert stage.bank.submits == []
    else:
        assert len(stage.bank.submits) == 1
        assert FIRST in stage.bank.submits[0].body


ALL: Final = (
    Race(
        name="account/account",
        prepare=known,
        sides=(says("fa_1", is_default=True), says("fa_2", is_default=True)),
        check=one_default,
    ),
    Race(
        name="account/batch",
        prepare=known,
        sides=(batches(0), says("fa_1", is_default=True)),
        check=paid_to_one,
    ),
    Race(
        name="account/process",
        prepare=approved,
        sides=(works(process, 7), says(FIRST, is_active=False)),
        check=sent_or_parked,
    ),
    Race(
        name="account/process-taxed",
        prepare=approved,
        sides=(works(process, 7), is_a_company),
        errors=(RefusedError,),
        check=taxed_as_what_it_is,
    ),
)
"""Every race about accounts."""
