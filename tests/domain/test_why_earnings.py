"""Why an earning is where it is: one reason for each."""

from dataclasses import replace

import pytest

from domain.earnings import EarningState
from domain.why_earnings import EarningFacts, of_earning

READY = EarningFacts(
    id="1",
    state=EarningState.READY,
    payee="Asha",
    currency="INR",
    amount=100_000,
    refunded=0,
    disputed=False,
    held=False,
    is_contested=False,
    ready="then",
    is_on_hold=False,
    last_said=None,
    payable=100_000,
    owing=0,
    account="fa_1",
    account_fault=None,
    doubted=None,
    payout=None,
    payout_state=None,
    next_batch="Monday",
)


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        (READY, "it waits for the next batch, at Monday"),
        (replace(READY, is_on_hold=True), "its hold is not over before then"),
        (replace(READY, doubted="OLD-1"), "payout OLD-1 may have paid it"),
        (replace(READY, account=None), "Asha has no default account to be paid to"),
        (replace(READY, account_fault="not active"), "account fa_1 of Asha is not active"),
        (replace(READY, payable=49_999), "Asha may be paid 499.99 INR: a batch pays 500.00 INR at least"),
        (replace(READY, owing=50_001), "Asha owes back 500.01 INR of what they were paid"),
        (replace(READY, state=EarningState.HELD, disputed=True, held=True), "people hold it"),
        (
            replace(READY, state=EarningState.HELD, disputed=True, held=True, is_contested=True),
            "a dispute about its payment is open, and its gateway tells how that ends, and people hold it too",
        ),
        (replace(READY, state=EarningState.HELD, disputed=True), "a dispute about its payment was lost"),
        (replace(READY, state=EarningState.REFUNDED), "all of it was given back"),
        (replace(READY, state=EarningState.PAID, payout="P-1"), "payout P-1 paid it"),
        (
            replace(READY, state=EarningState.BATCHED, payout="P-1", payout_state="PENDING"),
            "it is in payout P-1, which is PENDING",
        ),
        (
            replace(READY, state=EarningState.BATCHED, disputed=True, held=True, payout="P-1"),
            "people hold it, which keeps it from being sent",
        ),
    ],
)  # fmt: skip
def test_there_is_one_reason(facts: EarningFacts, reason: str) -> None:
    assert of_earning(facts, 50_000).reason.startswith(reason)


def test_the_evidence_names_what_was_said_and_given_back() -> None:
    facts = replace(READY, refunded=30_000, last_said="earning.reduce by asha: late")
    evidence = of_earning(facts, 50_000).evidence
    assert evidence[0] == "state READY, 1000.00 INR, 300.00 INR of it given back"
    assert "last said of it: earning.reduce by asha: late" in evidence
