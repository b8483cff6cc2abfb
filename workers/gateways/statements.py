"""A statement read by windows of time, so that lines that are entered meanwhile move nothing past the reader.

A window that does not fit a page is cut in two; only a full second is read page after page, where a line met
twice is kept once.
"""

from collections.abc import Callable, Iterator
from typing import Final

from domain.statements import StatementLine

PAGE_MAX: Final = 100
"""The most lines that the provider puts on one page."""
PAGES_MAX: Final = 100
"""Pages of one second: 10,000 lines in it are no list."""

DAY_SECONDS: Final = 86_400
DAY_PAGES_MAX: Final = 10_000
"""Pages of one day: a million lines in it are no list."""

ReadPage = Callable[[int, int, int, float], list[StatementLine]]
"""Reads the lines from one unix second to another, newest first, beyond a number of them, before a deadline."""


ReadAfter = Callable[[int, int, str | None, float], tuple[list[StatementLine], str | None]]
"""Reads the lines from one unix second to before another, newest first, after a line's id, before a deadline.

It returns them with the id to go on after, None at the end.
"""


class TooManyLinesError(Exception):
    """A second did not end within `PAGES_MAX` pages: nothing is concluded from a part of it."""


def lines_between(
    page: ReadPage, first: int, end: int, until: Callable[[], float]
) -> Iterator[StatementLine]:
    """Yield every line of the unix seconds `[first, end)`, oldest first; `until` gives each read its deadline.

    Raises what `page` raises, and `TooManyLinesError`.
    """
    windows = [(first, end)] if first < end else []
    while windows:
        low, high = windows.pop()
        # To one second later than needed: right whether or not the provider includes it.
        lines = page(low, high, 0, until())
        if len(lines) >= PAGE_MAX and high - low > 1:
            middle = (low + high) // 2
            windows += [(middle, high), (low, middle)]
            continue
        if len(lines) >= PAGE_MAX:
            lines = _whole_second(page, low, high, until)
        yield from reversed([x for x in lines if low <= x.occurred_at.timestamp() < high])


def lines_after(
    page: ReadAfter, first: int, end: int, until: Callable[[], float]
) -> Iterator[StatementLine]:
    """Yield every line of the unix seconds `[first, end)`, oldest first, from a list that goes by cursor.

    A window that does not fit a page is cut in two, down to a day, which is read to its end and turned round
    in memory. What is entered meanwhile moves nothing past a cursor. Raises what `page` raises, and
    `TooManyLinesError`.
    """
    windows = [(first, end)] if first < end else []
    while windows:
        low, high = windows.pop()
        found, after = page(low, high, None, until())
        if after is not None and high - low > DAY_SECONDS:
            middle = (low + high) // 2
            windows += [(middle, high), (low, middle)]
            continue
        pages = 1
        while after is not None:
            if pages == DAY_PAGES_MAX:
                raise TooManyLinesError(f"more than {DAY_PAGES_MAX} pages of one day")
            lines, after = page(low, high, after, until())
            found += lines
            pages += 1
        yield from reversed(found)


def _whole_second(
    page: ReadPage, low: int, high: int, until: Callable[[], float]
) -> list[StatementLine]:
    found: dict[str, StatementLine] = {}
    for number in range(PAGES_MAX):
        lines = page(low, high, number * PAGE_MAX, until())
        found.update((line.line_id, line) for line in lines)
        if len(lines) < PAGE_MAX:
            return list(found.values())
    raise TooManyLinesError(f"more than {PAGES_MAX} pages of one second")
