"""Statements read by windows: a full second page by page, each line once; and a provider that tells none."""

from datetime import UTC, datetime, timedelta

import pytest

from domain.errors import RefusedError
from domain.statements import Side, Source, StatementLine
from workers.gateways.statements import PAGE_MAX, PAGES_MAX, TooManyLinesError, lines_between
from workers.gateways.stripe import Stripe

FIRST = 1_700_000_000


def line(second: int, number: int) -> StatementLine:
    return StatementLine(
        line_id=f"txn_{number}",
        account="1",
        occurred_at=datetime.fromtimestamp(second, UTC),
        side=Side.DEBIT,
        amount_minor=1,
        fee_minor=0,
        currency="INR",
        balance_minor=-number,
        utr=None,
        source=Source.OTHER,
        source_id=None,
    )


class Entering:
    """A list that grows by a line at each read, newest first."""

    def __init__(self, seconds: list[int], *, grows_in: int) -> None:
        self.lines = [line(second, number) for number, second in enumerate(seconds)]
        self.grows_in, self.reads = grows_in, 0

    def page(self, first: int, last: int, skip: int, _until: float) -> list[StatementLine]:
        self.reads += 1
        found = [x for x in self.lines[::-1] if first <= x.occurred_at.timestamp() <= last]
        self.lines.append(line(self.grows_in, len(self.lines)))
        return found[skip : skip + PAGE_MAX]


def test_lines_that_are_entered_meanwhile_hide_none() -> None:
    seconds = sorted([FIRST + n // 30 for n in range(600)] + [FIRST + 7] * 350)
    bank = Entering(seconds, grows_in=FIRST + 19)
    seen = [x.line_id for x in lines_between(bank.page, FIRST, FIRST + 20, lambda: 0.0)]
    assert len(seen) == len(set(seen))
    assert {f"txn_{n}" for n in range(len(seconds))} <= set(seen)


def test_a_second_without_end_concludes_nothing() -> None:
    bank = Entering([FIRST] * (PAGE_MAX * PAGES_MAX + 1), grows_in=FIRST + 100)
    with pytest.raises(TooManyLinesError):
        list(lines_between(bank.page, FIRST, FIRST + 1, lambda: 0.0))


def test_no_time_is_no_read() -> None:
    bank = Entering([FIRST], grows_in=FIRST)
    assert list(lines_between(bank.page, FIRST, FIRST, lambda: 0.0)) == []
    assert bank.reads == 0


def test_a_provider_without_running_balances_tells_no_statement() -> None:
    now = datetime.now(UTC)
    with (
        Stripe(
            url="http://127.0.0.1:1",
            api_key="sk_test_1",
            account="acct_1",
            timeout_seconds=1.0,
            connections_max=1,
        ) as bank,
        pytest.raises(RefusedError, match="bring it as a file"),
    ):
        bank.statement(now - timedelta(days=1), now)
