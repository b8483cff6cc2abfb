"""Start what the kept events wait for: one ring for all of the last 50 ms, however many came."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import structlog

from domain.errors import ExpectedError

PAUSE_SECONDS: Final = 0.05
log = structlog.get_logger(__name__)


class Ringer:
    """Rings at once when asked, and then at most once in 50 ms; belongs to one event loop.

    Best effort, as every ring: workers find due work by themselves within a second.
    """

    def __init__(self, ring: Callable[[], None]) -> None:
        self._ring = ring
        self._is_asked = False
        self._work: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="ringer")

    def ask(self) -> None:
        """Have it rung, now or with the next ring."""
        self._is_asked = True
        if self._work is None or self._work.done():
            self._work = asyncio.create_task(self._ring_all())

    def close(self) -> None:
        """End the thread after the ring under way."""
        self._thread.shutdown()

    async def _ring_all(self) -> None:
        loop = asyncio.get_running_loop()
        while self._is_asked:
            self._is_asked = False
            try:
                await loop.run_in_executor(self._thread, self._ring)
            except ExpectedError as error:
                log.warning("webhooks.not_rung", error=str(error))
            await asyncio.sleep(PAUSE_SECONDS)
