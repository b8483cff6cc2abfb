"""Tax is withheld at the claim of a first send, once, whatever happens to the payout after it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from db.engine import Database
from db.payouts.claim import start_processing
from db.payouts.decide import decide
from db.work import ClaimOrder
from domain.answers import Answer, NotSent, Unknown
from domain.decisions import Decision
from domain.ports import Bank
from domain.tax import Crossing, Engine, Withholding
from jobs.payouts.process import ProcessPayouts
from jobs.shapes import Drain
from tests.builders import assert_sound, hurry, payout, seed
from tests.driving import drive, follow, process, recover
from tests.earned import COMPANY, LIMIT, PERSON, Who, earned, over_the_limit
from tests.fakes.bank import FakeBank
from tests.operating import PROVIDER, change, query
from workers.sandbox.faults import Fault


@contextmanager
def statements(database: Database) -> Iterator[list[str]]:
    """What is said to the database meanwhile."""
    said: list[str] = []

    def hear(_c: object, _cursor: object, statement: str, *_rest: object) -> None:
        said.append(statement)

    sa.event.listen(database.engine, "before_cursor_execute", hear)
    yield said
    sa.event.remove(database.engine, "before_cursor_execute", hear)


def year(database: Database) -> tuple[int, int, int, int]:
    """The one tax year there is: gross, share, base, tax."""
    [row] = query(database, "SELECT gross, share, base, tax FROM tax_years")
    return (row.gross, row.share, row.base, row.tax)


def withheld(database: Database, id_: UUID) -> tuple[int | None, int, int, int | None]:
    """What is sent of a payout, the tax, what was taxed, and the rate."""
    row = payout(database, id_)
    return (row.net_amount, row.tds_deducted, row.tds_base, row.tds_rate_bps)


def test_a_set_of_imported_payouts_costs_no_statement_and_nothing_is_withheld(
    database_url: str, worker: Database
) -> None:
    [id_, *_] = seed(database_url, 3)
    with statements(worker) as said:
        drive(worker, process(bank := FakeBank()))
        bank.finish()
        hurry(worker)
        drive(worker, follow(bank))
    assert said
    about = ("tax_years", "tax_records", "FROM payout_earnings l JOIN earnings", "tds_payable")
    assert [one for one in said if any(word in one for word in about)] == []
    assert withheld(worker, id_) == (None, 0, 0, None)
    assert query(worker, "SELECT FROM tax_years") == query(worker, "SELECT FROM tax_records") == []


def test_the_bank_is_asked_for_what_is_left_after_tax(operator: Database, worker: Database) -> None:
    """Invariant 38: gross = net + tds; of the gross sale, not of the payee's share of it."""
    id_ = earned(operator, "A", gross=100_000, payee=COMPANY)
    drive(worker, process(bank := FakeBank()))
    assert withheld(worker, id_) == (79_900, 100, 100_000, 10)
    assert [one.payout.amount_minor for one in bank.transfers] == [79_900]
    assert year(worker) == (100_000, 80_000, 100_000, 100)
    assert_sound(worker)


def test_without_a_pan_it_is_five_percent_from_the_first_rupee(
    operator: Database, worker: Database
) -> None:
    """Invariant 40."""
    id_ = earned(operator, "A", gross=100_000, payee=PERSON._replace(has_pan=False))
    drive(worker, process(FakeBank()))
    assert withheld(worker, id_) == (75_000, 5_000, 100_000, 500)


def test_payouts_of_one_payee_in_one_set_share_one_exemption(
    operator: Database, worker: Database
) -> None:
    """Invariant 39: each by itself is below the limit; the second crosses it, and pays for that alone."""
    over_the_limit(operator, ["A", "B"])
    earned(operator, "C", gross=1_000, payee=COMPANY)
    assert drive(worker, process(FakeBank())) == 3
    rows = query(worker, "SELECT tds_base, tds_deducted FROM payouts ORDER BY tds_base")
    assert [tuple(row) for row in rows] == [(0, 0), (1_000, 1), (100_000, 100)]
    assert_sound(worker)


def test_exactly_five_lakh_is_free_also_across_sets(operator: Database, worker: Database) -> None:
    """Invariant 39."""
    bank = FakeBank()
    for name in ("A", "B"):
        earned(operator, name, gross=LIMIT // 2)
        drive(worker, process(bank))
    assert year(worker) == (LIMIT, LIMIT * 4 // 5, 0, 0)
    last = earned(operator, "C", gross=1_000)
    drive(worker, process(bank))
    assert withheld(worker, last) == (799, 1, 1_000, 10)


def test_a_refund_takes_its_part_of_the_sale_out_of_the_base(
    operator: Database, worker: Database, outside: Database
) -> None:
    id_ = earned(operator, "A", gross=100_000, share=80_000, payee=COMPANY, approve=False)
    change(outside, "UPDATE earnings SET refunded = 20000")
    change(outside, "UPDATE payouts SET amount = 60000")
    decided(operator, Decision.APPROVE, id_)
    drive(worker, process(FakeBank()))
    assert payout(worker, id_).tds_gross == 75_000


@pytest.mark.parametrize(
    ("payee", "gross", "share", "reason"),
    [
        (PERSON._replace(resident=False), 100_000, 80_000, "its payee is no resident of India"),
        (
            PERSON._replace(has_pan=False),
            100_000,
            5_000,
            "0 minor units are left after tax of 5000",
        ),
        (PERSON._replace(has_pan=False), 100_000, 5_099, "99 minor units are left"),
        (PERSON._replace(has_pan=False), 100_000, 4_000, "-1000 minor units are left"),
    ],
)
def test_what_cannot_be_sent_for_its_tax_waits_for_a_person(
    operator: Database, worker: Database, payee: Who, gross: int, share: int, reason: str
) -> None:
    """Invariant 38: nothing is sent where nothing, or less than the provider takes, is left."""
    id_ = earned(operator, "A", gross=gross, share=share, payee=payee)
    drive(worker, process(bank := FakeBank()))
    found = payout(worker, id_)
    assert (found.state, found.net_amount, bank.submits) == ("APPROVED", None, [])
    assert reason in found.w_parked
    assert_sound(worker)


def test_the_smallest_payout_the_provider_takes_is_sent(
    operator: Database, worker: Database
) -> None:
    payee = PERSON._replace(has_pan=False)
    earned(operator, "A", gross=100_000, share=5_100, payee=payee)
    drive(worker, process(bank := FakeBank()))
    assert [one.payout.amount_minor for one in bank.transfers] == [100]


def test_other_currencies_wait_for_somebody_who_knows_their_law(
    operator: Database, worker: Database
) -> None:
    id_ = earned(operator, "A", gross=100_000, currency="USD")
    drive(worker, process(FakeBank()))
    assert payout(worker, id_).w_parked == "nobody has said how tax is withheld in USD"


def test_a_marketplace_this_law_is_not_about_sends_in_any_currency(
    operator: Database, worker: Database
) -> None:
    id_ = earned(operator, "A", gross=100_000, currency="USD")
    none = replace(PROVIDER, withholding=Withholding(engine=Engine.NONE))
    with worker.begin() as tx:
        start_processing(tx, none, ClaimOrder(run=1, limit=1, lease_seconds=15))
    assert withheld(worker, id_) == (80_000, 0, 0, 0)


def test_a_marketplace_this_law_is_not_about_sends_everything_whole(
    operator: Database, worker: Database
) -> None:
    """What was put back stays as it was computed, though the setting has changed meanwhile."""
    id_ = earned(operator, "A", gross=100_000, payee=PERSON)
    bank = FakeBank()
    bank.script(NotSent(reason="no route"))
    none = Withholding(engine=Engine.NONE)
    job = ProcessPayouts(bank, call_seconds_max=1.0, recover_seconds=(1.0,), withholding=none)
    drive(worker, job)
    hurry(worker)
    drive(worker, process(bank))
    bank.finish()
    hurry(worker)
    drive(worker, follow(bank))
    assert (payout(worker, id_).state, withheld(worker, id_)) == ("COMPLETED", (80_000, 0, 0, 0))
    assert query(worker, "SELECT FROM tax_years") == query(worker, "SELECT FROM tax_records") == []
    assert_sound(worker)


@pytest.mark.parametrize(
    ("answer", "job"),
    [
        (NotSent(reason="no route"), process),
        (Unknown(reason="lost on its way there"), recover),
        (Fault.DROP, recover),
    ],
)
def test_a_retry_sends_the_identical_body_although_the_rate_has_changed(
    operator: Database,
    worker: Database,
    outside: Database,
    answer: Answer | Fault,
    job: Callable[[Bank], Drain[Any, Any]],
) -> None:
    """TRAP: body drift. Invariant 4: put back or in doubt, what was computed stays with the request."""
    id_ = earned(operator, "A", gross=100_000, payee=COMPANY)
    bank = FakeBank()
    bank.script(answer)
    drive(worker, process(bank))
    first = payout(worker, id_).e_request
    change(outside, "UPDATE payees SET has_pan = false")
    hurry(worker)
    drive(worker, job(bank))
    found = payout(worker, id_)
    assert (found.state, found.e_state) == ("PROCESSING", "accepted")
    assert {one.body for one in bank.submits} == {first} == {found.e_request}
    assert [one.payout.amount_minor for one in bank.transfers] == [79_900]
    assert withheld(worker, id_) == (79_900, 100, 100_000, 10)
    assert_sound(worker)


def test_another_generation_computes_anew_and_what_failed_counts_no_more(
    operator: Database, worker: Database, outside: Database
) -> None:
    id_ = earned(operator, "A", gross=100_000, payee=COMPANY)
    bank = FakeBank()
    bank.script(Fault.REFUSE)
    drive(worker, process(bank))
    assert (payout(worker, id_).state, year(worker)) == ("FAILED", (0, 0, 0, 0))
    assert query(worker, "SELECT FROM tax_records") == []
    assert_sound(worker)
    change(outside, "UPDATE payees SET has_pan = false")
    decided(operator, Decision.RETRY, id_)
    assert withheld(worker, id_) == (None, 0, 0, None)
    drive(worker, process(bank))
    assert withheld(worker, id_) == (75_000, 5_000, 100_000, 500)
    assert year(worker) == (100_000, 80_000, 100_000, 5_000)
    assert_sound(worker)


def test_what_was_put_back_still_counts_and_counts_no_more_once_it_is_cancelled(
    operator: Database, worker: Database
) -> None:
    id_ = earned(operator, "A", gross=100_000, payee=COMPANY)
    bank = FakeBank()
    bank.script(NotSent(reason="no route"))
    drive(worker, process(bank))
    assert (payout(worker, id_).state, year(worker)[0]) == ("APPROVED", 100_000)
    assert_sound(worker)
    decided(operator, Decision.CANCEL, id_)
    assert (payout(worker, id_).state, year(worker)) == ("CANCELLED", (0, 0, 0, 0))
    assert_sound(worker)


def test_a_payout_cancelled_before_any_claim_touches_no_tax_year(
    operator: Database, worker: Database
) -> None:
    decided(operator, Decision.CANCEL, earned(operator, "A", gross=100_000))
    assert query(worker, "SELECT FROM tax_years") == []


@pytest.mark.parametrize(
    ("policy", "base"),
    [
        (Withholding(crossing=Crossing.WHOLE_PAYOUT), LIMIT // 2 + 50_000),
        (Withholding(crossing=Crossing.CATCH_UP), LIMIT + 100_000),
        (Withholding(engine=Engine.SHARE), 20_040_000),
        (Withholding(engine=Engine.LEGACY), 20_040_000),
    ],
)
def test_the_policy_that_is_set_is_the_policy_that_withholds(
    operator: Database, worker: Database, policy: Withholding, base: int
) -> None:
    """The legacy base is the payee's share; a crossing payout is taxed as the setting says."""
    over_the_limit(operator, ["A", "B"])
    bank = FakeBank()
    job = ProcessPayouts(bank, call_seconds_max=1.0, recover_seconds=(1.0,), withholding=policy)
    assert [drive(worker, job, limit=1), drive(worker, job, limit=1)] == [1, 1]
    engines = query(worker, "SELECT DISTINCT tds_engine FROM payouts")
    assert [row.tds_engine for row in engines] == [policy.engine]
    assert max(row.tds_base for row in query(worker, "SELECT tds_base FROM payouts")) == base
    assert_sound(worker)


def decided(operator: Database, decision: Decision, id_: UUID) -> None:
    """An operator decides about one payout."""
    with operator.begin() as tx:
        [moved] = decide(tx, decision, [id_], actor="asha", why="because")
    assert moved.outcome == "moved"
