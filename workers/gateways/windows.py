"""Lists read by windows of time, so that what arrives meanwhile moves nothing past the reader.

A window that comes back full is cut in two. `skip` is used only where the list cannot lose an entry
it already had: under one reference, or inside one second; an entry met twice is kept once.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final

from domain.answers import ProviderPayout
from domain.ports import Sought
from workers.gateways.reads import PAGE_MAX, ReadFailedError, Reads

PAGES_MAX: Final = 100
"""Pages of one skipped list: 10,000 payouts in one second, or of one reference, are no list."""


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


def seen_of(reads: Reads, sought: Sequence[Sought], until: float) -> dict[str, ProviderPayout]:
    """Return those of `sought` that the provider shows before `until`, by provider id.

    One read where their window fits a page; a full window is cut between the sought, and what one
    second, or a window that should show it, does not show is asked for by id. Raises
    `ReadFailedError`; time running out only ends the search, where something was found.
    """
    seen: dict[str, ProviderPayout] = {}
    try:
        _see(reads, sought, until, seen)
    except ReadFailedError:
        if not seen or time.monotonic() < until:
            raise
    return seen


def _see(
    reads: Reads, sought: Sequence[Sought], until: float, seen: dict[str, ProviderPayout]
) -> None:
    windows = [sorted(sought, key=lambda item: item.created_at)] if sought else []
    while windows:
        missing = [item for item in windows.pop() if item.provider_id not in seen]
        if not missing:
            continue
        first, last = _second(missing[0].created_at), _second(missing[-1].created_at)
        payouts = reads.page({"from": first, "to": last}, 0, until)
        seen.update((payout.provider_id, payout) for payout in payouts)
        missing = [item for item in missing if item.provider_id not in seen]
        if len(payouts) >= PAGE_MAX and first < last and len(missing) > 1:
            windows += _halves(missing)
        else:
            seen.update(_by_id(reads, missing, until))


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


def _by_id(
    reads: Reads, items: Sequence[Sought], until: float
) -> Iterator[tuple[str, ProviderPayout]]:
    for item in items:
        if payout := reads.one(item.provider_id, until):
            yield payout.provider_id, payout


def _second(instant: datetime) -> int:
    return int(instant.timestamp())
