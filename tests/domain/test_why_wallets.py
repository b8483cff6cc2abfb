"""Why what is left of a wallet is where it is: one reason, the strongest."""

from dataclasses import replace

import pytest

from domain.batching import Period
from domain.payees import PayeeKind
from domain.why_wallets import WalletFacts, of_wallet

FACTS = WalletFacts(
    id="w",
    payee="asha",
    kind=PayeeKind.PERSON,
    currency="INR",
    balance=100_000,
    left=100_000,
    period=Period.WEEK,
    minimum=None,
    is_opted_out=False,
    account="fa_1",
    account_fault=None,
    under_way=(),
    paid_by=None,
    next_batch="Monday",
)


@pytest.mark.parametrize(
    ("changes", "reason", "command"),
    [
        ({"left": 0, "balance": 0}, "it is empty", None),
        ({"left": 0}, "all it holds is in payouts that wait", None),
        ({"is_opted_out": True}, "opted out", 'bursar wallets set w --opt-in --why "…"'),
        ({"left": 49_999}, "499.99 INR are left: a batch pays 500.00 INR at least", None),
        (
            {"minimum": 100_001},
            "1000.00 INR are left: its owner wants 1000.01 INR at least",
            None,
        ),
        ({"account": None}, "no default account", "bursar import payees FILE"),
        (
            {"account_fault": "not verified"},
            "not verified",
            'bursar payees set "asha" --account fa_1 --verified --why "…"',
        ),
        (
            {"account_fault": "not active"},
            "not active",
            'bursar payees set "asha" --account ANOTHER --default --why "…"',
        ),
        ({"paid_by": "batch:x"}, "once in a week, and payout batch:x was made of it", None),
        ({}, "next batch, at Monday", "bursar enqueue payouts.batch --dry-run"),
        (
            {"next_batch": None},
            "at no time that is known",
            "bursar enqueue payouts.batch --dry-run",
        ),
        (
            {"kind": PayeeKind.ORGANISATION},
            "next batch",
            "bursar enqueue payouts.org_batch --dry-run",
        ),
    ],
)
def test_the_strongest_reason_is_told_with_what_to_do(
    changes: dict[str, object], reason: str, command: str | None
) -> None:
    told = of_wallet(replace(FACTS, **changes), 50_000)  # type: ignore[arg-type]  # by name
    assert reason in told.reason
    assert told.command == command


def test_what_is_under_way_and_what_the_owner_wants_is_evidence() -> None:
    facts = replace(FACTS, minimum=70_000, under_way=("P is APPROVED",))
    assert of_wallet(facts, 50_000).evidence == (
        "holds 1000.00 INR, 1000.00 INR are left",
        "paid at most once in a week, at least 700.00 INR",
        "payout P is APPROVED",
    )
