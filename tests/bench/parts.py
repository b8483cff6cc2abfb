"""What is measured: parts, each a list of subjects that take turns."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Final

from tests.bench import effects, limits, sizes, starts
from tests.bench.effects import Rate
from tests.bench.peers.catalog import PEERS
from tests.bench.results import Figures
from workers.bench.drain import Drain
from workers.bench.stand import Stand

SLOW_SECONDS: Final = 0.02
ITEMS: Final = 20_000
FLIGHTS: Final = {16: 3_200, 128: 12_800, 512: 20_000}
"""Calls at once, and payouts."""
MILLION: Final = 1_000_000
DUE: Final = (1_000, 100_000, MILLION)
HISTORY: Final = (0, MILLION)
PROCESSES: Final = (1, 2, 4, 8)
SOME_SECONDS: Final = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One subject of a part."""

    subject: str
    run: Callable[[], Figures]


@dataclass(slots=True)
class Bench:
    """What the parts stand on; `share` of every size is measured, 1 for figures, less to try."""

    stand: Stand
    share: float = 1.0
    kept: ExitStack = field(default_factory=ExitStack)
    """Databases that are filled once and serve every turn."""

    def of(self, items: int) -> int:
        """How many that is at this share."""
        return max(20, int(items * self.share))

    def effect(self) -> Iterator[Turn]:
        """Yield everybody at a gateway that answers at once, with the limits."""
        bursar = Drain(items=self.of(ITEMS))
        yield _rate("bursar", partial(effects.of_bursar, self.stand, bursar))
        for name, items, clients, size in (
            ("pgbench-200", 100_000, 2, 200),
            ("pgbench-1", 16_000, 16, 1),
        ):
            run = partial(limits.of_pgbench, items=self.of(items), clients=clients, size=size)
            yield _rate(name, partial(run, self.stand))
        for peer in PEERS:
            yield _rate(peer.name, partial(effects.of_peer, self.stand, peer, self.of(peer.items)))

    def slow(self) -> Iterator[Turn]:
        """Yield everybody at a gateway of 20 ms, 16 calls at once; Bursar with more too."""
        for calls, items in FLIGHTS.items():
            plan = Drain(items=self.of(items), gateway_seconds=SLOW_SECONDS, concurrency=calls // 2)
            yield _rate(f"bursar-{calls}", partial(effects.of_bursar, self.stand, plan))
        for peer in PEERS:
            run = partial(effects.of_peer, self.stand, peer, self.of(peer.slow_items))
            yield _rate(peer.name, partial(run, SLOW_SECONDS))

    def due(self) -> Iterator[Turn]:
        """Yield drains of some seconds out of more and more that is due."""
        for rows in DUE:
            size = self.of(rows)
            if rows == DUE[0]:
                yield _rate(str(rows), partial(effects.of_bursar, self.stand, Drain(items=size)))
            else:
                url = self._once(partial(sizes.due, self.stand, size))
                yield _rate(str(rows), partial(self._some, url))

    def _some(self, url: Callable[[], str]) -> Rate:
        rate = sizes.some(url(), Drain(items=ITEMS), SOME_SECONDS * min(1.0, 10 * self.share))
        sizes.more(url(), rate.items)  # as many are due at the next turn
        return rate

    def history(self) -> Iterator[Turn]:
        """Yield drains in front of more and more that is finished."""
        for rows in HISTORY:
            url = self._once(partial(sizes.history, self.stand, self.of(rows) if rows else 0))
            yield _rate(str(rows), partial(self._behind, url))

    def _behind(self, url: Callable[[], str]) -> Rate:
        sizes.more(url(), self.of(ITEMS))
        return sizes.some(url(), Drain(items=ITEMS), 600.0)

    def processes(self) -> Iterator[Turn]:
        """Yield drains by more and more processes."""
        for count in PROCESSES:
            plan = Drain(items=self.of(ITEMS), processes=count)
            yield _rate(str(count), partial(effects.of_bursar, self.stand, plan))

    def start(self) -> Iterator[Turn]:
        """Yield everybody waking up."""
        yield Turn(subject="bursar", run=lambda: asdict(starts.of_bursar(self.stand)))
        for peer in PEERS:
            run = partial(starts.of_peer, self.stand, peer)
            yield Turn(subject=peer.name, run=partial(_as_figures, run))

    def _once(self, make: Callable[[], object]) -> Callable[[], str]:
        """Make a database when it is first asked for, and keep it."""
        made: list[str] = []

        def url() -> str:
            if not made:
                made.append(self.kept.enter_context(make()))  # type: ignore[arg-type]  # a context of a URL
            return made[0]

        return url


PARTS: Final[dict[str, Callable[[Bench], Iterator[Turn]]]] = {
    "effect": Bench.effect,
    "slow": Bench.slow,
    "processes": Bench.processes,
    "due": Bench.due,
    "history": Bench.history,
    "start": Bench.start,
}


def _rate(subject: str, run: Callable[[], Rate]) -> Turn:
    return Turn(subject=subject, run=partial(_as_figures, run))


def _as_figures(run: Callable[[], Rate | starts.Start]) -> Figures:
    return asdict(run())
