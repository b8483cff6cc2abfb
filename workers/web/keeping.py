"""Events written down in sets: whatever came while one transaction was under way is the next one.

So one connection is enough for any number of senders, a lone event waits for nobody, and a burst
costs fewer commits, not more. A sender is answered when its event's set is committed, or told to come
again when that takes too long: it does, and the event is the same row.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from domain.errors import ExpectedError, UnreachableError
from domain.inbox import VerifiedEvent

KEEP_SECONDS_MAX: Final = 1.5
"""How long a sender waits for the commit."""
SET_MAX: Final = 100
SET_BYTES_MAX: Final = 4 * 1024 * 1024

Keep = Callable[[Sequence[VerifiedEvent]], set[tuple[str, str]]]
"""Commits events; returns (provider, event id) of the new ones. Raises `ExpectedError`."""


@dataclass(frozen=True, slots=True, eq=False)
class _Waiting:
    event: VerifiedEvent
    is_new: asyncio.Future[bool]


class Keeper:
    """Takes events one at a time and commits them in sets; belongs to one event loop."""

    def __init__(self, keep: Keep) -> None:
        self._keep = keep
        self._waiting: deque[_Waiting] = deque()
        self._work: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="inbox")

    async def keep(self, event: VerifiedEvent) -> bool:
        """Return once `event` is committed: True where it is new, False where it was there already.

        Raises `ExpectedError` where it is not known to be, after 1.5 s at the latest.
        """
        mine = _Waiting(event, asyncio.get_running_loop().create_future())
        self._waiting.append(mine)
        if self._work is None or self._work.done():
            self._work = asyncio.create_task(self._keep_all())
        try:
            return await asyncio.wait_for(mine.is_new, KEEP_SECONDS_MAX)
        except TimeoutError:
            raise UnreachableError("the event is not known to be committed in time") from None
        finally:
            if mine in self._waiting:
                self._waiting.remove(mine)

    def close(self) -> None:
        """End the thread after the set it is writing."""
        self._thread.shutdown()

    async def _keep_all(self) -> None:
        loop = asyncio.get_running_loop()
        while some := self._take():
            try:
                new = await loop.run_in_executor(self._thread, self._keep, [w.event for w in some])
            except ExpectedError as error:
                for one in _still_there(some):
                    one.is_new.set_exception(error)
            else:
                for one in _still_there(some):
                    one.is_new.set_result((one.event.provider, one.event.event_id) in new)

    def _take(self) -> list[_Waiting]:
        """The oldest that make a set; none where nobody waits."""
        taken: list[_Waiting] = []
        size = 0
        while self._waiting and len(taken) < SET_MAX and size < SET_BYTES_MAX:
            taken.append(self._waiting.popleft())
            size += len(taken[-1].event.body)
        return taken


def _still_there(some: list[_Waiting]) -> list[_Waiting]:
    return [one for one in some if not one.is_new.done()]
