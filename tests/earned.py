"""Payouts made of earnings, as a batch makes them: payee, account, books, earnings, links."""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

import sqlalchemy as sa

from db import installation, ledger
from db.accounts import Owner, open_accounts
from db.engine import Database
from db.payouts.decide import decide
from db.tx import Tx
from domain.decisions import Decision
from domain.ledger import AccountKind, Entry, EntryType, Posting
from domain.payout_ids import payee_id, payout_account_id, payout_id, reference
from tests.driving import drive, follow, hasten, process
from tests.fakes.bank import FakeBank

_PAYEE = sa.text("""
    INSERT INTO payees (id, name, payable, tax_class, has_pan, resident)
    VALUES (:id, :name, :payable, :tax_class, :has_pan, :resident) ON CONFLICT DO NOTHING""")

_MADE = sa.text("""
    WITH account AS (
      INSERT INTO payout_accounts (id, payee, fund_account_id, verified, is_default)
      VALUES (:account, :payee, :token, true, true) ON CONFLICT DO NOTHING),
    made AS (
      INSERT INTO payouts (id, external_id, payee, account, payable, amount, currency, purpose, narration, content_hash,
                           created_by, source)
      VALUES (:id, :name, :payee, :account, :payable, :share, :currency, 'payout', '', '', 'test', 'earnings')),
    earned AS (
      INSERT INTO earnings (id, external_id, payee, gross, amount, currency, state, earned_at, ready_at, content_hash)
      SELECT id, concat_ws('-', 'E', :name, n), :payee, :gross / :each, :share / :each, :currency, 'BATCHED',
             clock_timestamp(), clock_timestamp(), ''
      FROM unnest(CAST(:earnings AS uuid[])) WITH ORDINALITY AS e (id, n) RETURNING id)
    INSERT INTO payout_earnings (payout, earning) SELECT :id, id FROM earned""")

LIMIT = 50_000_000
"""Gross of a year that is exempt, in paise."""


class Who(NamedTuple):
    """A payee, and what the law asks about them."""

    name: str = "Asha Rao"
    tax_class: str = "individual"
    has_pan: bool = True
    resident: bool = True


PERSON = Who()
COMPANY = Who("Rao Private Limited", "company")


def earned(
    operator: Database,
    name: str,
    *,
    gross: int,
    share: int | None = None,
    payee: Who = PERSON,
    approve: bool = True,
    currency: str = "INR",
    each: int = 1,
) -> UUID:
    """One payout of `each` earnings of `gross` paise in all, the payee's share of it four fifths; returns its id."""
    share = gross * 4 // 5 if share is None else share
    with operator.begin() as tx:
        own = installation.get(tx).id
        owner, made = payee_id(own, payee.name), payout_id(own, name)
        payable = _fund(tx, owner, name, share, currency)
        tx.run(_PAYEE, id=owner, payable=payable, **payee._asdict())
        token = f"fa_{owner.hex[:8]}"
        tx.run(
            _MADE,
            id=made,
            name=name,
            payee=owner,
            account=payout_account_id(own, payee.name, token),
            token=token,
            payable=payable,
            share=share,
            gross=gross,
            each=each,
            earnings=[payout_id(own, f"E-{name}-{n}") for n in range(each)],
            currency=currency,
        )
        if approve:
            decide(tx, Decision.APPROVE, [made], actor="asha", why="because")
    return made


def two_earnings(operator: Database, name: str = "P-0") -> UUID:
    """An approved payout of two earnings, of 1,000 rupees each, to a payee of its own; returns its id."""
    return earned(operator, name, gross=250_000, each=2, payee=Who(f"payee of {name}"))


def _fund(tx: Tx, payee: UUID, name: str, share: int, currency: str) -> int:
    """Owe the payee a share, in the books; returns their account."""
    kinds = (AccountKind.IMPORTED_LIABILITY, AccountKind.PAYOUTS_IN_TRANSIT, AccountKind.CASH)
    system = [Owner(kind=kind, owner="", currency=currency) for kind in kinds]
    theirs = Owner(kind=AccountKind.PAYEE_PAYABLE, owner=str(payee), currency=currency)
    opened = open_accounts(tx, [*system, theirs])
    entry = Entry(
        type=EntryType.PAYOUT_IMPORTED,
        key=f"earning:{name}:imported",
        currency=currency,
        effective_on=ledger.today(tx),
        postings=(Posting(debit=opened[system[0]], credit=opened[theirs], amount=share),),
    )
    ledger.post(tx, [entry], run=None, actor="test")
    return opened[theirs]


def over_the_limit(operator: Database, names: Sequence[str]) -> list[UUID]:
    """Payouts of one payee, each of just more than half of what is exempt in a year."""
    return [earned(operator, name, gross=LIMIT // 2 + 50_000) for name in names]


def paid_and_given_back(operator: Database, worker: Database, bank: FakeBank) -> None:
    """Two payouts of a company with tax withheld: both were paid, and one came back."""
    first, _ = (earned(operator, f"z-{n}", gross=100_000, payee=COMPANY) for n in (1, 2))
    drive(worker, process(bank))
    bank.finish()
    hasten(worker)
    drive(worker, follow(bank))
    bank.settle(reference(first, 1), "reversed")
    hasten(worker)
    drive(worker, follow(bank))
