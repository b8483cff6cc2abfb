"""What each benchmark reports: one flat object, its figures first, then what it was measured with."""

from collections.abc import Callable, Mapping
from typing import Final

from workers.bench.applying import apply_seconds
from workers.bench.batching import batch_seconds
from workers.bench.dividing import DividedIn, divide
from workers.bench.drain import Drain, Drained, drain
from workers.bench.figures import Figure
from workers.bench.idling import HEALING, idle_ms
from workers.bench.importing import import_seconds
from workers.bench.limit import limit_per_second
from workers.bench.reconciling import reconcile
from workers.bench.stand import Stand
from workers.bench.stating import state
from workers.bench.system import measure
from workers.bench.wake import latencies
from workers.bench.webhooks import answers

Report = Mapping[str, object]
Told = Callable[[int], None]

OFTEN_SECONDS: Final = 0.04
SELDOM_SECONDS: Final = 2.0
MICRO: Final = 1_000_000
SETTLED: Final = 100_000
"""Obligations behind which a look that finds nothing to heal is timed first."""
LOOKS: Final = 100


def drain_report(
    stand: Stand, plan: Drain, runs: int, told: Told, *, with_limit: bool = True
) -> Report:
    """Drain and let pgbench do the same, in turns, `runs` times."""
    done: list[Drained] = []
    limits: list[float] = []
    for _ in range(runs):
        done.append(drain(stand, plan))
        if with_limit:
            limits.append(
                limit_per_second(stand, items=plan.items, clients=plan.processes, batch=plan.batch)
            )
        told(1)
    return {
        **_rates(plan, done),
        **_limits([d.per_second for d in done], limits),
        "items": plan.items,
        "processes": plan.processes,
        "gateway_ms": round(plan.gateway_seconds * 1000, 3),
        "concurrency": plan.concurrency,
        "in_flight": plan.concurrency * plan.processes,
        "batch": plan.batch,
        "runs": runs,
        "workers_cpu_us_per_item": _per_item([d.workers_cpu_seconds for d in done], plan),
        "postgres_cpu_us_per_item": _per_item([d.postgres_cpu_seconds for d in done], plan),
        "worker_megabytes": round(max(d.megabytes for d in done), 1),
    }


def _rates(plan: Drain, done: list[Drained]) -> Report:
    whole = Figure.of([d.per_second for d in done])
    steady = Figure.of([d.steady_per_second for d in done])
    rates: dict[str, object] = {
        "items_per_second": round(whole.median),
        "lowest_per_second": round(whole.lowest),
        "highest_per_second": round(whole.highest),
        "steady_per_second": round(steady.median),
    }
    if plan.ideal_per_second is not None:
        rates["ideal_per_second"] = round(plan.ideal_per_second)
        rates["share_of_ideal"] = round(steady.median / plan.ideal_per_second, 3)
    return rates


def _limits(reached: list[float], limits: list[float]) -> Report:
    if not limits:
        return {}
    limit, share = Figure.of(limits), in_turns(reached, limits)
    return {
        "limit_per_second": round(limit.median),
        "limit_lowest": round(limit.lowest),
        "limit_highest": round(limit.highest),
        "share_of_limit": round(share.median, 3),
        "share_lowest": round(share.lowest, 3),
        "share_highest": round(share.highest, 3),
    }


def in_turns(ours: list[float], others: list[float]) -> Figure:
    """The ratio of two measurements made in turns, turn by turn.

    A machine that is slow for a while is slow for both of a turn: medians of the two sides may come
    from different whiles, and their ratio then be of no turn at all.
    """
    return Figure.of([one / other for one, other in zip(ours, others, strict=True)])


def _per_item(seconds: list[float], plan: Drain) -> float:
    return round(Figure.of(seconds).median / plan.items * MICRO, 1)


def import_report(stand: Stand, items: int, runs: int, told: Told) -> Report:
    """Import so many payouts, each time into an empty database."""
    return _rate("rows_per_second", import_seconds, stand, items, runs, told)


def apply_report(stand: Stand, items: int, runs: int, told: Told) -> Report:
    """Apply so many events, each of a payout of its own, each time in a fresh database."""
    return _rate("events_per_second", apply_seconds, stand, items, runs, told)


def batch_report(stand: Stand, items: int, runs: int, told: Told) -> Report:
    """Make payouts of so many earnings, each time in a database of its own."""
    return _rate("rows_per_second", batch_seconds, stand, items, runs, told)


def dispersals_report(stand: Stand, items: int, runs: int, told: Told, *, settled: int) -> Report:
    """Divide so many settled obligations, each time in a database of its own; then look for what is to be healed.

    There is nothing to heal, behind 100,000 obligations and behind `settled`: the time must be the same.
    """
    done: list[DividedIn] = []
    for _ in range(runs):
        done.append(divide(stand, items))
        told(1)
    rate = Figure.of([items / one.seconds for one in done])
    cpu = _cpu(
        items,
        worker=[one.worker_cpu_seconds for one in done],
        postgres=[one.postgres_cpu_seconds for one in done],
    )
    looks = {}
    for behind in (SETTLED, settled):
        [look] = idle_ms(stand, HEALING, behind, LOOKS).values()
        looks[f"heal_look_ms_behind_{behind}"] = round(look.median, 2)
        looks[f"heal_look_ms_lowest_behind_{behind}"] = round(look.lowest, 2)
        told(1)
    return {
        "obligations_per_second": round(rate.median),
        "lowest_per_second": round(rate.lowest),
        "highest_per_second": round(rate.highest),
        **cpu,
        **looks,
        "items": items,
        "runs": runs,
    }


def cash_report(stand: Stand, items: int, runs: int, told: Told) -> Report:
    """Reconcile the cash of so many obligations, `runs` times over the same database."""
    done = reconcile(stand, items, runs)
    told(runs)
    taken = Figure.of([one.seconds for one in done])
    return {
        "seconds": round(taken.median, 2),
        "lowest_seconds": round(taken.lowest, 2),
        "highest_seconds": round(taken.highest, 2),
        **_cpu(
            items,
            worker=[one.worker_cpu_seconds for one in done],
            postgres=[one.postgres_cpu_seconds for one in done],
        ),
        "resident_mb": round(max(one.resident_mb for one in done)),
        "items": items,
        "runs": runs,
    }


def _cpu(items: int, **spent: list[float]) -> dict[str, float]:
    """Processor time an item, in microseconds, by who spent it in so many seconds a run."""
    return {
        f"{name}_cpu_us_per_item": round(Figure.of(seconds).median / items * MICRO, 1)
        for name, seconds in spent.items()
    }


def _rate(
    name: str,
    seconds: Callable[[Stand, int], float],
    stand: Stand,
    items: int,
    runs: int,
    told: Told,
) -> Report:
    rates = []
    for _ in range(runs):
        rates.append(items / seconds(stand, items))
        told(1)
    figure = Figure.of(rates)
    return {
        name: round(figure.median),
        "lowest_per_second": round(figure.lowest),
        "highest_per_second": round(figure.highest),
        "items": items,
        "runs": runs,
    }


def statement_report(stand: Stand, items: int, runs: int, told: Told) -> Report:
    """Hold a statement of so many lines against as many payouts, each time in a fresh database."""
    seen = []
    for _ in range(runs):
        seen.append(state(stand, items))
        told(1)
    lines = Figure.of([items / (one.read_seconds + one.hold_seconds) for one in seen])
    return {
        "lines_per_second": round(lines.median),
        "lowest_per_second": round(lines.lowest),
        "highest_per_second": round(lines.highest),
        "read_seconds": round(Figure.of([one.read_seconds for one in seen]).median, 2),
        "hold_seconds": round(Figure.of([one.hold_seconds for one in seen]).median, 2),
        "again_seconds": round(Figure.of([one.again_seconds for one in seen]).median, 2),
        "items": items,
        "runs": runs,
    }


def wake_report(stand: Stand, *, processes: int, often: int, seldom: int, told: Told) -> Report:
    """Ask `often` times at 25/s, then `seldom` times at one per 2 s."""
    report: dict[str, object] = {}
    asked = (("often", OFTEN_SECONDS, often), ("seldom", SELDOM_SECONDS, seldom))
    for name, every_seconds, count in asked:
        seen = latencies(stand, processes=processes, every_seconds=every_seconds, count=count)
        report |= {
            f"{name}_p50_ms": seen.p50_ms,
            f"{name}_p99_ms": seen.p99_ms,
            f"{name}_max_ms": seen.max_ms,
            f"{name}_count": count,
        }
        told(1)
    return {**report, "processes": processes}


def webhooks_report(stand: Stand, *, rate: float, count: int) -> Report:
    """Send `count` webhooks, so many a second, to a web process of its own."""
    seen = answers(stand, rate=rate, count=count)
    return {
        "p50_ms": seen.latencies.p50_ms,
        "p99_ms": seen.latencies.p99_ms,
        "max_ms": seen.latencies.max_ms,
        "per_second": seen.per_second,
        "rate": rate,
        "count": count,
        "web_cpu_us_per_webhook": round(seen.cpu_seconds / count * MICRO, 1),
    }


def system_report(*, idle_seconds: float, items: int) -> Report:
    """What `bursar up` costs idle, and what its workers hold."""
    seen = measure(idle_seconds=idle_seconds, items=items)
    return {
        "idle_cpu_percent_of_a_core": seen.idle_cpu_percent,
        "worker_megabytes": seen.worker_megabytes,
        "worker_megabytes_after_items": seen.drained_megabytes,
        "items": items,
        "idle_seconds": idle_seconds,
        "processes": seen.processes,
    }
