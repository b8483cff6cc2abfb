"""Stripe's balance transactions become lines: side, source, the charge inside an amount; what is none is refused."""

from datetime import UTC, datetime
from typing import Any

import pytest

from domain.statements import Side, Source
from domain.stripe_statement import moves_nothing, read_line

TRANSFER = {"id": "tr_1", "object": "transfer", "destination_payment": "py_1"}
LINE = {
    "id": "txn_1",
    "object": "balance_transaction",
    "amount": -1000,
    "fee": 0,
    "net": -1000,
    "currency": "inr",
    "created": 1_700_000_000,
    "type": "transfer",
    "source": TRANSFER,
}
BACK = {"id": "trr_1", "object": "transfer_reversal", "transfer": "tr_1"}


def read(**changes: object) -> Any:  # noqa: ANN401  a line, or None
    return read_line(LINE | changes, "acct_1")


def test_a_transfer_s_line() -> None:
    line = read()
    assert (line.line_id, line.account, line.side) == ("txn_1", "acct_1", Side.DEBIT)
    assert (line.amount_minor, line.fee_minor, line.currency) == (1000, 0, "INR")
    assert (line.source, line.source_id, line.utr) == (Source.PAYOUT, "tr_1", "py_1")
    assert line.occurred_at == datetime.fromtimestamp(1_700_000_000, UTC)
    assert line.balance_minor is None, "none is told, and none made up"


@pytest.mark.parametrize("transfer", ["tr_1", {"id": "tr_1", "object": "transfer"}])
def test_a_reversal_names_the_transfer_that_it_gives_back(transfer: object) -> None:
    back = BACK | {"transfer": transfer}
    line = read(type="transfer_refund", amount=400, net=400, source=back)
    assert (line.side, line.amount_minor) == (Side.CREDIT, 400)
    assert (line.source, line.source_id, line.utr) == (Source.REVERSAL, "tr_1", None)


@pytest.mark.parametrize("kind", ["transfer_cancel", "transfer_failure"])
def test_a_transfer_that_failed_is_given_back_under_its_own_name(kind: str) -> None:
    line = read(type=kind, amount=1000, net=1000)
    assert (line.source, line.source_id) == (Source.REVERSAL, "tr_1")


@pytest.mark.parametrize(
    ("kind", "source"),
    [
        ("stripe_fee", Source.FEE),
        ("stripe_fx_fee", Source.FEE),
        ("payout", Source.OTHER),
        ("refund", Source.OTHER),
        ("adjustment", Source.OTHER),
        ("something_new", Source.OTHER),
    ],
)
def test_what_is_no_transfer_names_no_payout(kind: str, source: Source) -> None:
    line = read(type=kind, source="x_1")
    assert (line.source, line.source_id) == (source, None)


def test_a_charge_inside_a_debit_is_a_part_of_it_and_one_on_income_never_came() -> None:
    line = read(fee=20, net=-1020)
    assert (line.amount_minor, line.fee_minor) == (1020, 20)
    line = read(type="charge", amount=1000, fee=30, net=970, source="ch_1")
    assert (line.side, line.amount_minor, line.fee_minor) == (Side.CREDIT, 970, 0)


def test_what_moves_nothing_of_this_balance_is_no_line() -> None:
    assert moves_nothing(LINE | {"amount": 0, "net": 0})
    assert moves_nothing(LINE | {"balance_type": "issuing"})
    assert not moves_nothing(LINE)
    assert not moves_nothing(LINE | {"net": None})
    assert not moves_nothing("txn_1")


@pytest.mark.parametrize(
    "changes",
    [
        {"id": None},
        {"object": "charge"},
        {"type": None},
        {"currency": ""},
        {"created": -1},
        {"created": "today"},
        {"amount": -999},
        {"amount": -1000.0},
        {"fee": None},
        {"net": None},
        {"net": True},
        {"source": None},
        {"source": {"object": "transfer"}},
        {"source": "py_1"},
        {"type": "transfer_refund", "source": "trr_1"},
        {"type": "transfer_refund", "source": {"object": "transfer_reversal"}},
    ],
)
def test_what_is_not_whole_is_not_a_line(changes: dict[str, object]) -> None:
    assert read(**changes) is None


@pytest.mark.parametrize("entity", [None, "txn_1", 7, [], {}])
def test_what_is_no_object_is_not_a_line(entity: object) -> None:
    assert read_line(entity, "acct_1") is None
