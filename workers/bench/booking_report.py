"""What the benchmarks of bookings and the waitlist report: one flat object each, as the others do."""

from typing import Final

from workers.bench.figures import Figure
from workers.bench.idling import BOOKINGS, idle_ms
from workers.bench.releasing import SET, Release, Released, bare_seconds, held, release
from workers.bench.report import MICRO, Report, Told, in_turns
from workers.bench.stand import Stand
from workers.bench.waiting import Waited, wait_out

MILLI: Final = 1_000


def release_report(stand: Stand, plan: Release, runs: int, told: Told) -> Report:
    """Release so many seats and let a bare loop do the same, in turns, each time in a copy of one database."""
    done: list[Released] = []
    bare: list[float] = []
    with held(stand, plan) as template:
        for _ in range(runs):
            done.append(release(stand, template, plan))
            bare.append(plan.items / bare_seconds(stand, template, plan))
            told(1)
    ours = [plan.items / one.seconds for one in done]
    rate, limit, share = Figure.of(ours), Figure.of(bare), in_turns(ours, bare)
    return {
        "seats_per_second": round(rate.median),
        "lowest_per_second": round(rate.lowest),
        "highest_per_second": round(rate.highest),
        "bare_per_second": round(limit.median),
        "share_of_bare": round(share.median, 3),
        "share_lowest": round(share.lowest, 3),
        "share_highest": round(share.highest, 3),
        "longest_transaction_ms": round(max(one.longest_seconds for one in done) * MILLI, 1),
        "items": plan.items,
        "kept_by_a_payment": plan.items // 10,
        "private": plan.private,
        "processes": plan.processes,
        "set": SET,
        "runs": runs,
        "workers_cpu_us_per_item": _per_item([one.workers_cpu_seconds for one in done], plan),
        "postgres_cpu_us_per_item": _per_item([one.postgres_cpu_seconds for one in done], plan),
    }


def _per_item(seconds: list[float], plan: Release) -> float:
    return round(Figure.of(seconds).median / plan.items * MICRO, 1)


def idle_report(stand: Stand, rows: int, times: int, told: Told) -> Report:
    """Run every booking job with nothing due: in an empty database, then behind `rows` finished rows."""
    empty = idle_ms(stand, BOOKINGS, 0, times)
    told(1)
    full = idle_ms(stand, BOOKINGS, rows, times)
    told(1)
    slowest = max(full, key=lambda name: full[name].median)
    return {
        "slowest_ms": round(full[slowest].median, 2),
        "slowest_job": slowest,
        "slowest_ms_when_empty": round(max(one.median for one in empty.values()), 2),
        **{f"{name}_ms": round(one.median, 2) for name, one in full.items()},
        "finished_rows": rows,
        "times": times,
    }


def waitlist_report(stand: Stand, items: int, runs: int, told: Told) -> Report:
    """Offer, remind and expire so many entries, each time in a database of its own."""
    done: list[Waited] = []
    for _ in range(runs):
        done.append(wait_out(stand, items))
        told(1)
    rates = {
        f"{name}_per_second": round(Figure.of([items / getattr(one, word) for one in done]).median)
        for name, word in (
            ("offers", "offer"),
            ("mails", "mails"),
            ("reminders", "remind"),
            ("ends", "expire"),
        )
    }
    return {**rates, "items": items, "runs": runs}
