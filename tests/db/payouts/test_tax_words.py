"""What is withheld from a payee changes by an operator's word: from the next claim on, and never under one."""

import pytest

from db.engine import Database
from db.payees import listing, setting
from db.payees.setting import TaxWords
from domain.errors import BadInputsError, RefusedError
from domain.tax import TaxClass
from tests.builders import assert_sound
from tests.driving import drive, follow, hasten, process
from tests.earned import LIMIT, PERSON, earned
from tests.earning import know, payee
from tests.fakes.bank import FakeBank
from tests.operating import opened, query

TAXED = "SELECT external_id, tds_base, tds_deducted, tds_rate_bps FROM payouts ORDER BY external_id"


def say(operator: Database, said: TaxWords, name: str = PERSON.name) -> None:
    with operator.begin() as tx:
        id_, _ = listing.find(tx, name)
        setting.set_tax(tx, id_, said, actor="asha", why="her deed")


def pay(operator: Database, worker: Database, bank: FakeBank, name: str, gross: int) -> None:
    """One payout of one payee, from its claim to its end."""
    earned(operator, name, gross=gross)
    drive(worker, process(bank))
    bank.finish()
    hasten(worker)
    drive(worker, follow(bank))


def taxed(database: Database) -> list[tuple[str, int, int, int]]:
    return [tuple(row) for row in query(database, TAXED)]


def test_a_later_payout_is_taxed_as_what_its_payee_is_then(
    operator: Database, worker: Database
) -> None:
    """What was paid before stays as it was taxed, and counts in the year: an exemption is no second time given."""
    bank = FakeBank()
    pay(operator, worker, bank, "A", LIMIT // 2)
    say(operator, TaxWords(tax_class=TaxClass.COMPANY))
    pay(operator, worker, bank, "B", LIMIT // 2)
    say(operator, TaxWords(tax_class=TaxClass.HUF))
    pay(operator, worker, bank, "C", 1_000)
    say(operator, TaxWords(has_pan=False))
    pay(operator, worker, bank, "D", 1_000)
    assert taxed(worker) == [
        ("A", 0, 0, 10),
        ("B", LIMIT // 2, LIMIT // 2 // 1_000, 10),
        ("C", 1_000, 1, 10),
        ("D", 1_000, 50, 500),
    ]
    records = query(worker, "SELECT sum(tax) AS tax FROM tax_records")
    assert records[0].tax == LIMIT // 2 // 1_000 + 51
    assert_sound(worker)


def test_while_a_payout_is_under_way_with_its_tax_computed_nothing_is_changed(
    operator: Database, worker: Database
) -> None:
    """One that waits for its first claim is no such payout: it is taxed as what its payee is then."""
    earned(operator, "A", gross=1_000)
    say(operator, TaxWords(has_pan=False))
    drive(worker, process(bank := FakeBank()))
    with pytest.raises(RefusedError, match="payout A is under way with its tax computed"):
        say(operator, TaxWords(has_pan=True))
    assert taxed(worker) == [("A", 1_000, 50, 500)]
    bank.finish()
    hasten(worker)
    drive(worker, follow(bank))
    say(operator, TaxWords(has_pan=True))
    noted = query(worker, "SELECT what, who, why FROM changes ORDER BY id")
    assert [tuple(row) for row in noted] == [
        ("payee.no-pan", "asha", "her deed"),
        ("payee.pan", "asha", "her deed"),
    ]


def test_no_file_takes_an_operators_word_back(database_url: str) -> None:
    """TRAP: `no` is what a file says of whom nobody told; said by an operator, no later file fills it in."""
    with opened(database_url) as operator:
        know(operator, [payee("Asha")])
        say(operator, TaxWords(has_pan=False, tax_class=TaxClass.UNKNOWN), "Asha")
        with pytest.raises(BadInputsError, match=r"field tax_class.*payees set"):
            know(operator, [payee("Asha")])
        know(operator, [payee("Asha", has_pan=False, tax_class="unknown")])
