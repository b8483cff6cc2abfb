"""A retry of what another system called failed: its provider is asked first, and what it has is never sent again."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest

from db import rate_limits
from db.payouts import proving
from domain.answers import Found, LookUp, LookUpFailed, ProviderPayout, ProviderStatus
from jobs import outside
from tests.builders import assert_sound
from tests.fakes.bank import FakeBank
from tests.opening import opening, taken
from tests.operating import change, opened, query
from tests.workers.cli.conftest import Line

RETRY = ("payouts", "retry", "A-1", "--why", "looked it up", "--json")


class Bank(FakeBank):
    """A bank that answers every look-up alike, but for what it `has` by its reference."""

    says: LookUp = Found(payouts=())

    def __init__(self) -> None:
        super().__init__()
        self.has: dict[str, ProviderPayout] = {}

    def find(self, reference: str) -> LookUp:
        self.reads += 1
        return Found(payouts=(self.has[reference],)) if reference in self.has else self.says


@pytest.fixture
def bank(monkeypatch: pytest.MonkeyPatch) -> Bank:
    made = Bank()

    @contextmanager
    def there(_settings: object) -> Iterator[Bank]:
        yield made

    monkeypatch.setattr("workers.cli.proving.open_bank", there)
    return made


def failed(bursar: Line, bank: Bank, **changes: str) -> UUID:
    """One payout that was taken over as FAILED."""
    taken(bursar.database, [opening("A-1", "FAILED", **{"reference": "OLD-1"} | changes)], bank)
    [row] = query(bursar.database, "SELECT id FROM payouts")
    id_: UUID = row.id
    return id_


def paid(status: ProviderStatus, word: str) -> ProviderPayout:
    return ProviderPayout(
        provider_id="pout_old_1",
        reference="OLD-1",
        status=status,
        raw_status=word,
        amount_minor=100_000,
        currency="INR",
        fund_account_id="fa_1",
        utr="UTR1",
        reason=None,
        created_at=datetime(2026, 1, 5, tzinfo=UTC),
    )


def state(bursar: Line) -> str:
    [row] = query(bursar.database, "SELECT state FROM payouts")
    found: str = row.state
    return found


PAID = paid(ProviderStatus.PAID, "processed")
FAILED_THERE = Found(payouts=(paid(ProviderStatus.FAILED, "failed"),))


@pytest.mark.parametrize("says", [Found(payouts=()), FAILED_THERE])
def test_what_the_provider_has_not_paid_is_sent_again_under_our_key(
    bursar: Line, bank: Bank, says: LookUp
) -> None:
    """Decision 30: a retry is the next generation, and only of what definitely failed."""
    failed(bursar, bank)
    bank.says = says
    said = bursar(*RETRY)
    assert (said.code, said.json[0]["outcome"], bank.reads) == (0, "moved", 1)
    [row] = query(bursar.database, "SELECT state, generation FROM payouts")
    assert (row.state, row.generation) == ("APPROVED", 2)
    kept = query(bursar.database, "SELECT answer, moved FROM effect_answers")
    assert [row.moved for row in kept] == [False]
    assert_sound(bursar.database)


def test_what_the_provider_has_paid_is_completed_and_never_sent(bursar: Line, bank: Bank) -> None:
    """Each effect once: elsewhere a lost reply was written down as a failure."""
    failed(bursar, bank)
    bank.says = Found(payouts=(paid(ProviderStatus.PAID, "processed"),))
    said = bursar(*RETRY)
    assert (said.code, said.json[0]["outcome"]) == (1, "illegal")
    assert "pout_old_1 is processed, so it is COMPLETED" in said.err
    assert state(bursar) == "COMPLETED"
    kinds = query(bursar.database, "SELECT kind FROM findings ORDER BY kind")
    assert [row.kind for row in kinds] == ["payout-paid-after-failed", "payouts-failed-elsewhere"]
    assert_sound(bursar.database)


@pytest.mark.parametrize(
    ("says", "words"),
    [
        (LookUpFailed(reason="no route"), "could not be asked about OLD-1: no route"),
        (Found(payouts=(paid(ProviderStatus.UNDER_WAY, "processing"),)), "is not its end"),
        (Found(payouts=(paid(ProviderStatus.PAID, "x"),) * 2), "has 2 of OLD-1"),
    ],
)
def test_what_cannot_be_told_is_not_sent(
    bursar: Line, bank: Bank, says: LookUp, words: str
) -> None:
    failed(bursar, bank)
    bank.says = says
    said = bursar(*RETRY)
    assert (said.code, said.json[0]["outcome"]) == (1, "unproven")
    assert words in said.err
    assert state(bursar) == "FAILED"


def test_sent_a_moment_ago_nothing_found_proves_nothing(bursar: Line, bank: Bank) -> None:
    failed(bursar, bank)
    with opened(bursar.database.options.url) as database:
        change(database, "UPDATE effects SET first_sent_at = clock_timestamp()")
    said = bursar(*RETRY)
    assert (said.code, said.json[0]["outcome"]) == (1, "unproven")
    assert "ask again an hour after" in said.err


def test_the_provider_is_asked_within_its_rate_limit(bursar: Line, bank: Bank) -> None:
    """The one that workers share: whoever wants to look up many costs them their permits, and waits as they do."""
    failed(bursar, bank)
    with opened(bursar.database.options.url) as database, database.begin() as tx:
        rate_limits.configure(tx, outside.limit(bank), 100)
        rate_limits.cut(tx, outside.limit(bank), 60)
    said = bursar(*RETRY)
    assert (said.code, said.json[0]["outcome"], bank.reads) == (1, "unproven", 0)
    assert "takes no more requests" in said.err


def test_what_the_provider_says_of_its_rate_is_heeded(bursar: Line, bank: Bank) -> None:
    failed(bursar, bank)
    with opened(bursar.database.options.url) as database, database.begin() as tx:
        rate_limits.configure(tx, outside.limit(bank), 100)
    bank.says = LookUpFailed(reason="http 429", retry_after_seconds=60)
    assert bursar(*RETRY).json[0]["outcome"] == "unproven"
    [limit] = query(
        bursar.database, "SELECT stopped_until > clock_timestamp() AS stopped FROM rate_limits"
    )
    assert limit.stopped


def test_many_are_asked_about_one_after_another(bursar: Line, bank: Bank) -> None:
    names = [f"A-{n}" for n in range(3)]
    opened_ = [opening(name, "FAILED", reference=f"OLD-{name}") for name in names]
    taken(bursar.database, opened_, bank)
    with opened(bursar.database.options.url) as database, database.begin() as tx:
        rate_limits.configure(tx, outside.limit(bank), 50)
    said = bursar("payouts", "retry", *names, "--why", "looked them up", "--json")
    assert (said.code, bank.reads) == (0, 3)
    assert {row["outcome"] for row in said.json} == {"moved"}


def several(bursar: Line, bank: Bank, count: int) -> list[str]:
    """Payouts A-0, A-1 … that failed, and of all that the bank has of them the first is paid."""
    names = [f"A-{n}" for n in range(count)]
    lines = [opening(name, "FAILED", reference=f"OLD-{name}") for name in names]
    taken(bursar.database, lines, bank)
    bank.has["OLD-A-0"] = replace(PAID, reference="OLD-A-0")
    return names


def states(bursar: Line) -> list[str]:
    return [
        row.state
        for row in query(bursar.database, "SELECT state FROM payouts ORDER BY external_id")
    ]


def test_a_set_of_answers_is_settled_and_what_contradicts_ours_is_as_it_was(
    bursar: Line, bank: Bank
) -> None:
    names = several(bursar, bank, 3)
    bank.has["OLD-A-1"] = replace(PAID, reference="OLD-A-1", provider_id="pout_2", amount_minor=1)
    said = bursar("payouts", "retry", *names, "--why", "looked them up", "--json")
    assert states(bursar) == ["COMPLETED", "FAILED", "APPROVED"]
    assert "pout_old_1 is processed, so it is COMPLETED" in said.err
    assert "pout_2 is processed; not adopted: " in said.err
    [waiting] = query(
        bursar.database,
        "SELECT p.external_id FROM work w JOIN payouts p ON p.id = w.subject WHERE p.state <> 'COMPLETED'",
    )
    assert waiting.external_id == "A-2"
    assert_sound(bursar.database)


def test_an_answer_that_breaks_a_rule_stops_none_of_its_set(bursar: Line, bank: Bank) -> None:
    """The bank has one payment under two references: who is first is paid by it, and nobody else."""
    names = several(bursar, bank, 3)
    bank.has["OLD-A-1"] = replace(PAID, reference="OLD-A-1")
    said = bursar("payouts", "retry", *names, "--why", "looked them up", "--json")
    assert sorted(states(bursar)) == ["APPROVED", "COMPLETED", "FAILED"]
    assert "cannot be settled: " in said.err
    assert_sound(bursar.database)


def test_without_a_reference_two_people_decide(bursar: Line, bank: Bank) -> None:
    id_ = failed(bursar, bank, reference="")
    assert (bursar(*RETRY).json[0]["outcome"], bank.reads) == ("unproven", 0)
    assert bursar("propose", "payout.retry", str(id_), "--why", "the bank's desk says so").code == 0
    with opened(bursar.database.options.url) as database:
        change(database, "UPDATE proposals SET proposed_by = 'somebody else'")
    assert bursar("approve", "1").code == 0
    assert state(bursar) == "APPROVED"


def test_a_named_payment_is_believed(bursar: Line, bank: Bank) -> None:
    failed(bursar, bank, provider_id="pout_old_1")
    assert (bursar(*RETRY).json[0]["outcome"], bank.reads) == ("moved", 0)
    assert query(bursar.database, "SELECT FROM findings") == []


def test_of_all_that_failed_what_nobody_proved_is_left(bursar: Line, bank: Bank) -> None:
    failed(bursar, bank)
    said = bursar("payouts", "retry", "--all-failed", "--why", "all", "--json")
    assert (said.code, said.json[0]["outcome"], bank.reads) == (1, "unproven", 0)


def test_what_was_paid_is_told_though_it_is_about_to_be_sent_again(
    bursar: Line, bank: Bank
) -> None:
    """TRAP: of two who ask at once one hears of nothing and retries; the other hears that it was paid."""
    id_ = failed(bursar, bank)
    with bursar.database.begin() as tx:
        [asked] = proving.unproven(tx, [id_])
        proving.were_not_paid(tx, [(asked, None)])
    assert bursar(*RETRY).json[0]["outcome"] == "moved"
    with bursar.database.begin() as tx:
        done = proving.adopt(tx, {id_: PAID}, actor="ravi")
    assert (state(bursar), list(done.refused)) == ("APPROVED", [id_])
    [waits] = query(bursar.database, "SELECT parked_reason FROM work")
    assert waits.parked_reason
    [found] = query(
        bursar.database,
        "SELECT kind, subject, detail FROM findings WHERE kind = 'payout-paid-after-failed'",
    )
    assert (found.kind, found.subject) == ("payout-paid-after-failed", f"payout {id_}")
    assert found.detail.startswith("pout_old_1 is processed under OLD-1; here it is APPROVED")


def test_what_contradicts_ours_is_not_adopted(bursar: Line, bank: Bank) -> None:
    failed(bursar, bank)
    other = replace(paid(ProviderStatus.PAID, "processed"), amount_minor=1)
    bank.says = Found(payouts=(other,))
    assert bursar(*RETRY).code != 0
    assert state(bursar) == "FAILED"
