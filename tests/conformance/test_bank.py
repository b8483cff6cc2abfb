"""What any `Bank` must do: one suite for the real clients on a real server, and for the fake."""

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from domain.answers import (
    Accepted,
    Balance,
    Found,
    LookUpFailed,
    NotSent,
    ProviderPayout,
    Rejected,
    Report,
    Unknown,
)
from domain.effects import effect_key
from domain.errors import BadInputError
from domain.ports import FrozenRequest, PayoutOrder, Sought
from tests.conformance.stages import LAG, FakeStage, RealStage, Stage, StripeStage
from tests.fakes.sandbox import running
from workers.sandbox.faults import Fault
from workers.sandbox.settings import SandboxSettings

INSTALLATION = UUID("9b5f0e1c-5f1f-4c7e-9c0a-0d7f9f3c2b1a")


@pytest.fixture(params=["client", "stripe", "fake"])
def stage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stage]:
    """Each bank there is."""
    if request.param == "fake":
        yield FakeStage()
        return
    settings = SandboxSettings(
        storage=tmp_path / "bank.sqlite", index_lag_seconds=LAG.total_seconds(), slow_seconds=0.05
    )
    with ExitStack() as stack:
        sandbox = stack.enter_context(running(settings))
        if request.param == "stripe":
            yield StripeStage(sandbox, stack.enter_context(sandbox.stripe(timeout_seconds=2.0)))
        else:
            yield RealStage(sandbox, stack.enter_context(sandbox.client(timeout_seconds=2.0)))


def order(stage: Stage, amount_minor: int = 125_050) -> PayoutOrder:
    return PayoutOrder(
        reference=str(uuid4()),
        amount_minor=amount_minor,
        currency="INR",
        fund_account_id=stage.beneficiary,
        mode="IMPS",
        purpose="payout",
        narration="Weekly payout #12 (April)",
    )


def frozen(stage: Stage, asked: PayoutOrder | None = None) -> FrozenRequest:
    asked = asked or order(stage)
    return FrozenRequest(
        key=effect_key(INSTALLATION, "payout.submit", UUID(asked.reference), 1).hex,
        body=stage.bank.freeze(asked),
        reference=asked.reference,
        amount_minor=asked.amount_minor,
        currency=asked.currency,
        fund_account_id=asked.fund_account_id,
    )


def test_an_accepted_payout_is_what_was_asked_for(stage: Stage) -> None:
    request = frozen(stage)
    answer = stage.bank.submit(request)
    assert isinstance(answer, Accepted)
    assert answer.payout.amount_minor == request.amount_minor
    assert answer.payout.reference == request.reference
    assert answer.payout.fund_account_id == request.fund_account_id
    assert answer.payout.status is stage.accepted
    assert answer.payout.created_at.tzinfo is UTC


def test_the_same_key_and_body_are_the_same_payout(stage: Stage) -> None:
    """Invariant 1, F55."""
    request = frozen(stage)
    first, second = stage.bank.submit(request), stage.bank.submit(request)
    assert isinstance(first, Accepted)
    assert isinstance(second, Accepted)
    assert second.payout.provider_id == first.payout.provider_id
    assert stage.times_paid() == 1


def test_the_same_key_with_another_body_is_refused_and_pays_nothing(stage: Stage) -> None:
    """Invariant 4."""
    asked = order(stage)
    request = frozen(stage, asked)
    stage.bank.submit(request)
    other = asked._replace(amount_minor=asked.amount_minor + 1)
    drifted = request._replace(body=stage.bank.freeze(other), amount_minor=other.amount_minor)
    answer = stage.bank.submit(drifted)
    assert isinstance(answer, Rejected | Unknown)
    assert stage.times_paid() == 1


@pytest.mark.parametrize(
    "fault",
    [Fault.DROP, Fault.ERROR, Fault.GARBAGE, Fault.TRUNCATE, Fault.HANG, Fault.DRIP],
)
def test_a_lost_reply_is_unknown_and_the_one_payout_is_found_by_a_resend_or_a_look_up(
    stage: Stage, fault: Fault
) -> None:
    """F55, F57, F61, invariants 1 and 7."""
    request = frozen(stage)
    stage.order(fault)
    answer = stage.bank.submit(request)
    assert isinstance(answer, Unknown)
    assert not answer.suspect
    assert stage.times_paid() == 1
    again = stage.bank.submit(request)
    stored = stage.stores_errors and fault is Fault.ERROR
    assert isinstance(again, Unknown if stored else Accepted)
    assert stage.times_paid() == 1
    stage.advance(LAG + timedelta(seconds=1))
    found = stage.bank.find(request.reference)
    assert isinstance(found, Found)
    assert len(found.payouts) == 1


@pytest.mark.parametrize("fault", [Fault.ERROR_BEFORE, Fault.RESET, Fault.RATE_LIMIT])
def test_a_request_that_was_never_executed_is_unknown_and_a_resend_pays_it(
    stage: Stage, fault: Fault
) -> None:
    """F56, F57, F59."""
    request = frozen(stage)
    stage.order(fault)
    assert isinstance(stage.bank.submit(request), Unknown)
    assert stage.times_paid() == 0
    assert isinstance(stage.bank.submit(request), Accepted)
    assert stage.times_paid() == 1


def test_a_rate_limit_says_when_to_come_back(stage: Stage) -> None:
    """F59."""
    stage.order(Fault.RATE_LIMIT)
    answer = stage.bank.submit(frozen(stage))
    assert isinstance(answer, Unknown)
    assert answer.retry_after_seconds == 1.0


def test_an_error_that_sticks_to_its_key_stays_unknown_for_ever(stage: Stage) -> None:
    """F58."""
    request = frozen(stage)
    stage.order(Fault.STICKY_ERROR)
    answers = [stage.bank.submit(request) for _ in range(3)]
    assert all(isinstance(answer, Unknown) for answer in answers)
    assert stage.times_paid() == 0


@pytest.mark.parametrize("fault", [Fault.REFUSE, Fault.UNPROCESSABLE])
def test_a_refusal_of_the_payment_is_a_rejection(stage: Stage, fault: Fault) -> None:
    """F63, invariant 8."""
    stage.order(fault)
    answer = stage.bank.submit(frozen(stage))
    assert isinstance(answer, Rejected)
    assert answer.code
    assert stage.times_paid() == 0


@pytest.mark.parametrize("fault", [Fault.UNAUTHORISED, Fault.FORBIDDEN])
def test_a_refusal_of_us_is_not_sent_and_asks_for_the_brake(stage: Stage, fault: Fault) -> None:
    """Invariant 8."""
    stage.order(fault)
    answer = stage.bank.submit(frozen(stage))
    assert isinstance(answer, NotSent)
    assert answer.brake


@pytest.mark.parametrize("fault", [Fault.WRONG_AMOUNT, Fault.WRONG_REFERENCE])
def test_an_answer_that_contradicts_the_request_is_suspect(stage: Stage, fault: Fault) -> None:
    """F62."""
    stage.order(fault)
    answer = stage.bank.submit(frozen(stage))
    assert isinstance(answer, Unknown)
    assert answer.suspect


def test_a_slow_answer_within_the_time_out_is_an_answer(stage: Stage) -> None:
    stage.order(Fault.SLOW)
    assert isinstance(stage.bank.submit(frozen(stage)), Accepted)


def test_a_key_past_its_window_pays_again_which_is_why_nobody_sends_it(stage: Stage) -> None:
    """F65, invariant 13: the danger that the key window guards against is real."""
    request = frozen(stage)
    stage.bank.submit(request)
    stage.advance(stage.bank.key_window - timedelta(minutes=1))
    stage.bank.submit(request)
    assert stage.times_paid() == 1
    stage.advance(timedelta(minutes=2))
    stage.bank.submit(request)
    assert stage.times_paid() == 2


def test_a_search_finds_exactly_what_is_under_the_reference_once_indexed(stage: Stage) -> None:
    """Invariant 11."""
    request = frozen(stage)
    stage.bank.submit(frozen(stage))
    accepted = stage.bank.submit(request)
    assert isinstance(accepted, Accepted)
    assert stage.bank.find(request.reference) == Found(payouts=())
    stage.advance(LAG + timedelta(seconds=1))
    found = stage.bank.find(request.reference)
    assert isinstance(found, Found)
    assert [payout.provider_id for payout in found.payouts] == [accepted.payout.provider_id]


def test_a_search_shows_every_payout_of_a_reference(stage: Stage) -> None:
    """Invariant 11: more than one is seen as more than one, beyond the first page too."""
    asked = order(stage)
    request = frozen(stage, asked)
    for number in range(120):
        key = effect_key(INSTALLATION, "payout.submit", UUID(asked.reference), number + 2).hex
        assert isinstance(stage.bank.submit(request._replace(key=key)), Accepted)
    stage.advance(LAG + timedelta(seconds=1))
    found = stage.bank.find(request.reference)
    assert isinstance(found, Found)
    assert len({payout.provider_id for payout in found.payouts}) == 120


def test_a_failed_look_up_is_no_empty_one(stage: Stage) -> None:
    """Invariant 11."""
    stage.break_reads()
    assert isinstance(stage.bank.find(str(uuid4())), LookUpFailed)
    [report] = stage.bank.fetch([sought("pout_00000000000001")]).values()
    assert isinstance(report, LookUpFailed)
    assert isinstance(stage.bank.check(), LookUpFailed)


def test_fetch_shows_what_it_is_asked_for_and_leaves_out_what_nobody_knows(stage: Stage) -> None:
    wanted: list[Sought] = []
    for number in range(150):
        answer = stage.bank.submit(frozen(stage, order(stage, 100 + number)))
        assert isinstance(answer, Accepted)
        if number % 5 == 0:
            wanted.append(sought(answer.payout.provider_id, answer.payout.created_at))
    seen = stage.bank.fetch([*wanted, sought("pout_never")])
    assert shown(seen) == {item.reference: item.provider_id for item in wanted}


def test_what_a_fetch_did_not_come_to_is_a_failed_look_up_and_no_absence(stage: Stage) -> None:
    """F64: what was shown before the time was over counts; of the rest nothing was said."""
    wanted: list[Sought] = []
    for number in range(120):
        answer = stage.bank.submit(frozen(stage, order(stage, 100 + number)))
        assert isinstance(answer, Accepted)
        wanted.append(sought(answer.payout.provider_id, answer.payout.created_at))
    stage.let_reads_pass(1)
    reports = stage.bank.fetch(wanted)
    assert set(reports) == {item.reference for item in wanted}
    assert len(shown(reports)) == 100
    assert sum(isinstance(report, LookUpFailed) for report in reports.values()) == 20


def test_fetch_of_nothing_is_nothing(stage: Stage) -> None:
    assert stage.bank.fetch([]) == {}


def test_every_payout_of_a_time_is_listed_once_end_excluded(stage: Stage) -> None:
    made: set[str] = set()
    times: set[datetime] = set()
    for number in range(230):
        answer = stage.bank.submit(frozen(stage))
        assert isinstance(answer, Accepted)
        made.add(answer.payout.provider_id)
        times.add(answer.payout.created_at)
        if number % 115 == 0:
            stage.advance(timedelta(seconds=2))
    first, last = min(times), max(times)
    listed = list(stage.bank.payouts_between(first, last + timedelta(seconds=1)))
    assert sorted(payout.provider_id for payout in listed) == sorted(made)
    before_last = list(stage.bank.payouts_between(first, last))
    assert {payout.created_at for payout in before_last} == times - {last}


def test_the_check_is_harmless_and_succeeds(stage: Stage) -> None:
    assert stage.bank.check() == Found(payouts=())
    assert stage.times_paid() == 0


def test_the_same_order_freezes_to_the_same_bytes(stage: Stage) -> None:
    """Invariant 4."""
    asked = order(stage)
    frozen = stage.bank.freeze(asked)
    assert frozen == stage.bank.freeze(asked._replace())
    assert frozen == frozen.strip(), "stored without what stands around it, sent with it"


def test_an_order_the_provider_would_refuse_is_not_frozen(stage: Stage) -> None:
    """Invariants 5 and 21."""
    with pytest.raises(BadInputError, match="currency"):
        stage.bank.freeze(order(stage)._replace(currency="XYZ"))
    with pytest.raises(BadInputError, match="amount"):
        stage.bank.freeze(order(stage, 0))


def shown(reports: dict[str, Report]) -> dict[str, str]:
    return {
        reference: report.provider_id
        for reference, report in reports.items()
        if isinstance(report, ProviderPayout)
    }


def sought(provider_id: str, created_at: datetime | None = None) -> Sought:
    return Sought(
        reference=str(uuid4()),
        provider_id=provider_id,
        created_at=created_at or datetime.now(UTC),
    )


def test_the_balance_is_told_in_minor_units_by_currency(stage: Stage) -> None:
    told = stage.bank.balance()
    assert isinstance(told, Balance)
    assert told.available["INR"] > 0


def test_a_balance_that_cannot_be_read_is_not_told(stage: Stage) -> None:
    stage.break_reads()
    assert isinstance(stage.bank.balance(), LookUpFailed)
