"""Entries that are about another one: reversals, corrections, and what leaves suspense."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
import sqlalchemy as sa

from db import audit, reversals
from db.drafts import Draft, Leg, post
from db.engine import Database
from db.errors import EntryRefusedError, RuleBrokenError
from db.rejections import listing
from domain.errors import BadInputError
from domain.ledger import CAUSED, AccountKind, Entry, EntryType, Posting
from domain.ledger_rules import ACCOUNT_RULES, ENTRY_RULES
from tests.builders import rows
from tests.db.books import DAY, Books
from tests.db.test_ledger import BOOKS
from tests.operating import opened

K, T = AccountKind, EntryType


@pytest.fixture
def worker(database_url: str) -> Iterator[Database]:
    """This test's database, acting as a worker; its books are sound at the end."""
    with opened(database_url, "bursar_worker") as database:
        yield database
        sound = [one for one in audit.INVARIANTS if one.name in BOOKS]
        assert [r.offences for r in audit.run(database, invariants=sound) if not r.holds] == []


@pytest.fixture
def books(worker: Database) -> Books:
    """100 of somebody's are in trust, and 40 of them set apart."""
    made = Books(worker)
    made.post(entry(made, "in", T.CASH_RECEIVED, K.TRUST_CASH, K.CASH_CLEARING, 100))
    made.post(entry(made, "apart", T.SUSPENSE_ROUTED, K.SUSPENSE, K.TRUST_CASH, 40))
    return made


def entry(
    books: Books,
    key: str,
    kind: EntryType,
    debit: AccountKind,
    credit: AccountKind,
    amount: int,
    cause: str | None = None,
) -> Entry:
    """An entry of one leg, about the entry of key `cause`."""
    about = None
    if cause is not None:
        [row] = rows(books.database, "SELECT id FROM entries WHERE key = :key", key=cause)
        about = row.id
    leg = Posting(debit=books.id(debit), credit=books.id(credit), amount=amount)
    return Entry(
        type=kind,
        key=key,
        currency=books.currency,
        effective_on=DAY,
        postings=(leg,),
        cause=about,
        reason=None if about is None else "it was wrong",
    )


def refused(books: Books, wrong: Entry, run: int | None = None) -> str:
    """What refuses an entry; the refusal is kept."""
    with pytest.raises(RuleBrokenError) as error:
        books.post(wrong, run=run)
    with books.database.begin() as tx:
        assert listing(tx, type_=None, after=None, limit=1)[0].key == wrong.key
    return error.value.constraint


def reversal(books: Books, key: str = "in") -> int:
    """Reverse an entry as it is in the books."""
    return books.database.transact(
        lambda tx: reversals.reverse(
            tx, reversals.legs_of(tx, [key]), reason="it bounced", run=None, actor="asha"
        )
    )


def test_a_reversal_is_the_opposite_of_its_original_once(books: Books) -> None:
    assert [reversal(books, "apart"), reversal(books, "apart"), reversal(books)] == [1, 0, 1]
    assert {books.balance(kind) for kind in (K.TRUST_CASH, K.CASH_CLEARING, K.SUSPENSE)} == {0}
    books.post(entry(books, "more", T.CASH_RECEIVED, K.TRUST_CASH, K.CASH_CLEARING, 100))
    again = entry(books, "again", T.REVERSAL, K.CASH_CLEARING, K.TRUST_CASH, 100, cause="in")
    assert refused(books, again) == "entries_reversed_once"


@pytest.mark.parametrize(
    ("debit", "credit", "amount"),
    [
        (K.CASH_CLEARING, K.TRUST_CASH, 59),
        (K.TRUST_CASH, K.CASH_CLEARING, 100),
        (K.CASH_CLEARING, K.SUSPENSE, 40),
    ],
)
def test_a_reversal_of_other_legs_is_refused(
    books: Books, debit: AccountKind, credit: AccountKind, amount: int
) -> None:
    wrong = entry(books, "wrong", T.REVERSAL, debit, credit, amount, cause="in")
    assert refused(books, wrong) == "entries_keep_their_cause"


def test_a_reversal_of_nothing_or_of_a_reversal_is_refused(books: Books) -> None:
    reversal(books, "apart")
    about = entry(books, "w", T.REVERSAL, K.SUSPENSE, K.TRUST_CASH, 40, cause="reversal:apart")
    assert refused(books, about) == "entries_keep_their_cause"
    assert refused(books, replace(about, key="x", cause=-1)) == "entries_keep_their_cause"


def test_no_reversal_takes_a_bounded_account_below_zero(books: Books) -> None:
    """TRAP: the check of balances switched off for reversals, corrections and escalations."""
    with pytest.raises(RuleBrokenError) as error:
        reversal(books)
    assert error.value.constraint == "never_below_zero"


def test_a_correction_is_a_persons(books: Books) -> None:
    right = entry(books, "right", T.CORRECTION, K.WRITE_OFF, K.TRUST_CASH, 5, cause="in")
    assert books.post(right) == 1
    assert refused(books, replace(right, key="by run"), run=7) == "corrected_by_people"


def test_what_leaves_suspense_names_what_opened_it_and_is_never_more_than_is_open(
    books: Books,
) -> None:
    """Invariant 67: an item is cleared by entries that name it, and the balance of suspense falls by each.

    TRAP: resolving an item by posting its opening a second time, so that suspense grows.
    """
    part = entry(books, "part", T.SUSPENSE_RESOLVED, K.TRUST_CASH, K.SUSPENSE, 30, cause="apart")
    assert books.post(part) == 1
    assert books.balance(K.SUSPENSE) == -10
    assert refused(books, replace(part, key="more")) == "never_below_zero"
    other = entry(books, "other", T.SUSPENSE_RESOLVED, K.TRUST_CASH, K.SUSPENSE, 5, cause="in")
    assert refused(books, other) == "entries_keep_their_cause"


@pytest.mark.parametrize("kind", sorted(CAUSED))
def test_types_with_a_cause_keep_to_their_accounts_too(books: Books, kind: EntryType) -> None:
    """Invariant 51: of those that name another entry."""
    debits, _ = ENTRY_RULES[kind]
    wrong = [k for k in K if k not in debits and not ACCOUNT_RULES[k].bounded]
    assert wrong
    for number, debit in enumerate(wrong):
        one = entry(books, f"wrong {number}", kind, debit, K.SUSPENSE, 1, cause="apart")
        assert refused(books, one) in {
            "entries_keep_to_their_accounts",
            "entries_keep_their_cause",
        }


def test_an_entry_without_its_cause_is_none(books: Books) -> None:
    good = entry(books, "good", T.CORRECTION, K.WRITE_OFF, K.TRUST_CASH, 5, cause="in")
    for less in ({"cause": None}, {"reason": None}, {"reason": ""}):
        with pytest.raises(BadInputError, match="name their cause and a reason"):
            replace(good, **less)
    with pytest.raises(BadInputError, match="and no other does"):
        replace(good, type=T.CASH_RECEIVED)


def test_a_wrong_pair_is_refused_by_the_code_before_an_account_is_opened(books: Books) -> None:
    """Invariant 51: refused before the database is asked, and kept all the same."""
    before = rows(books.database, "SELECT count(*) FROM accounts")
    accounts = {owner.kind: owner for owner in books.accounts}
    receivable = replace(accounts[K.BORROWER_RECEIVABLE], owner="somebody new")
    draft = Draft(
        type=T.SERVICING_FEE_RECOGNIZED,
        key="wrong",
        effective_on=DAY,
        legs=(Leg(debit=accounts[K.CONTROL_ALLOCATION], credit=receivable, amount=5),),
    )
    with pytest.raises(EntryRefusedError, match="may not debit control_allocation and credit"):
        books.database.transact(lambda tx: post(tx, [draft], run=3, actor="test"))
    with books.database.begin() as tx:
        [kept] = listing(tx, type_=None, after=None, limit=9)
        assert tx.rows(sa.text("SELECT count(*) FROM accounts")) == before
    assert (kept.key, kept.run, kept.content) == (
        "wrong",
        3,
        [
            {
                "debit": "control_allocation",
                "credit": "borrower_receivable somebody new",
                "amount": 5,
            }
        ],
    )
