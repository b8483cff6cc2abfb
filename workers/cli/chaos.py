"""`chaos`: a storm of faults over the whole system, on servers of its own, and what it left."""

import json as json_module
import shutil
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from workers.cli.output import Json

if TYPE_CHECKING:
    from workers.chaos.plan import Plan

app = typer.Typer(rich_markup_mode=None)

INTERRUPTED: Final = 130


@app.command()
def chaos(
    minutes: Annotated[
        float, typer.Option("--minutes", min=0.1, max=1_440, help="How long it storms.")
    ] = 1.0,
    seed: Annotated[int, typer.Option("--seed", help="Which faults come when.")] = 1,
    faults: Annotated[
        str, typer.Option("--faults", help="Names or groups, comma-separated; or list.")
    ] = "all",
    lease: Annotated[
        float, typer.Option("--lease", min=4.5, max=60, help="Lease of the workers, in seconds.")
    ] = 4.5,
    rate: Annotated[
        float, typer.Option("--rate", min=1, max=1_000, help="Payouts a second that come in.")
    ] = 30.0,
    quiet: Annotated[
        float, typer.Option("--quiet", min=10, help="Seconds of quiet after which it has failed.")
    ] = 180.0,
    canary: Annotated[
        str | None,
        typer.Option("--canary", help="Plant double-payment or lost-payment: it must fail."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", help="Folder for the report and the logs.")
    ] = None,
    json: Json = False,
) -> None:
    """Let faults of every kind come over the whole system, then hold it to account.

    Exit 1 where anything promised was broken, or something rare that should have come never did.
    """
    from workers.chaos.report import as_json, lines
    from workers.chaos.run import run
    from workers.chaos.strikes import FAULTS

    if faults == "list":
        typer.echo("\n".join(FAULTS))
        return
    if output is not None:
        output.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        home = Path(tempfile.mkdtemp(prefix="bursar-chaos-"))
        stack.callback(shutil.rmtree, home, ignore_errors=True)
        plan = _plan(home, seed, minutes * 60, faults, lease, rate, quiet, canary)
        outcome = run(plan, output)
    told = json_module.dumps(as_json(outcome)) if json else "\n".join(lines(outcome))
    typer.echo(told)
    if output is not None:
        report = json_module.dumps(as_json(outcome), indent=1)
        (output / f"{plan.name}-{seed}.json").write_text(report, encoding="utf-8")
    if outcome.was_stopped:
        raise typer.Exit(INTERRUPTED)
    if not outcome.holds:
        raise typer.Exit(1)


def _plan(
    home: Path,
    seed: int,
    seconds: float,
    faults: str,
    lease: float,
    rate: float,
    quiet: float,
    canary: str | None,
) -> "Plan":
    from domain.errors import BadInputError
    from workers.chaos.bank import CANARIES, EVERYTHING
    from workers.chaos.disk import is_possible
    from workers.chaos.plan import Plan, storm
    from workers.chaos.strikes import DISK, PASSIVE

    if canary is not None and canary not in CANARIES:
        raise BadInputError("--canary", canary, f"must be one of {', '.join(CANARIES)}")
    wanted = chosen(faults)
    impossible = [DISK] if DISK in wanted and not is_possible() else []
    possible = [name for name in wanted if name not in impossible]
    if not possible:
        raise BadInputError("--faults", faults, "cannot be made here: it needs root and a tmpfs")
    return Plan(
        home=home,
        seed=seed,
        storm_seconds=seconds,
        quiet_seconds_max=quiet,
        lease_seconds=lease,
        rate_per_second=rate,
        strikes=storm(seed, [name for name in possible if name not in PASSIVE], seconds),
        faults=possible,
        impossible=impossible,
        bank_faults=EVERYTHING if "bank-faults" in possible else "",
        canary=canary,
    )


def chosen(text: str) -> Sequence[str]:
    """Return the faults that `text` names, in their own order; raises `BadInputError`."""
    from domain.errors import BadInputError
    from workers.chaos.strikes import FAULTS, GROUPS

    words = [word.strip() for word in text.split(",") if word.strip()]
    for word in words:
        if word not in {"all", *FAULTS, *GROUPS}:
            rule = f"must be all, one of {', '.join(GROUPS)}, or a name of --faults list"
            raise BadInputError("--faults", word, rule)
    found = [
        name
        for name in FAULTS
        if "all" in words or name in words or name.partition("-")[0] in words
    ]
    if not found:
        raise BadInputError("--faults", text, "names no fault")
    return found
