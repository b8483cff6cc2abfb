"""`bench …`: how fast the product is on this machine, on servers it starts and removes itself."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Final

import typer

from workers.cli.output import Json, JsonOne, progress, show, show_one

if TYPE_CHECKING:
    from workers.bench.stand import Stand

app = typer.Typer(name="bench", help="Measure speed, on servers of its own.", no_args_is_help=True)

QUIETLY: Final = {"BURSAR_LOG_LEVEL": "warning"}
Items = Annotated[int, typer.Option("--items", min=1, max=1_000_000, help="Payouts in one run.")]
Processes = Annotated[int, typer.Option("--processes", min=1, max=16, help="Worker processes.")]
Runs = Annotated[
    int, typer.Option("--runs", min=1, max=100, help="Repetitions; medians are shown.")
]


@app.callback()
def group() -> None:
    """Let whoever ends a measurement have its servers and their folder ended too."""
    from workers.signals import end_as_by_ctrl_c

    end_as_by_ctrl_c()


@app.command()
def drain(
    items: Items = 20_000,
    processes: Processes = 2,
    gateway_ms: Annotated[
        float, typer.Option("--gateway-ms", min=0, max=5_000, help="What each call takes.")
    ] = 0.0,
    concurrency: Annotated[
        int, typer.Option("--concurrency", min=1, max=1_024, help="Calls at once, per process.")
    ] = 16,
    batch: Annotated[
        int, typer.Option("--batch", min=1, max=1_000, help="Payouts in one set.")
    ] = 500,
    runs: Runs = 3,
    json: JsonOne = False,
) -> None:
    """Claim, send and settle approved payouts.

    Against pgbench running the product's own statements, in turns. What came of every payout is
    proven after each run.
    """
    from workers.bench.drain import Drain
    from workers.bench.report import drain_report

    plan = Drain(
        items=items,
        processes=processes,
        gateway_seconds=gateway_ms / 1000,
        concurrency=concurrency,
        batch=batch,
    )
    with _stand() as made, progress("drain", runs) as told:
        report = drain_report(made, plan, runs, told)
    show_one(report, json=json)


@app.command("import")
def import_(items: Items = 100_000, runs: Runs = 3, json: JsonOne = False) -> None:
    """Import and approve payouts, work rows and books included."""
    from workers.bench.report import import_report

    with _stand() as made, progress("import", runs) as told:
        report = import_report(made, items, runs, told)
    show_one(report, json=json)


@app.command("apply")
def apply_(items: Items = 50_000, runs: Runs = 3, json: JsonOne = False) -> None:
    """Apply events of a provider, each to a payout of its own, by one worker."""
    from workers.bench.report import apply_report

    with _stand() as made, progress("apply", runs) as told:
        report = apply_report(made, items, runs, told)
    show_one(report, json=json)


@app.command()
def statement(items: Items = 100_000, runs: Runs = 3, json: JsonOne = False) -> None:
    """Hold a bank's statement against as many payouts: read, taken over, matched."""
    from workers.bench.report import statement_report

    with _stand() as made, progress("statement", runs) as told:
        report = statement_report(made, items, runs, told)
    show_one(report, json=json)


@app.command()
def batch(items: Items = 100_000, runs: Runs = 3, json: JsonOne = False) -> None:
    """Make payouts of earnings that are ready: locked, summed, linked, approved."""
    from workers.bench.report import batch_report

    with _stand() as made, progress("batch", runs) as told:
        report = batch_report(made, items, runs, told)
    show_one(report, json=json)


@app.command()
def dispersals(
    items: Items = 20_000,
    runs: Runs = 3,
    settled: Annotated[
        int,
        typer.Option("--settled", min=1, max=100_000_000, help="Obligations that were divided."),
    ] = 1_000_000,
    json: JsonOne = False,
) -> None:
    """Divide what settled obligations received among five lenders each: shares, work and books.

    And look for what is to be healed, of which there is nothing, behind 100,000 that were divided and behind more.
    """
    from workers.bench.report import dispersals_report

    with _stand() as made, progress("dispersals", runs + 2) as told:
        report = dispersals_report(made, items, runs, told, settled=settled)
    show_one(report, json=json)


@app.command()
def cash(items: Items = 1_000_000, runs: Runs = 3, json: JsonOne = False) -> None:
    """Reconcile the cash of obligations that were received and divided among five lenders each."""
    from workers.bench.report import cash_report

    with _stand() as made, progress("cash", runs) as told:
        report = cash_report(made, items, runs, told)
    show_one(report, json=json)


@app.command()
def waitlist(items: Items = 100_000, runs: Runs = 3, json: JsonOne = False) -> None:
    """Offer places to whoever waits, remind them, and let their offers expire; mail goes nowhere."""
    from workers.bench.booking_report import waitlist_report

    with _stand() as made, progress("waitlist", runs) as told:
        report = waitlist_report(made, items, runs, told)
    show_one(report, json=json)


@app.command()
def release(
    *,
    items: Annotated[
        int, typer.Option("--items", min=20, max=1_000_000, help="Seats, 20 to an appointment.")
    ] = 1_000_000,
    private: Annotated[
        bool, typer.Option("--private", help="Each the only seat of its appointment.")
    ] = False,
    processes: Processes = 2,
    runs: Runs = 3,
    json: JsonOne = False,
) -> None:
    """Release seats that were not paid for in two days; one in ten is kept by a payment.

    Against a bare loop of one statement on as many connections, in turns. What came of every seat is
    proven after each run.
    """
    from workers.bench.booking_report import release_report
    from workers.bench.releasing import Release

    plan = Release(items=items - items % 20, processes=processes, private=private)
    with _stand() as made, progress("release", runs) as told:
        report = release_report(made, plan, runs, told)
    show_one(report, json=json)


@app.command("idle-run")
def idle_run(
    finished: Annotated[
        int, typer.Option("--finished", min=5, max=100_000_000, help="Rows that are long over.")
    ] = 1_000_000,
    times: Annotated[
        int, typer.Option("--times", min=1, max=10_000, help="Runs of each job; medians are shown.")
    ] = 100,
    json: JsonOne = False,
) -> None:
    """Run each booking job with nothing due: in an empty database, and behind much that is over."""
    from workers.bench.booking_report import idle_report

    with _stand() as made, progress("idle-run", 2) as told:
        report = idle_report(made, finished, times, told)
    show_one(report, json=json)


@app.command()
def wake(
    processes: Processes = 2,
    often: Annotated[int, typer.Option("--often", min=1, help="Runs asked for at 25/s.")] = 200,
    seldom: Annotated[
        int, typer.Option("--seldom", min=1, help="Runs asked for at one per 2 s.")
    ] = 10,
    json: JsonOne = False,
) -> None:
    """Measure from asking for a run to the first statement of its job."""
    from workers.bench.report import wake_report

    with _stand() as made, progress("wake", 2) as told:
        report = wake_report(made, processes=processes, often=often, seldom=seldom, told=told)
    show_one(report, json=json)


@app.command()
def webhooks(
    rate: Annotated[
        float, typer.Option("--rate", min=1, max=5_000, help="Webhooks a second.")
    ] = 200.0,
    count: Annotated[
        int, typer.Option("--count", min=1, max=100_000, help="Webhooks to send.")
    ] = 4_000,
    json: JsonOne = False,
) -> None:
    """Send signed webhooks to `bursar web` at a steady rate.

    Each is timed from when it was to be sent until it is answered, committed.
    """
    from workers.bench.report import webhooks_report

    with _stand() as made:
        report = webhooks_report(made, rate=rate, count=count)
    show_one(report, json=json)


@app.command()
def memory(
    items: Annotated[int, typer.Option("--items", min=0, help="Payouts to let through.")] = 500,
    idle_seconds: Annotated[
        float, typer.Option("--idle-seconds", min=1, max=600, help="How long it idles.")
    ] = 10.0,
    json: JsonOne = False,
) -> None:
    """Run the whole system: its processor time while idle, the memory of its workers."""
    from workers.bench.report import system_report

    show_one(system_report(idle_seconds=idle_seconds, items=items), json=json)


@app.command("all")
def all_(
    items: Items = 20_000,
    runs: Runs = 3,
    many: Annotated[
        int, typer.Option("--many", min=1_000, max=1_000_000, help="Payouts of the large runs.")
    ] = 100_000,
    json: Json = False,
) -> None:
    """Measure everything, as one table with ratios; takes some minutes."""
    from workers.bench.everything import COLUMNS, STEPS, Sizes, everything

    with _stand() as made, progress("bench", STEPS) as told:
        rows = list(everything(made, Sizes(items=items, many=many, runs=runs), told))
    show(rows, COLUMNS, json=json)


@contextmanager
def _stand() -> Iterator["Stand"]:
    from workers.bench.stand import stand
    from workers.logs import configure
    from workers.settings import load

    configure(load(QUIETLY))
    with stand() as made:
        yield made
