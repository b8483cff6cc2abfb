"""Events are committed in sets, each sender is answered for its own, and nobody waits for long."""

import asyncio
import threading
from collections.abc import Sequence

import pytest

from domain.errors import UnreachableError
from domain.inbox import VerifiedEvent
from workers.web import keeping
from workers.web.keeping import SET_MAX, Keeper
from workers.web.ringing import Ringer


def event(number: int, size: int = 2) -> VerifiedEvent:
    return VerifiedEvent(
        provider="razorpayx",
        event_id=f"evt_{number}",
        type="payout.processed",
        entity=None,
        occurred_at=None,
        body=b"x" * size,
    )


class Store:
    """Keeps what it is given, when the gate is open; `refuses` is raised instead."""

    def __init__(self) -> None:
        self.sets: list[list[str]] = []
        self.gate = threading.Event()
        self.begun = threading.Event()
        self.refuses: Exception | None = None

    def __call__(self, events: Sequence[VerifiedEvent]) -> set[tuple[str, str]]:
        self.begun.set()
        assert self.gate.wait(60)
        if self.refuses:
            raise self.refuses
        known = {one for some in self.sets for one in some}
        self.sets.append([e.event_id for e in events])
        return {(e.provider, e.event_id) for e in events} - {("razorpayx", one) for one in known}


async def kept(keeper: Keeper, *numbers: int, size: int = 2) -> list[bool | BaseException]:
    """Keep events at the same time."""
    waits = (keeper.keep(event(n, size)) for n in numbers)
    return await asyncio.gather(*waits, return_exceptions=True)


def test_what_comes_while_one_is_written_is_one_set() -> None:
    store = Store()
    keeper = Keeper(store)

    async def all_of_them() -> list[bool]:
        first = asyncio.create_task(keeper.keep(event(0)))
        assert await asyncio.to_thread(store.begun.wait, 60)
        others = [asyncio.create_task(keeper.keep(event(n))) for n in range(1, 40)]
        await asyncio.to_thread(store.begun.wait, 60)
        store.gate.set()
        return list(await asyncio.gather(first, *others))

    assert asyncio.run(all_of_them()) == [True] * 40
    keeper.close()
    assert [len(some) for some in store.sets] == [1, 39]


def test_a_set_is_bounded_by_number_and_by_size(monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store()
    store.gate.set()
    keeper = Keeper(store)
    asyncio.run(kept(keeper, *range(2 * SET_MAX + 1)))
    assert [len(some) for some in store.sets] == [SET_MAX, SET_MAX, 1]

    store.sets.clear()
    monkeypatch.setattr(keeping, "SET_BYTES_MAX", 100)
    asyncio.run(kept(keeper, *range(5), size=60))
    keeper.close()
    assert [len(some) for some in store.sets] == [2, 2, 1]


def test_each_hears_whether_its_own_was_new() -> None:
    store = Store()
    store.gate.set()
    keeper = Keeper(store)
    assert asyncio.run(kept(keeper, 1, 2)) == [True, True]
    assert asyncio.run(kept(keeper, 2, 3)) == [False, True]
    keeper.close()


def test_a_set_that_cannot_be_committed_is_nobodys_and_the_next_one_can() -> None:
    store = Store()
    store.gate.set()
    store.refuses = UnreachableError("gone")
    keeper = Keeper(store)
    refused = asyncio.run(kept(keeper, 1, 2))
    assert [type(one) for one in refused] == [UnreachableError] * 2

    store.refuses = None
    assert asyncio.run(kept(keeper, 1, 2)) == [True, True]
    keeper.close()


def test_a_defect_harms_those_of_its_set_and_nobody_after_them() -> None:
    store = Store()
    store.gate.set()
    store.refuses = ZeroDivisionError()
    keeper = Keeper(store)
    told: list[dict[str, object]] = []

    async def first_and_then() -> bool:
        asyncio.get_running_loop().set_exception_handler(
            lambda _loop, context: told.append(context)
        )
        with pytest.raises(UnreachableError):
            await keeper.keep(event(1))
        store.refuses = None
        return await keeper.keep(event(2))

    assert asyncio.run(first_and_then()) is True
    keeper.close()
    assert isinstance(told[0]["exception"], ZeroDivisionError)


def test_who_waits_too_long_is_told_to_come_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """F77: a database that does not answer."""
    monkeypatch.setattr(keeping, "KEEP_SECONDS_MAX", 0.05)
    store = Store()
    keeper = Keeper(store)
    refused = asyncio.run(kept(keeper, 1, 2))
    assert [type(one) for one in refused] == [UnreachableError] * 2

    store.gate.set()
    assert asyncio.run(kept(keeper, 3)) == [True]
    keeper.close()
    assert "evt_2" not in store.sets[-1]


class Bell:
    """Counts its rings; each waits for the gate, and `refuses` is raised once."""

    def __init__(self, *, refuses: Exception | None = None) -> None:
        self.begun = threading.Semaphore(0)
        self.gate = threading.Event()
        self.rings = 0
        self.refuses = refuses

    def __call__(self) -> None:
        self.rings += 1
        self.begun.release()
        assert self.gate.wait(60)
        refused, self.refuses = self.refuses, None
        if refused:
            raise refused

    async def rung(self) -> bool:
        """Wait for the next ring to begin."""
        return await asyncio.to_thread(self.begun.acquire, timeout=60)


def test_a_burst_is_rung_for_at_once_and_once_more() -> None:
    """F78."""
    bell = Bell()

    async def burst() -> None:
        ringer = Ringer(bell)
        ringer.ask()
        assert await bell.rung()
        for _ in range(200):
            ringer.ask()
        bell.gate.set()
        assert await bell.rung()
        ringer.close()

    asyncio.run(burst())
    assert bell.rings == 2


def test_a_ring_that_fails_is_not_the_last() -> None:
    bell = Bell(refuses=UnreachableError("the database is away"))
    bell.gate.set()

    async def twice() -> None:
        ringer = Ringer(bell)
        for _ in range(2):
            ringer.ask()
            assert await bell.rung()
        ringer.close()

    asyncio.run(twice())
    assert bell.rings == 2
