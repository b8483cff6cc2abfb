"""Lists read by windows of time, so that what arrives meanwhile moves nothing past the reader.

A window that does not fit a page is cut in two. A list is read page after page only where it cannot
lose an entry it already had: under one reference, or inside one second; an entry met twice is kept once.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Final

from domain.answers import LookUpFailed, ProviderPayout, Report
from domain.ports import Sought
from workers.gateways.pages import Listed, Page, Pages, ReadFailedError, Within

PAGES_MAX: Final = 100
"""Pages of one list: 10,000 payouts in one second, or of one reference, are no list."""
SINGLES_MAX: Final = 3
"""So many are asked for by id rather than by reading on in a full second."""


class TooManyPagesError(Exception):
    """A list did not end within `PAGES_MAX` pages: nothing is concluded from a part of it."""


def whole_list(pages: Pages, listed: Listed, until: Callable[[], float]) -> list[ProviderPayout]:
    """Return every payout of `listed`, page by page to the end, each once.

    Only for lists that never lose entries; `until` gives each read its deadline. Raises
    `ReadFailedError` and `TooManyPagesError`.
    """
    read: list[ProviderPayout] = []
    for _ in range(PAGES_MAX):
        page = pages.page(listed, read, until())
        read += page.payouts
        if page.is_last:
            return list({payout.provider_id: payout for payout in read}.values())
    raise TooManyPagesError


def created_between(
    pages: Pages, first: int, end: int, until: Callable[[], float]
) -> Iterator[ProviderPayout]:
    """Yield every payout created in the unix seconds `[first, end)`, oldest first.

    Raises `ReadFailedError` and `TooManyPagesError`.
    """
    windows = [(first, end)] if first < end else []
    while windows:
        low, high = windows.pop()
        # One second later than needed: right whether or not the provider includes the last.
        window = Within(low, high)
        page = pages.page(window, [], until())
        if not page.is_last and high - low > 1:
            middle = (low + high) // 2
            windows += [(middle, high), (low, middle)]
            continue
        payouts = page.payouts if page.is_last else whole_list(pages, window, until)
        inside = (payout for payout in payouts if low <= payout.created_at.timestamp() < high)
        yield from sorted(inside, key=lambda payout: payout.created_at)


Shown = dict[str, ProviderPayout | None]
"""By provider id: what the provider shows, None where it says that there is no such payout."""


def reports_of(pages: Pages, sought: Sequence[Sought], until: float) -> dict[str, Report]:
    """Return what the provider says of each of `sought` before `until`, by provider id; absent: it has none.

    One read where their window fits a page; a full window is cut between the sought, a full second
    is read page by page, and what a list that should show it does not show is asked for by id. The
    first read that fails, or finds no time, ends it: what was shown counts, the rest is a failed look-up.
    """
    shown: Shown = {}
    failed: LookUpFailed | None = None
    try:
        _see(pages, sought, until, shown)
    except ReadFailedError as error:
        failed = error.failed
    reports = {item.provider_id: shown.get(item.provider_id, failed) for item in sought}
    return {id_: report for id_, report in reports.items() if report is not None}


def _see(pages: Pages, sought: Sequence[Sought], until: float, shown: Shown) -> None:
    windows = [sorted(sought, key=lambda item: item.created_at)] if sought else []
    while windows:
        missing = _not_in(shown, windows.pop())
        if not missing:
            continue
        window = Within(_second(missing[0].created_at), _second(missing[-1].created_at))
        page = pages.page(window, [], until)
        _show(shown, page)
        missing = _not_in(shown, missing)
        if not page.is_last and window.first < window.last and len(missing) > 1:
            windows += _halves(missing)
            continue
        if not page.is_last and len(missing) > SINGLES_MAX:
            _read_on(pages, window, page, missing, until, shown)
        for item in _not_in(shown, missing):
            shown[item.provider_id] = pages.one(item.provider_id, until)


def _read_on(
    pages: Pages,
    second: Within,
    page: Page,
    missing: Sequence[Sought],
    until: float,
    shown: Shown,
) -> None:
    """Read a full second behind its first `page` until all of `missing` are shown, or its end."""
    read = list(page.payouts)
    for _ in range(1, PAGES_MAX):
        page = pages.page(second, read, until)
        _show(shown, page)
        read += page.payouts
        if page.is_last or not _not_in(shown, missing):
            return


def _show(shown: Shown, page: Page) -> None:
    shown.update((payout.provider_id, payout) for payout in page.payouts)


def _not_in(shown: Shown, items: Sequence[Sought]) -> list[Sought]:
    return [item for item in items if item.provider_id not in shown]


def _halves(items: list[Sought]) -> list[list[Sought]]:
    middle = _second(items[len(items) // 2].created_at)
    older = [item for item in items if _second(item.created_at) < middle]
    newer = [item for item in items if _second(item.created_at) >= middle]
    if older:
        return [newer, older]
    # The first half of them share one second: that second, then the rest.
    return [
        [item for item in items if _second(item.created_at) > middle],
        [item for item in items if _second(item.created_at) == middle],
    ]


def _second(instant: datetime) -> int:
    return int(instant.timestamp())
