"""`chaos`: a storm of faults over the whole system, on servers of its own, and what it left."""

import json as json_module
import shutil
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Final

import typer

from workers.cli.output import Json

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
    scenario: Annotated[
        str | None,
        typer.Option("--scenario", help="One chosen fault over four phases; recovery; or list."),
    ] = None,
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
    from workers.chaos.choosing import NAMES, Wish, plan_of
    from workers.chaos.report import as_json, lines
    from workers.chaos.run import run
    from workers.chaos.strikes import FAULTS

    if "list" in {faults, scenario}:
        typer.echo("\n".join(FAULTS if faults == "list" else NAMES))
        return
    if output is not None:
        output.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        home = Path(tempfile.mkdtemp(prefix="bursar-chaos-"))
        stack.callback(shutil.rmtree, home, ignore_errors=True)
        wish = Wish(
            home=home,
            seed=seed,
            seconds=minutes * 60,
            faults=faults,
            scenario=scenario,
            lease_seconds=lease,
            rate_per_second=rate,
            quiet_seconds_max=quiet,
            canary=canary,
        )
        plan, drive = plan_of(wish)
        outcome = run(plan, output, drive)
    told = json_module.dumps(as_json(outcome)) if json else "\n".join(lines(outcome))
    typer.echo(told)
    if output is not None:
        report = json_module.dumps(as_json(outcome), indent=1)
        (output / f"{plan.name}-{seed}.json").write_text(report, encoding="utf-8")
    if outcome.was_stopped:
        raise typer.Exit(INTERRUPTED)
    if not outcome.holds:
        raise typer.Exit(1)
