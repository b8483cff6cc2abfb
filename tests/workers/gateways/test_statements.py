"""Statements read by windows: or by cursor, a full second page by page: each line once."""

from datetime import UTC, datetime

import pytest

from domain.statements import Side, Source, StatementLine
from workers.gateways.statements import (
    PAGE_MAX,
    PAGES_MAX,
    TooManyLinesError,
    lines_after,
    lines_between,
)

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


class Cursor(Entering):
    """The same list, read by cursor."""

    def after(
        self, first: int, end: int, after: str | None, _until: float
    ) -> tuple[list[StatementLine], str | None]:
        self.reads += 1
        found = [x for x in self.lines[::-1] if first <= x.occurred_at.timestamp() < end]
        self.lines.append(line(self.grows_in, len(self.lines)))
        names = [x.line_id for x in found]
        start = 0 if after is None else names.index(after) + 1
        page = found[start : start + PAGE_MAX]
        return page, page[-1].line_id if start + PAGE_MAX < len(found) else None


def test_what_is_entered_meanwhile_moves_nothing_past_a_cursor() -> None:
    seconds = sorted([FIRST + n * 500 for n in range(600)] + [FIRST + 7] * 350)
    bank = Cursor(seconds, grows_in=FIRST + 300_000)
    seen = list(lines_after(bank.after, FIRST, FIRST + 300_001, lambda: 0.0))
    names = [x.line_id for x in seen]
    assert len(names) == len(set(names))
    assert {f"txn_{n}" for n in range(len(seconds))} <= set(names)
    assert [x.occurred_at for x in seen] == sorted(x.occurred_at for x in seen)


def test_a_day_without_end_concludes_nothing() -> None:
    with pytest.raises(TooManyLinesError):
        list(lines_after(lambda *_: ([], "txn_1"), FIRST, FIRST + 1, lambda: 0.0))
