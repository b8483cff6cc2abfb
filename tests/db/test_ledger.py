"""The books under every order of events: invariants 44 to 51 of a money reviewer."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from random import Random
from threading import Barrier

import pytest
import sqlalchemy as sa

from db import audit, ledger
from db.engine import Database, DatabaseOptions
from db.errors import DatabaseRefusedError, RuleBrokenError
from db.tx import Tx
from domain.errors import RefusedError
from domain.ledger import CAUSED, AccountKind, Entries, EntryType, Posting
from tests.db.books import Books
from tests.operating import opened, query
from workers.settings import Settings

KINDS = AccountKind
FREE = [kind for kind in EntryType if kind not in CAUSED]
THREADS = 16
BOOKS = ("entries-have-postings", "postings-keep-the-rules", "balances-are-their-postings",
         "bounded-not-below-zero", "currencies-balance", "totals-are-their-entries")  # fmt: skip


@pytest.fixture
def worker(database_url: str) -> Iterator[Database]:
    """This test's database, acting as a worker, with a connection for each thread."""
    options = DatabaseOptions(url=database_url, role="bursar_worker", pool_max=THREADS)
    database = Database(options)
    yield database
    database.dispose()


def assert_sound(database: Database) -> None:
    """Everything stored is what the postings add up to."""
    invariants = [i for i in audit.INVARIANTS if i.name in BOOKS]
    assert len(invariants) == len(BOOKS)
    assert [r.offences for r in audit.run(database, invariants=invariants) if not r.holds] == []


def at_once(calls: Sequence[Callable[[], object]]) -> list[object]:
    """What each call returned or raised, all begun together."""
    gate = Barrier(len(calls))

    def begin(call: Callable[[], object]) -> object:
        gate.wait(60)
        try:
            return call()
        except (RefusedError, RuleBrokenError) as error:
            return error

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(begin, calls))


@pytest.mark.parametrize("seed", range(4))
def test_any_mix_of_entries_keeps_the_books_balanced(worker: Database, seed: int) -> None:
    """Invariants 44 and 46: fuzzed sets of entries, several writers, refusals among them."""
    owners = [f"payee {n}" for n in range(5)]
    books = [Books(worker, owners, currency) for currency in ("INR", "USD")]

    def write(writer: int) -> int:
        chance = Random(seed * 100 + writer)
        posted = 0
        for turn in range(15):
            book = chance.choice(books)
            key, kinds = f"{seed}:{writer}:{turn}", FREE
            entries = [
                book.entry(
                    f"{key}:{n}",
                    chance.choice(kinds),
                    chance.randint(1, 10**12),
                    chance.choice(owners),
                )
                for n in range(chance.randint(1, 8))
            ]
            with suppress(RuleBrokenError):  # a payee's account would fall below zero
                posted += book.post(*entries, run=chance.randint(1, 40))
        return posted

    posted = at_once([lambda w=w: write(w) for w in range(4)])  # type: ignore[misc]  # bound now
    assert (
        sum(int(str(p)) for p in posted)
        == query(worker, "SELECT count(*) AS n FROM entries")[0].n
        > 0
    )
    assert_sound(worker)


def test_an_entry_of_several_legs_is_balanced_by_its_form(worker: Database) -> None:
    """Invariant 44: tax withheld is a second leg, and no leg has one side only."""
    books = Books(worker)
    books.post(
        books.entry("a", EntryType.PAYOUT_IMPORTED, 100),
        books.entry("b", EntryType.PAYOUT_SUBMITTED, 100),
    )
    transit, cash, tax = (
        books.id(KINDS.PAYOUTS_IN_TRANSIT),
        books.id(KINDS.CASH),
        books.id(KINDS.TDS_PAYABLE),
    )
    legs = (
        Posting(debit=transit, credit=cash, amount=99),
        Posting(debit=transit, credit=tax, amount=1),
    )
    books.post(replace(books.entry("c", EntryType.PAYOUT_COMPLETED, 1), postings=legs))
    assert [
        books.balance(k) for k in (KINDS.PAYOUTS_IN_TRANSIT, KINDS.CASH, KINDS.TDS_PAYABLE)
    ] == [0, 99, 1]
    assert_sound(worker)


APPEND_ONLY = ("entries", "postings", "moves", "effect_answers", "rejected_postings")


@pytest.mark.parametrize("table", APPEND_ONLY)
@pytest.mark.parametrize("verb", ["UPDATE {} SET {} = {}", "DELETE FROM {}", "TRUNCATE {}"])
@pytest.mark.parametrize(
    "role", ["bursar_owner", "bursar_worker", "bursar_operator", "bursar_app", None]
)
def test_what_was_written_stays(
    superuser_url: str, database_url: str, table: str, verb: str, role: str | None
) -> None:
    """Invariant 45: no role, the owner and a superuser included, changes or deletes what was written."""
    url = superuser_url if role is None else database_url
    with opened(url, role or "bursar_owner") as database:
        statement = (
            "SELECT relname FROM pg_partition_tree(:table) t JOIN pg_class c ON c.oid = t.relid"
        )
        names = [row.relname for row in query(database, statement, table=table)] or [table]
        column = {"entries": "actor", "postings": "amount", "moves": "actor"}.get(table, "key")
        for name in {table, *names}:
            with (
                pytest.raises((RuleBrokenError, DatabaseRefusedError)) as refused,
                database.begin() as tx,
            ):
                tx.run(sa.text(verb.format(name, column, column)))
            if role in {None, "bursar_owner"}:
                assert isinstance(refused.value, RuleBrokenError)
                assert refused.value.constraint == "append_only"


def test_the_same_key_with_the_same_content_is_the_same_entry(worker: Database) -> None:
    """Invariant 47, one after the other, alone and amid others."""
    books = Books(worker)
    one = books.entry("one", EntryType.PAYOUT_IMPORTED, 100)
    assert books.post(one) == 1
    assert books.post(one) == 0
    assert books.post(books.entry("two", EntryType.PAYOUT_IMPORTED, 50), one) == 1
    assert books.balance(KINDS.PAYEE_PAYABLE) == 150
    assert_sound(worker)


def test_the_same_key_with_other_content_is_refused_and_nothing_is_posted(worker: Database) -> None:
    """Invariant 47: amount, accounts, type and currency each count."""
    books, others = Books(worker, ["one", "two"]), Books(worker, currency="USD")
    one = books.entry("one", EntryType.PAYOUT_IMPORTED, 100)
    books.post(one)
    wrongs = [
        books.entry("one", EntryType.PAYOUT_IMPORTED, 101),
        books.entry("one", EntryType.PAYOUT_IMPORTED, 100, "two"),
        books.entry("one", EntryType.PAYOUT_SUBMITTED, 100),
        others.entry("one", EntryType.PAYOUT_IMPORTED, 100),
        replace(one, postings=one.postings * 2),
    ]
    for wrong in wrongs:
        with pytest.raises(RefusedError, match="exists with other content"):
            books.post(books.entry("fresh", EntryType.PAYOUT_IMPORTED, 7), wrong)
    assert [row.key for row in query(worker, "SELECT key FROM entries")] == ["one"]
    assert_sound(worker)


@pytest.mark.parametrize("amounts", [[100] * THREADS, [100, 101] * (THREADS // 2)])
def test_one_key_at_once_is_one_entry(worker: Database, amounts: list[int]) -> None:
    """Invariant 47, under concurrency: one wins, its equals find it, the others are refused."""
    books = Books(worker)
    entries = [books.entry("one", EntryType.PAYOUT_IMPORTED, amount) for amount in amounts]
    results = at_once([lambda e=e: books.post(e) for e in entries])  # type: ignore[misc]  # bound now
    won = books.balance(KINDS.PAYEE_PAYABLE)
    assert results.count(1) == 1
    assert results.count(0) == amounts.count(won) - 1
    assert sum(isinstance(r, RefusedError) for r in results) == len(amounts) - amounts.count(won)
    assert_sound(worker)


def test_the_largest_batch_takes_no_entry_id_of_the_next_one(worker: Database) -> None:
    books = Books(worker)
    most = next(m.le for m in Settings.model_fields["batch_max"].metadata if hasattr(m, "le"))
    for batch in "first", "second":
        made = Entries(
            type=EntryType.PAYOUT_IMPORTED,
            currency="INR",
            keys=[f"{batch} {n}" for n in range(most)],
            debits=[books.id(KINDS.IMPORTED_LIABILITY)] * most,
            credits=[books.id(KINDS.PAYEE_PAYABLE)] * most,
            amounts=[1] * most,
        )
        with worker.begin() as tx:
            ledger.post_new(tx, made, run=1, actor="test")
    assert books.balance(KINDS.PAYEE_PAYABLE) == 2 * most


def test_a_bounded_account_is_never_below_zero(worker: Database) -> None:
    """Invariant 48: sixteen threads want 10 each of 100; ten get it. What is not bounded is listed."""
    books = Books(worker)
    books.post(books.entry("in", EntryType.PAYOUT_IMPORTED, 100))
    entries = [books.entry(f"out {n}", EntryType.PAYOUT_SUBMITTED, 10) for n in range(THREADS)]
    results = at_once([lambda e=e, n=n: books.post(e, run=n) for n, e in enumerate(entries)])  # type: ignore[misc]  # bound now
    assert results.count(1) == 10
    refused = [r for r in results if isinstance(r, RuleBrokenError)]
    assert {r.constraint for r in refused} == {"never_below_zero"}
    assert books.balance(KINDS.PAYEE_PAYABLE) == 0
    unbounded = query(worker, "SELECT DISTINCT kind FROM accounts WHERE NOT bounded")
    assert {row.kind for row in unbounded} == {
        "imported_liability",
        "opening_balances",
        "payouts_in_transit",
        "cash",
        "tds_payable",
        "checkout_holds",
        "gateway_clearing",
        "platform_revenue",
        "refunds_payable",
        "promotions",
        "control_accrual",
        "control_settlement",
        "control_allocation",
        "control_waiver",
    }
    assert_sound(worker)


def test_opposite_transfers_never_deadlock(worker: Database) -> None:
    """Invariant 49: two threads, a thousand entries each, between the same accounts in both directions."""
    books = Books(worker, ["one", "two"])
    seeds = [books.entry(f"seed {o}", EntryType.PAYOUT_IMPORTED, 10**6, o) for o in ("one", "two")]
    books.post(*seeds)
    books.post(
        *[books.entry(f"sent {o}", EntryType.PAYOUT_SUBMITTED, 10**5, o) for o in ("one", "two")]
    )

    def write(owners: tuple[str, str], kinds: tuple[EntryType, EntryType]) -> int:
        done = 0
        for n in range(500):
            pair = [
                books.entry(f"{owners} {n} {o}", k, 1, o)
                for o, k in zip(owners, kinds, strict=True)
            ]
            with worker.begin() as tx:  # begin, not transact: a deadlock would raise here
                done += ledger.post(tx, pair, run=1, actor="test")
        return done

    there, back = EntryType.PAYOUT_SUBMITTED, EntryType.PAYOUT_FAILED
    done = at_once(
        [lambda: write(("one", "two"), (there, back)), lambda: write(("two", "one"), (there, back))]
    )
    assert done == [1000, 1000]
    assert_sound(worker)


WRITES = ("moves", "entries", "postings", "balances", "ledger_totals")


@pytest.mark.parametrize("table", WRITES)
@pytest.mark.parametrize("when", ["BEFORE", "AFTER"])
def test_the_row_and_its_books_commit_together_or_not_at_all(
    worker: Database, superuser_url: str, table: str, when: str
) -> None:
    """Invariant 50: each statement of a posting is broken in turn, and nothing of the transaction stays."""
    books = Books(worker)
    books.post(books.entry("seed", EntryType.PAYOUT_IMPORTED, 100))
    before = everything(worker)
    with broken(superuser_url, table, when):
        with pytest.raises(RuleBrokenError, match="broken on purpose"):
            books.database.transact(lambda tx: business(tx, books))
        assert everything(worker) == before
    books.database.transact(lambda tx: business(tx, books))
    assert everything(worker) != before
    assert_sound(worker)


def business(tx: Tx, books: Books) -> None:
    """A business row, its history, and its entry."""
    tx.run(sa.text("INSERT INTO work (job, subject) VALUES ('a.b', gen_random_uuid())"))
    tx.run(
        sa.text("""INSERT INTO moves (kind, subject, source, target, actor)
                      VALUES ('payout', gen_random_uuid(), 'A', 'B', 'test')""")
    )
    ledger.post(tx, [books.entry("one", EntryType.PAYOUT_SUBMITTED, 10)], run=3, actor="test")


def everything(database: Database) -> list[object]:
    """All rows that a posting may touch."""
    tables = ("work", *WRITES)
    return [query(database, f"SELECT x FROM {t} x ORDER BY CAST(x AS text)") for t in tables]  # noqa: S608  own names


class broken:  # noqa: N801  reads as a word in a with statement
    """While it lasts, any write to a table raises."""

    def __init__(self, url: str, table: str, when: str) -> None:
        self.engine = sa.create_engine(url, poolclass=sa.pool.NullPool)
        self.table, self.when = table, when

    def __enter__(self) -> None:
        self._say(
            "CREATE FUNCTION bursar.break_it() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'broken on purpose' USING ERRCODE = '23514'; END $$"
        )
        self._say(
            f"CREATE TRIGGER zz_break {self.when} INSERT OR UPDATE ON bursar.{self.table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION bursar.break_it()"
        )

    def __exit__(self, *_: object) -> None:
        self._say("DROP FUNCTION bursar.break_it CASCADE")

    def _say(self, statement: str) -> None:
        with self.engine.begin() as connection:
            connection.exec_driver_sql(statement)


def test_an_entry_stays_in_its_currency(worker: Database) -> None:
    """Invariant 44: an account of another currency is refused."""
    books, others = Books(worker), Books(worker, currency="USD")
    debit, credit = others.id(KINDS.IMPORTED_LIABILITY), books.id(KINDS.PAYEE_PAYABLE)
    leg = Posting(debit=debit, credit=credit, amount=1)
    with pytest.raises(RuleBrokenError, match="no account in its currency"):
        books.post(replace(books.entry("one", EntryType.PAYOUT_IMPORTED, 1), postings=(leg,)))
    assert_sound(worker)
