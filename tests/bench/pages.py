"""`docs/benchmarks/comparison.md` and its pictures, made from the results and nothing else."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

from tests.bench import pictures
from tests.bench.peers.catalog import PEERS
from tests.bench.pictures import LIMIT, OTHERS, OURS, Bar
from tests.bench.results import Figures, Results
from tests.bench.summaries import WHOLE, Row, number, ratio, rows, spread, times, whole
from workers.bench.drain import Drain

PAGE: Final = "comparison.md"
_OURS: Final = Drain(items=1)
TITLES: Final = {
    "bursar": "**Bursar**",
    "bursar-16": "**Bursar**",
    "bursar-128": "Bursar, 128 calls at once",
    "bursar-512": "Bursar, 512 calls at once",
    "pgbench-200": "pgbench, sets of 200, 2 clients",
    "pgbench-1": "pgbench, one by one, 16 clients",
} | {peer.name: peer.title for peer in PEERS}
HOW: Final = {
    "bursar": f"as installed: 2 processes, {_OURS.concurrency} calls at once in each, sets of {_OURS.batch}",
    "pgbench-200": "the limit: the least the work needs, claim and settle, nothing around them",
    "pgbench-1": "the same, two commits a payout",
} | {peer.name: peer.how for peer in PEERS}
IDEALS: Final = {"bursar-128": 6_400.0, "bursar-512": 25_600.0}
IDEAL: Final = 800.0
"""Of 16 calls at once, 20 ms each."""
HEAD: Final = """# Bursar beside its peers

Made by `make bench-render` from the JSON files beside it, which `make bench-run` measures; what was measured already is
kept, so a run can be ended and taken up again. `make bench-test` shows that each peer does the work.

Everybody does the same: a payout is claimed, a stub gateway is called once, and in the end its status is changed, two
rows stand in the ledger and the running totals are kept. After each run SQL proves it: as many distinct calls as
payouts, all paid, two ledger rows each, their sum zero, the totals equal to them. The backlog is there first, then two
processes with eight threads (or what stands for sixteen at once) work it off, on the same embedded servers, in turns. A
rate is taken between the first and the last tenth of the calls, so nobody pays for starting.

**What favours the peers.** They pay by the best single-item SQL we know, the statements prepared, on whole numbers as
keys, totals in sixteen stripes so that nobody waits for a hot row. They keep no frozen request, no history, no answers,
no balance of each payee. Bursar runs as it is installed, with all of these. Slower ones are given fewer payouts; their
rate is steady.
"""
WAKING: Final = """
From enqueueing one job to its first line; two idle workers with eight threads, or what stands for sixteen at once.
Bursar's is a run: committed in Postgres, rung for through Redis, and noted by its first statement."""


def render(results: Results, folder: Path) -> None:
    """Write the page and its pictures."""
    parts = (_machine, _effect, _slow, _due, _history, _processes, _start)
    texts = [HEAD, *("\n".join(part(results, folder)) + "\n" for part in parts)]
    (folder / PAGE).write_text("\n".join(text for text in texts if text.strip()), encoding="utf-8")


def _table(head: Sequence[str], body: Sequence[Sequence[str]]) -> Iterator[str]:
    yield ""
    yield f"| {' | '.join(head)} |"
    yield "|" + "---|" * len(head)
    for cells in body:
        yield f"| {' | '.join(cells)} |"


def _machine(results: Results, _folder: Path) -> Iterator[str]:
    for record in results.of("machine"):
        yield f"**Measured with** {', '.join(f'{name}: {value}' for name, value in record.items())}."


def _effect(results: Results, folder: Path) -> Iterator[str]:
    records = results.of("effect")
    found = sorted(rows(records), key=lambda row: -row.figure.median)
    wholes = {row.subject: row.figure for row in rows(records, WHOLE)}
    if not found:
        return
    yield "## A gateway that answers at once"
    body = []
    for row in found:
        ours = ratio(records, "bursar", row.subject)
        body.append(
            [
                TITLES[row.subject],
                whole(row.items),
                spread(row.figure, whole),
                whole(wholes[row.subject].median),
                spread(ours, times) if ours and row.subject != "bursar" else "",
                HOW[row.subject],
            ]
        )
    yield from _table(["who", "payouts", "a second", "whole run", "Bursar is … times", "how"], body)
    yield from _ahead([row.subject for row in found])
    bars = [_bar(row, whole) for row in found]
    pictures.bars(folder / "effect.svg", "Payouts a second", "a second", bars, log=True)
    yield from _picture("effect", "Payouts a second, each peer")


def _slow(results: Results, folder: Path) -> Iterator[str]:
    found = rows(results.of("slow"))
    if not found:
        return
    yield "## A gateway that takes 20 ms"
    yield ""
    yield "Sixteen calls at once allow 800 a second; where more is asked at once, the ideal is higher."
    found.sort(key=lambda row: -row.figure.median)
    shares = {row.subject: row.figure.median / IDEALS.get(row.subject, IDEAL) for row in found}
    body = [
        [
            TITLES[row.subject],
            whole(row.items),
            spread(row.figure, whole),
            whole(IDEALS.get(row.subject, IDEAL)),
            f"{shares[row.subject]:.3f}",
        ]
        for row in found
    ]
    yield from _table(["who", "payouts", "a second", "ideal", "share of it"], body)
    yield from _ahead([row.subject for row in found])
    bars = [_bar(row, whole) for row in found if row.subject not in IDEALS]
    title = "Payouts a second, 16 calls of 20 ms at once (ideal: 800)"
    pictures.bars(folder / "slow.svg", title, "a second", bars)
    yield from _picture("slow", title)


def _sizes(results: Results, folder: Path, part: str, title: str, what: str) -> Iterator[str]:
    found = rows(results.of(part), WHOLE)
    if not found:
        return
    found.sort(key=lambda row: int(row.subject))
    yield f"## {title}"
    body = [[whole(float(row.subject)), spread(row.figure, whole)] for row in found]
    yield from _table([what, "payouts a second"], body)
    bars = [_bar(row, whole, whole(float(row.subject))) for row in found]
    pictures.line(folder / f"{part}.svg", title, (what, "payouts a second"), bars)
    yield from _picture(part, title)


def _due(results: Results, folder: Path) -> Iterator[str]:
    yield from _sizes(results, folder, "due", "Cost against what is due", "payouts due")


def _history(results: Results, folder: Path) -> Iterator[str]:
    title = "Cost against what is finished"
    yield from _sizes(results, folder, "history", title, "finished payouts")


def _processes(results: Results, folder: Path) -> Iterator[str]:
    yield from _sizes(results, folder, "processes", "More processes", "worker processes")


def _start(results: Results, folder: Path) -> Iterator[str]:
    records = results.of("start")
    if not records:
        return
    yield "## Waking up, and waiting"
    yield WAKING
    body = [
        [
            TITLES[str(r["subject"])],
            _triple(r["often_ms"]),
            _triple(r["seldom_ms"]),
            f"{number(r, 'start_seconds'):.1f} s",
            f"{number(r, 'megabytes'):.0f} MB in {r['processes']}",
            f"{number(r, 'largest_megabytes'):.0f} MB",
            f"{number(r, 'idle_percent'):.1f} %, {number(r, 'idle_percent_largest'):.1f} %",
            f"{number(r, 'servers_idle_percent'):.1f} %",
        ]
        for r in records
    ]
    yield from _table(
        [
            *("who", "25 a second: p50 / p95 / p99 ms", "one a second", "start to first job"),
            *("memory, processes", "largest", "idle: all, busiest", "servers meanwhile"),
        ],
        body,
    )
    by_p50 = sorted(records, key=lambda record: _three(record["often_ms"])[0])
    yield from _ahead([str(record["subject"]) for record in by_p50])
    pictures.bars(
        folder / "start.svg",
        "Enqueue to start at 25 a second: p50, whisker to p99",
        "ms",
        [_wake(record) for record in records],
        log=True,
    )
    yield from _picture("start", "Enqueue to start")


def _ahead(best_first: Sequence[str]) -> Iterator[str]:
    """Say which peers are ahead of Bursar, whose forms other than the plain one do not count."""
    peers = {peer.name for peer in PEERS}
    places = [n for n, subject in enumerate(best_first) if subject in {"bursar", "bursar-16"}]
    ahead = [
        TITLES[subject] for subject in best_first[: min(places, default=0)] if subject in peers
    ]
    yield ""
    yield f"Ahead of Bursar here: {', '.join(ahead) or 'none of them'}."


def _wake(record: Figures) -> Bar:
    p50, _, p99 = _three(record["often_ms"])
    subject = str(record["subject"])
    return Bar(
        label=_plain(subject),
        value=p50,
        lowest=p50,
        highest=p99,
        shown=f"{p50:.1f} / {p99:.0f}",
        colour=_colour(subject),
    )


def _three(value: object) -> list[float]:
    if not isinstance(value, list):
        raise TypeError(f"{value!r} are no percentiles")
    return [float(one) for one in value]


def _triple(value: object) -> str:
    return " / ".join(f"{one:.1f}" for one in _three(value))


def _bar(row: Row, shown: Callable[[float], str], label: str | None = None) -> Bar:
    return Bar(
        label=label or _plain(row.subject),
        value=row.figure.median,
        lowest=row.figure.lowest,
        highest=row.figure.highest,
        shown=shown(row.figure.median),
        colour=_colour(row.subject),
    )


def _plain(subject: str) -> str:
    return TITLES[subject].strip("*")


def _colour(subject: str) -> str:
    if subject.startswith("pgbench"):
        return LIMIT
    return OURS if subject.startswith("bursar") else OTHERS


def _picture(part: str, says: str) -> Iterator[str]:
    yield ""
    yield f"![{says}]({part}.svg)"
