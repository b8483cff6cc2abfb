"""The stage that acts outside: up to `concurrency` calls in flight, on threads started as needed.

Slow calls travel singly, cheap ones in chunks, so that handing over never costs more than calling.
"""

import queue
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final, Generic

import structlog

from jobs.shapes import Answer, Ask, Drain, ItemT, ResultT
from workers.runner.book import Book
from workers.tracing import Span

log = structlog.get_logger(__name__)

CHUNK_SECONDS: Final = 0.002
CHUNK_MAX: Final = 64


class Callers(Generic[ItemT, ResultT]):
    """Takes items, returns answers through `answered`, and items it may not start through `unstarted`."""

    def __init__(
        self,
        job: Drain[ItemT, ResultT],
        book: Book,
        concurrency: int,
        answered: Callable[[list[Answer[ItemT, ResultT]]], None],
        unstarted: Callable[[list[ItemT]], None],
        stop: threading.Event,
        span: Span,
    ) -> None:
        self.job, self.book, self.concurrency, self.span = job, book, concurrency, span
        self.answered, self.unstarted, self.stop_asked = answered, unstarted, stop
        self.call_seconds = 0.01  # a moving average; the first guess makes the first chunks single
        self._chunks: queue.SimpleQueue[list[ItemT] | None] = queue.SimpleQueue()
        self._waiting = 0
        self._idle = 0
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._calling: dict[int, list[ItemT]] = {}
        self._stopping = False

    @property
    def waiting(self) -> int:
        """Items handed in whose call has not begun."""
        return self._waiting

    def put(self, items: Sequence[ItemT]) -> None:
        """Hand in items; threads are started while fewer are free than there is to do."""
        size = self._chunk_size()
        chunks = [list(items[i : i + size]) for i in range(0, len(items), size)]
        with self._lock:
            self._waiting += len(items)
            missing = min(
                len(chunks) + self._chunks.qsize() - self._idle,
                self.concurrency - len(self._threads),
            )
        for chunk in chunks:
            self._chunks.put(chunk)
        for _ in range(max(0, missing)):
            thread = threading.Thread(
                target=self._call_until_stopped, name=f"caller-{self.job.name}", daemon=True
            )
            self._threads.append(thread)
            thread.start()

    def take_back(self) -> list[ItemT]:
        """Return every item whose call has not begun; those of a chunk under way come as unstarted."""
        self._stopping = True
        items: list[ItemT] = []
        while True:
            try:
                chunk = self._chunks.get_nowait()
            except queue.Empty:
                return items
            if chunk is not None:
                self._begin(chunk)
                items += chunk

    def stop(self, timeout_seconds: float) -> list[ItemT]:
        """End the threads once their calls have; returns the items still being called about."""
        for _ in self._threads:
            self._chunks.put(None)
        limit = time.monotonic() + timeout_seconds
        for thread in self._threads:
            thread.join(max(0.0, limit - time.monotonic()))
        return [item for items in list(self._calling.values()) for item in items]

    def _chunk_size(self) -> int:
        if isinstance(self.job, Ask):
            return self.job.page_max
        return max(1, min(CHUNK_MAX, int(CHUNK_SECONDS / max(self.call_seconds, 1e-7))))

    def _call_until_stopped(self) -> None:
        while True:
            with self._lock:
                self._idle += 1
            chunk = self._chunks.get()
            with self._lock:
                self._idle -= 1
            if chunk is None:
                return
            self._begin(chunk)
            self._call(chunk)

    def _begin(self, chunk: Sequence[ItemT]) -> None:
        with self._lock:
            self._waiting -= len(chunk)

    def _call(self, items: list[ItemT]) -> None:
        begun = time.monotonic()
        self._calling[threading.get_ident()] = items
        job = self.job
        with self.span.stage("call", items=len(items)):
            answers, unstarted = self._ask(job, items) if isinstance(job, Ask) else self._act(items)
        del self._calling[threading.get_ident()]
        if answers:
            taken = (time.monotonic() - begun) / len(answers)
            self.call_seconds += (taken - self.call_seconds) * 0.2
            self.answered(answers)
        if unstarted:
            self.unstarted(unstarted)

    def _act(self, items: list[ItemT]) -> tuple[list[Answer[ItemT, ResultT]], list[ItemT]]:
        """One call each; whether there is time left for it is asked before each."""
        answers, unstarted = list[Answer[ItemT, ResultT]](), list[ItemT]()
        for item in items:
            if self._stopping or self.stop_asked.is_set() or not self._still_mine(item):
                unstarted.append(item)
            else:
                answers.append(Answer(item, self._result(item)))
        return answers, unstarted

    def _result(self, item: ItemT) -> ResultT:
        try:
            return self.job.effect(item, partial(self._still_mine, item))
        except Exception as error:  # an adapter's bug: nobody can know what it did
            log.exception("effect.broke", job=self.job.name)
            return self.job.broke(item, error)

    def _ask(
        self, job: Ask[ItemT, ResultT], items: list[ItemT]
    ) -> tuple[list[Answer[ItemT, ResultT]], list[ItemT]]:
        """One read for all that have time left for it."""
        mine = [item for item in items if self._still_mine(item)]
        kept = {id(item) for item in mine}
        results = self._results(job, mine) if mine else []
        answers = [Answer(item, result) for item, result in zip(mine, results, strict=True)]
        return answers, [item for item in items if id(item) not in kept]

    @staticmethod
    def _results(job: Ask[ItemT, ResultT], items: list[ItemT]) -> Sequence[ResultT]:
        try:
            return job.ask(items)
        except Exception as error:  # an adapter's bug: the read says nothing about any of them
            log.exception("effect.broke", job=job.name)
            return [job.broke(item, error) for item in items]

    def _still_mine(self, item: ItemT) -> bool:
        return self.book.has_time(item.held.subject, self.job.call_seconds_max)
