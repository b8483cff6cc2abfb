"""Banks with one habit each, for the runner's tests."""

import threading
from collections.abc import Callable
from dataclasses import replace

from domain.answers import Accepted, Answer
from domain.ports import FrozenRequest
from tests.fakes.bank import FakeBank

OPENING_SECONDS_MAX = 60.0


class CountingBank(FakeBank):
    """Knows how many calls were in flight at once."""

    def __init__(self) -> None:
        super().__init__()
        self.in_flight = 0
        self.in_flight_max = 0
        self._counting = threading.Lock()

    def submit(self, request: FrozenRequest) -> Answer:
        with self._counting:
            self.in_flight += 1
            self.in_flight_max = max(self.in_flight_max, self.in_flight)
        try:
            return super().submit(request)
        finally:
            with self._counting:
                self.in_flight -= 1


class MeetingBank(FakeBank):
    """Answers only when `together` calls are in flight at once."""

    def __init__(self, together: int) -> None:
        super().__init__()
        self.barrier = threading.Barrier(together, timeout=60)

    def submit(self, request: FrozenRequest) -> Answer:
        self.barrier.wait()
        return super().submit(request)


class OpeningBank(FakeBank):
    """Answers nobody before `together` calls are in flight at once; from then on everybody."""

    def __init__(self, together: int) -> None:
        super().__init__()
        self._coming = threading.Semaphore(together - 1)
        self._open = threading.Event()

    def submit(self, request: FrozenRequest) -> Answer:
        if not self._coming.acquire(blocking=False):
            self._open.set()
        self._open.wait(OPENING_SECONDS_MAX)
        return super().submit(request)


class SlowBank(FakeBank):
    """Takes its time."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds = seconds

    def submit(self, request: FrozenRequest) -> Answer:
        threading.Event().wait(self.seconds)
        return super().submit(request)


class RaisingBank(FakeBank):
    """Breaks, after it has paid, on references that `breaks` says."""

    def __init__(self, breaks: Callable[[str], bool]) -> None:
        super().__init__()
        self.breaks = breaks

    def submit(self, request: FrozenRequest) -> Answer:
        answer = super().submit(request)
        if self.breaks(request.reference):
            raise KeyError("an adapter's bug")
        return answer


class TwinBank(FakeBank):
    """Gives the payout `twin` the id of the payout before it: an answer that the schema refuses."""

    twin: str | None = None

    def submit(self, request: FrozenRequest) -> Answer:
        answer = super().submit(request)
        if request.reference == self.twin and isinstance(answer, Accepted):
            return Accepted(payout=replace(answer.payout, provider_id="pout_taken"))
        return answer


class GarbledBank(FakeBank):
    """Answers about the payout `about` with text that no column can hold."""

    about: str | None = None

    def submit(self, request: FrozenRequest) -> Answer:
        answer = super().submit(request)
        if request.reference == self.about and isinstance(answer, Accepted):
            return Accepted(payout=replace(answer.payout, raw_status="\x00\ud800"))
        return answer
