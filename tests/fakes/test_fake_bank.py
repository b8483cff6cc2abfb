"""The fake holds calls, and does not take a request that its row contradicts."""

import threading

import pytest

from domain.answers import Accepted, Answer, NotSent, ProviderStatus, Unknown
from domain.ports import FrozenRequest, PayoutOrder
from tests.fakes.bank import FakeBank

ORDER = PayoutOrder(
    reference="r1",
    amount_minor=1000,
    currency="INR",
    fund_account_id="fa_1",
    mode="IMPS",
    purpose="payout",
    narration="",
)


def request_of(bank: FakeBank) -> FrozenRequest:
    return FrozenRequest(
        key="0" * 32,
        body=bank.freeze(ORDER),
        reference="r1",
        amount_minor=1000,
        currency="INR",
        fund_account_id="fa_1",
    )


def test_a_held_call_pays_only_when_it_is_released() -> None:
    bank = FakeBank()
    answers: list[Answer] = []
    call = threading.Thread(target=lambda: answers.append(bank.submit(request_of(bank))))
    with bank.held() as hold:
        call.start()
        hold.wait_for(1)
        assert bank.times_paid("r1") == 0
        hold.release()
        call.join(60)
    assert isinstance(answers[0], Accepted)
    assert bank.times_paid("r1") == 1


def test_an_answer_to_order_pays_nothing_and_the_send_is_kept() -> None:
    bank = FakeBank()
    bank.script(Unknown(reason="lost"))
    assert bank.submit(request_of(bank)) == Unknown(reason="lost")
    assert bank.times_paid("r1") == 0
    assert [send.key for send in bank.submits] == ["0" * 32]


def test_a_bank_out_of_reach_gets_nothing() -> None:
    bank = FakeBank()
    bank.unreachable = "down"
    assert isinstance(bank.submit(request_of(bank)), NotSent)
    assert bank.submits == []


def test_a_payout_is_brought_to_any_word_of_the_provider() -> None:
    bank = FakeBank()
    bank.submit(request_of(bank))
    statuses = []
    for word in ("processed", "on_the_moon"):
        bank.settle("r1", word)
        statuses.append(bank.transfers[0].payout.status)
    assert statuses == [ProviderStatus.PAID, ProviderStatus.UNRECOGNISED]


def test_a_request_that_breaks_a_rule_is_a_broken_test() -> None:
    bank = FakeBank()
    good = request_of(bank)
    for bad in (
        good._replace(key="abc"),
        good._replace(amount_minor=1),
        good._replace(reference="r2"),
    ):
        with pytest.raises(AssertionError):
            bank.submit(bad)
