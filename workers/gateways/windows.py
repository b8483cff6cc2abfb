"""Lists read by windows of time, so that what arrives meanwhile moves nothing past the reader.

A window that comes back full is cut in two. `skip` is used only where the list cannot lose an entry
it already had: under one reference, or inside one second; an entry met twice is kept once.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final

from domain.answers import LookUpFailed, ProviderPayout, Report
from domain.ports import Sought
from workers.gateways.reads import PAGE_MAX, ReadFailedError, Reads

PAGES_MAX: Final = 100
"""Pages of one skipped list: 10,000 payouts in one second, or of one reference, are no list."""
SINGLES_MAX: Final = 3
"""So many are asked for by id rather than by reading on in a full second."""


class TooManyPagesError(Exception):
    """A list did not end within `PAGES_MAX` pages: nothing is concluded from a part of it."""


def whole_list(
    reads: Reads, filters: Mapping[str, str | int], until: Callable[[], float]
) -> list[ProviderPayout]:
    """Return every payout that passes `filters`, page by page to the end, each once.

    Only for filters whose list never loses entries; `until` gives each read its deadline. Raises
    `ReadFailedError` and `TooManyPagesError`.
    """
    found: dict[str, ProviderPayout] = {}
    for page in range(PAGES_MAX):
        payouts = reads.page(filters, page * PAGE_MAX, until())
        found.update((payout.provider_id, payout) for payout in payouts)
        if len(payouts) < PAGE_MAX:
            return list(found.values())
    raise TooManyPagesError


def created_between(
    reads: Reads, first: int, end: int, until: Callable[[], float]
) -> Iterator[ProviderPayout]:
    """Yield every payout created in the unix seconds `[first, end)`, oldest first.

    Raises `ReadFailedError` and `TooManyPagesError`.
    """
    windows = [(first, end)] if first < end else []
    while windows:
        low, high = windows.pop()
        # `to` is one second later than needed: right whether or not the provider includes it.
        filters = {"from": low, "to": high}
        payouts = reads.page(filters, 0, until())
        if len(payouts) >= PAGE_MAX and high - low > 1:
            middle = (low + high) // 2
            windows += [(middle, high), (low, middle)]
            continue
        if len(payouts) >= PAGE_MAX:
            payouts = whole_list(reads, filters, until)
        inside = (payout for payout in payouts if low <= payout.created_at.timestamp() < high)
        yield from sorted(inside, key=lambda payout: payout.created_at)


Shown = dict[str, ProviderPayout | None]
"""By provider id: what the provider shows, None where it says that there is no such payout."""


def reports_of(reads: Reads, sought: Sequence[Sought], until: float) -> dict[str, Report]:
    """Return what the provider says of each of `sought` before `until`, by provider id; absent: it has none.

    One read where their window fits a page; a full window is cut between the sought, a full second
    is read page by page, and what a list that should show it does not show is asked for by id. The
    first read that fails, or finds no time, ends it: what was shown counts, the rest is a failed look-up.
    """
    shown: Shown = {}
    failed: LookUpFailed | None = None
    try:
        _see(reads, sought, until, shown)
    except ReadFailedError as error:
        failed = error.failed
    reports = {item.provider_id: shown.get(item.provider_id, failed) for item in sought}
    return {id_: report for id_, report in reports.items() if report is not None}


def _see(reads: Reads, sought: Sequence[Sought], until: float, shown: Shown) -> None:
    windows = [sorted(sought, key=lambda item: item.created_at)] if sought else []
    while windows:
        missing = _not_in(shown, windows.pop())
        if not missing:
            continue
        first, last = _second(missing[0].created_at), _second(missing[-1].created_at)
        payouts = reads.page({"from": first, "to": last}, 0, until)
        shown.update((payout.provider_id, payout) for payout in payouts)
        missing = _not_in(shown, missing)
        if len(payouts) >= PAGE_MAX and first < last and len(missing) > 1:
            windows += _halves(missing)
            continue
        if len(payouts) >= PAGE_MAX and len(missing) > SINGLES_MAX:
            _read_on(reads, {"from": first, "to": last}, missing, until, shown)
        for item in _not_in(shown, missing):
            shown[item.provider_id] = reads.one(item.provider_id, until)


def _read_on(
    reads: Reads, second: Mapping[str, int], missing: Sequence[Sought], until: float, shown: Shown
) -> None:
    """Read a full second behind its first page until all of `missing` are shown, or its end."""
    for page in range(1, PAGES_MAX):
        payouts = reads.page(second, page * PAGE_MAX, until)
        shown.update((payout.provider_id, payout) for payout in payouts)
        if len(payouts) < PAGE_MAX or not _not_in(shown, missing):
            return


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
