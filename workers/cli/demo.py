"""`demo`: the whole system on sample payouts, from nothing to proof."""

import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from workers.cli.context import Context, context
from workers.cli.output import JsonOne

if TYPE_CHECKING:
    from workers.demo.result import Result

app = typer.Typer(rich_markup_mode=None)

COUNT: Final = 2_000
SEED: Final = 1
CURRENCY: Final = "INR"
INTERRUPTED: Final = 130
ERASE_SECONDS_MAX: Final = 30.0
"""How long servers that were interrupted while they started may take to notice and end."""


@app.command()
def demo(
    ctx: typer.Context,
    *,
    count: Annotated[
        int, typer.Option("--count", min=1, max=200_000, help="Payouts to make.")
    ] = COUNT,
    seed: Annotated[int, typer.Option("--seed", help="Which payouts, and which faults.")] = SEED,
    seconds: Annotated[
        float, typer.Option("--timeout", min=1, help="Seconds after which it has failed.")
    ] = 240.0,
    keep: Annotated[bool, typer.Option("--keep", help="Keep the home, to look around in.")] = False,
    json: JsonOne = False,
) -> None:
    """See sample payouts paid, each proven to be paid once, a webinar that sells out, and lenders who get their shares.

    On the way the bank loses replies and a worker is killed; one customer cancels, one is given the
    money back, and both places go to whoever waits. Three obligations cannot be divided: they end in
    suspense, and two operators take them out.
    """
    here = context(ctx)
    _refuse_real(here)
    from workers.demo.run import Plan, run
    from workers.signals import end_as_by_ctrl_c

    end_as_by_ctrl_c()
    with ExitStack() as stack:
        home = _home(here)
        keep_home = stack.enter_context(_removed(home))
        if keep or here.home:
            keep_home()
        file = _sample(home, count, seed)
        result = run(_own(here), Plan(home=home, file=file, seed=seed, seconds_max=seconds))
        if result.gave_up or (result.drained and not result.holds):
            keep_home()
    if result.gave_up:
        typer.echo(f"a process could not be kept running: see {home}/processes.log", err=True)
    if json:
        typer.echo(json_text(result))
    else:
        _tell(result, home if home.exists() else None)
    if result.stopped and not result.drained:
        raise typer.Exit(INTERRUPTED)
    if not result.holds:
        raise typer.Exit(1)


def json_text(result: "Result") -> str:
    """Return the summary as one JSON object."""
    return json.dumps(
        {
            "holds": result.holds,
            "drained": result.drained,
            "seconds": result.seconds,
            "payouts_by_state": {state: items for state, (items, _) in result.states.items()},
            "amount_minor_by_state": {state: minor for state, (_, minor) in result.states.items()},
            "currency": CURRENCY,
            "transfers": result.transfers,
            "sends": result.sends,
            "payments_asked_again": result.sent_again,
            "captures": result.captures,
            "refunds": result.refunds,
            "participants": result.participants,
            "mails": result.mails,
            "faults": dict(result.faults),
            "killed": result.killed,
            "crashed_runs": result.crashed_runs,
            "promises": [
                {"name": p.name, "holds": p.holds, "detail": p.detail} for p in result.promises
            ],
        }
    )


def _tell(result: "Result", kept: Path | None) -> None:
    typer.echo("")
    if result.drained:
        _prove(result)
    elif result.stopped:
        typer.echo("Stopped before everything was final: nothing is proven.", err=True)
    else:
        typer.echo("Not everything was final in time: nothing is proven.", err=True)
    if kept is None:
        typer.echo("Look around next time: `bursar demo --keep`. Your own: `bursar up`.")
        return
    typer.echo(f"Kept in {kept}. Start it again with `bursar up --home {kept}`, then look:")
    for command in (
        "payouts list --state FAILED",
        "bookings list",
        "waitlist list",
        "dispersals list",
        "suspense list",
        "mail list",
        "effects list",
    ):
        typer.echo(f"  bursar {command} --home {kept}")
    for name, token in result.operators.items():
        typer.echo(f"  operator {name}: BURSAR_OPERATOR_TOKEN={token}")


def _prove(result: "Result") -> None:
    from domain.money import format_major

    for state, (items, minor) in result.states.items():
        typer.echo(f"{state:<12} {items:>7}  {format_major(minor, CURRENCY):>18} {CURRENCY}")
    typer.echo("")
    for promise in result.promises:
        typer.echo(f"{'holds ' if promise.holds else 'BROKEN'}  {promise.name}: {promise.detail}")
    typer.echo("")
    faults = ", ".join(f"{count} x {name}" for name, count in sorted(result.faults.items()))
    typer.echo(
        f"{result.sends} requests for {result.transfers} transfers; the bank's faults: "
        f"{faults or 'none'}; {result.sent_again} asked again under the same key"
    )
    typer.echo(
        f"killed: {result.killed or 'nobody'} ({result.crashed_runs} runs crashed); "
        f"{result.seconds:g} s"
    )


def _refuse_real(here: Context) -> None:
    """The demo sends sample payouts: never with real servers or a real provider in reach."""
    from domain.errors import BadInputError
    from workers.servers import URLS, names_provider

    for name in URLS:
        if here.environ.get(name):
            raise BadInputError(name, "set", "the demo brings its own servers: unset it")
    if names_provider(here.environ):
        raise BadInputError(
            "BURSAR_PAYOUT_PROVIDER",
            "set",
            "the demo brings its own bank: unset the provider's settings",
        )


def _own(here: Context) -> dict[str, str]:
    """Return the environment without the home of other work."""
    return {name: value for name, value in here.environ.items() if name != "BURSAR_HOME"}


def _home(here: Context) -> Path:
    """Return a fresh folder: a new temporary one, or the one that was named."""
    from domain.errors import BadInputError
    from workers.servers import check_home

    if here.home is None:
        return Path(tempfile.mkdtemp(prefix="bursar-demo-"))
    home = here.home.absolute()
    check_home(home)
    if (home / "servers").exists():
        rule = "holds servers already: the demo wants a fresh folder"
        raise BadInputError("--home", str(home), rule)
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    return home


@contextmanager
def _removed(home: Path) -> Iterator[Callable[[], None]]:
    """Remove the home and its servers' data afterwards, unless the yielded function was called."""
    from workers.embedded import Home
    from workers.signals import survive_stop

    kept = False

    def keep() -> None:
        nonlocal kept
        kept = True

    try:
        yield keep
    finally:
        survive_stop()
        if not kept:
            Home(home).erase(within_seconds=ERASE_SECONDS_MAX)
            shutil.rmtree(home, ignore_errors=True)


def _sample(home: Path, count: int, seed: int) -> Path:
    """Write the payouts to a CSV file of the home; the usual ones are those of samples/payouts.csv."""
    import workers
    from domain.samples import sample_payouts, write_csv

    file = home / "payouts.csv"
    shipped = Path(workers.__file__).parents[1] / "samples" / "payouts.csv"
    if (count, seed) == (COUNT, SEED) and shipped.is_file():
        shutil.copyfile(shipped, file)
        return file
    with file.open("w", encoding="utf-8", newline="") as stream:
        write_csv(sample_payouts(count, seed), stream)
    return file
