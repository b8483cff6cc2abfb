"""Credits of wallets: each external id once, in the books alone, all or nothing."""

from uuid import UUID

import pytest

from db import installation
from db.errors import KeyTakenError
from db.importing.order import Lines
from db.wallets.imports import look
from db.wallets.rows import Credit, credit_wallets, lock_wallets, open_wallets
from domain.errors import BadInputsError
from domain.payout_ids import payee_id
from domain.wallets import wallet_id
from tests.builders import assert_sound
from tests.keeping import credit, held, keep, left
from tests.operating import opened, query


def test_what_is_credited_is_in_the_books_and_left(database_url: str) -> None:
    lines = [credit("W-1"), credit("W-2", amount_minor=1), credit("W-3", payee="Bela")]
    with opened(database_url) as operator:
        done = keep(operator, lines)
        assert (done.created, done.existing, done.amounts) == (3, 0, {"INR": 200_001})
        assert held(operator) == left(operator) == {"payee 0": 100_001, "Bela": 100_000}
        [wallet] = query(operator, "SELECT * FROM wallets WHERE currency = 'INR' LIMIT 1")
        assert (wallet.frequency, wallet.minimum, wallet.opted_out) == ("week", None, False)
        assert_sound(operator)


def test_the_same_lines_again_credit_nothing(database_url: str) -> None:
    with opened(database_url) as operator:
        keep(operator, [credit("W-1")])
        done = keep(operator, [credit("W-1"), credit("W-2")])
        assert (done.created, done.existing) == (1, 1)
        assert held(operator) == {"payee 0": 200_000}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"amount_minor": 100_001}, r"wallets.csv row 2 field amount: '1000.01'"),
        ({"payee": "Bela"}, r"wallets.csv row 2 field payee: 'Bela'"),
        ({"currency": "USD"}, r"wallets.csv row 2 field currency: 'USD'"),
    ],
)
def test_other_content_under_the_same_id_is_named_and_nothing_is_kept(
    database_url: str, changes: dict[str, object], message: str
) -> None:
    with opened(database_url) as operator:
        keep(operator, [credit("W-1")])
        with pytest.raises(BadInputsError, match=message):
            keep(operator, [credit("W-2"), credit("W-1", **changes)])
        assert held(operator) == {"payee 0": 100_000}


def test_partial_credits_the_rest(database_url: str) -> None:
    with opened(database_url) as operator:
        keep(operator, [credit("W-1")])
        lines = [credit("W-2"), credit("W-1", amount_minor=7)]
        done = keep(operator, lines, partial=True)
        assert (done.created, len(done.errors)) == (1, 1)
        assert held(operator) == {"payee 0": 200_000}


def test_a_look_writes_nothing(database_url: str) -> None:
    with opened(database_url) as operator:
        keep(operator, [credit("W-1")])
        with operator.begin() as tx:
            done = look(tx, Lines(lines=[credit("W-1"), credit("W-2", payee="Bela")]))
        assert (done.created, done.existing, done.amounts) == (1, 1, {"INR": 100_000})
        assert held(operator) == {"payee 0": 100_000}


def test_a_wallet_is_named_by_its_owner_and_currency(database_url: str) -> None:
    """F34: after a restore the same file makes the same wallets."""
    with opened(database_url) as operator:
        keep(operator, [credit("W-1"), credit("W-2", currency="USD")])
        with operator.begin() as tx:
            payee = payee_id(installation.get(tx).id, "payee 0")
        rows = query(operator, "SELECT id, currency FROM wallets ORDER BY currency")
        assert {row.currency: row.id for row in rows} == {
            currency: wallet_id(payee, currency) for currency in ("INR", "USD")
        }


def payee_of(url: str) -> UUID:
    """The one payee there is."""
    with opened(url) as operator:
        found: UUID = query(operator, "SELECT id FROM payees")[0].id
        return found


def test_whoever_gives_back_credits_a_wallet_once_for_each_reference(database_url: str) -> None:
    """Invariant 47: the same key with other content is an error, and nothing of the set is kept."""
    with opened(database_url) as operator:
        keep(operator, [credit("W-1")])
        whose = payee_of(database_url), "INR"
        with operator.begin() as tx:
            wallet = open_wallets(tx, [whose])[whose]
            one = Credit(reference="refund 1", wallet=wallet, minor=500)
            assert credit_wallets(tx, [one], run=None, actor="job") == 1
            assert credit_wallets(tx, [one], run=None, actor="job") == 0
            assert credit_wallets(tx, [], run=None, actor="job") == 0
        other = [
            Credit(reference="refund 2", wallet=wallet, minor=1),
            Credit(reference="refund 1", wallet=wallet, minor=501),
        ]
        with pytest.raises(KeyTakenError, match="refund 1"), operator.begin() as tx:
            credit_wallets(tx, other, run=None, actor="job")
        assert held(operator) == {"payee 0": 100_500}
        assert_sound(operator)


def test_a_worker_holds_a_wallet_it_takes_from(database_url: str) -> None:
    with opened(database_url) as operator, opened(database_url, "bursar_worker") as worker:
        keep(operator, [credit("W-1")])
        with worker.begin() as tx:
            lock_wallets(tx, [wallet_id(payee_of(database_url), "INR")])
            lock_wallets(tx, [])
