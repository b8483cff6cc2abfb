"""Every benchmark one after another, as rows of one table: the figure, what it is held against, the ratio."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Final

from workers.bench.drain import Drain
from workers.bench.lines import Line, number, ratio, spread
from workers.bench.report import (
    Report,
    Told,
    apply_report,
    drain_report,
    import_report,
    system_report,
    wake_report,
    webhooks_report,
)
from workers.bench.stand import Stand

COLUMNS: Final = ("what", "figure", "spread", "against", "ratio", "goal")
STEPS: Final = 10
PROCESSES: Final = 2
SLOW_GATEWAY_SECONDS: Final = 0.02
FLIGHTS: Final = ((16, "0.97"), (128, "0.97"), (512, "0.90"))
SLOW_SECONDS: Final = 5.0
"""How long a drain through a slow gateway is to take, at its ideal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """How much is measured."""

    items: int = 20_000
    many: int = 100_000
    few: int = 1_000
    runs: int = 3


def everything(stand: Stand, sizes: Sizes, told: Told) -> Iterator[dict[str, object]]:
    """Yield the rows as they are known."""
    main = drain_report(stand, Drain(items=sizes.items), sizes.runs, _silent)
    parts = (
        _drains(stand, sizes, told, main),
        _slow(stand, sizes, told, number(main["items_per_second"])),
        _rest(stand, sizes, told),
    )
    for lines in parts:
        for line in lines:
            yield asdict(line)


def _drains(stand: Stand, sizes: Sizes, told: Told, main: Report) -> Iterator[Line]:
    yield Line(
        what=f"drain, {sizes.items:,} payouts, 2 processes",
        figure=f"{main['items_per_second']:,}/s",
        spread=spread(main),
        against=f"{main['limit_per_second']:,}/s pgbench, same statements and sets",
        ratio=number(main["share_of_limit"]),
        goal="20,000/s, 0.7",
    )
    told(1)
    cpu = number(main["workers_cpu_us_per_item"]) + number(main["postgres_cpu_us_per_item"])
    yield Line(
        what="processor time for one payout",
        figure=f"{cpu:.0f} us",
        spread=f"workers {main['workers_cpu_us_per_item']}, Postgres {main['postgres_cpu_us_per_item']}",
    )
    many, few = (
        drain_report(stand, Drain(items=n), sizes.runs, _silent, with_limit=False)
        for n in (sizes.many, sizes.few)
    )
    yield Line(
        what=f"drain, {sizes.many:,} due",
        figure=f"{many['items_per_second']:,}/s",
        spread=spread(many),
        against=f"{few['items_per_second']:,}/s with {sizes.few:,} due",
        ratio=ratio(many["items_per_second"], few["items_per_second"]),
        goal="1.0",
    )
    told(1)


def _slow(stand: Stand, sizes: Sizes, told: Told, at_once: float) -> Iterator[Line]:
    """Against the ideal, or against a gateway that answers at once where we are slower than that."""
    for calls, goal in FLIGHTS:
        items = min(sizes.many, int(calls / SLOW_GATEWAY_SECONDS * SLOW_SECONDS))
        plan = Drain(
            items=items,
            processes=PROCESSES,
            gateway_seconds=SLOW_GATEWAY_SECONDS,
            concurrency=calls // PROCESSES,
        )
        seen = drain_report(stand, plan, sizes.runs, _silent, with_limit=False)
        ideal = number(seen["ideal_per_second"])
        lower = min(ideal, at_once)
        yield Line(
            what=f"20 ms gateway, {calls} in flight",
            figure=f"{seen['steady_per_second']:,}/s",
            spread="from the 10th to the 90th percentile",
            against=f"{lower:,.0f}/s {'ideal' if lower == ideal else 'with a gateway of 0 ms'}",
            ratio=round(number(seen["steady_per_second"]) / lower, 3),
            goal=goal,
        )
        told(1)


def _rest(stand: Stand, sizes: Sizes, told: Told) -> Iterator[Line]:
    imported = import_report(stand, sizes.many, sizes.runs, _silent)
    yield Line(
        what=f"import of {sizes.many:,}, approved",
        figure=f"{imported['rows_per_second']:,}/s",
        spread=spread(imported),
        goal="30,000/s",
    )
    told(1)
    wakes = wake_report(stand, processes=PROCESSES, often=200, seldom=10, told=_silent)
    for name, rate in (("often", "25/s"), ("seldom", "one per 2 s")):
        yield Line(
            what=f"enqueue to first statement, {rate}",
            figure=f"{wakes[f'{name}_p50_ms']} ms",
            spread=f"p99 {wakes[f'{name}_p99_ms']} ms",
            goal="p50 3 ms, p99 10 ms",
        )
    told(1)
    hooks = webhooks_report(stand, rate=200, count=4_000)
    yield Line(
        what="webhook to its answer, 200/s",
        figure=f"{hooks['p50_ms']} ms",
        spread=f"p99 {hooks['p99_ms']} ms",
        goal="p99 50 ms",
    )
    told(1)
    applied = apply_report(stand, sizes.items, sizes.runs, _silent)
    yield Line(
        what=f"events applied, {sizes.items:,}, 1 process",
        figure=f"{applied['events_per_second']:,}/s",
        spread=spread(applied),
        goal="5,000/s",
    )
    told(1)
    yield from _system()
    told(1)


def _system() -> Iterator[Line]:
    seen = system_report(idle_seconds=10, items=500)
    yield Line(
        what="`bursar up`, idle: processors",
        figure=f"{seen['idle_cpu_percent_of_a_core']} % of a core",
        spread=f"{seen['processes']} processes",
        goal="5 %",
    )
    yield Line(
        what="a worker process: resident memory",
        figure=f"{seen['worker_megabytes_after_items']} MB",
        spread=f"{seen['worker_megabytes']} MB before its first payout",
        goal="120 MB",
    )


def _silent(_done: int) -> None:
    return
