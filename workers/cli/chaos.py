"""`chaos`: a storm of faults over the whole system, on servers of its own, and what it left."""

import json as json_module
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from workers.cli.output import JsonOne

if TYPE_CHECKING:
    from workers.chaos.choosing import Wish

app = typer.Typer(rich_markup_mode=None)

INTERRUPTED: Final = 130

Minutes = Annotated[
    float, typer.Option("--minutes", min=0.1, max=1_440, help="How long it storms.")
]
Seed = Annotated[int, typer.Option("--seed", help="Which faults come when.")]
Faults = Annotated[str, typer.Option("--faults", help="Names or groups, comma-separated; or list.")]
Scenario = Annotated[
    str | None,
    typer.Option("--scenario", help="One chosen fault over four phases; recovery; or list."),
]
Lease = Annotated[
    float, typer.Option("--lease", min=4.5, max=60, help="Lease of the workers, in seconds.")
]
Rate = Annotated[
    float, typer.Option("--rate", min=1, max=1_000, help="Payouts a second that come in.")
]
Quiet = Annotated[
    float, typer.Option("--quiet", min=10, help="Seconds of quiet after which it has failed.")
]
Canary = Annotated[
    str | None,
    typer.Option("--canary", help="Plant double-payment or lost-payment: it must fail."),
]
Output = Annotated[
    Path | None, typer.Option("--output", help="Folder for the report and the logs.")
]


@app.command()
def chaos(
    minutes: Minutes = 1.0,
    seed: Seed = 1,
    faults: Faults = "all",
    scenario: Scenario = None,
    lease: Lease = 4.5,
    rate: Rate = 30.0,
    quiet: Quiet = 180.0,
    canary: Canary = None,
    output: Output = None,
    json: JsonOne = False,
) -> None:
    """Let faults of every kind come over the whole system, then hold it to account.

    Exit 1 where anything promised was broken, or something rare that should have come never did.
    """
    from workers.chaos.choosing import NAMES, Wish
    from workers.chaos.strikes import FAULTS
    from workers.signals import end_as_by_ctrl_c

    if "list" in {faults, scenario}:
        typer.echo("\n".join(FAULTS if faults == "list" else NAMES))
        return
    end_as_by_ctrl_c()
    with tempfile.TemporaryDirectory(prefix="bursar-chaos-", ignore_cleanup_errors=True) as home:
        wish = Wish(
            home=Path(home),
            seed=seed,
            seconds=minutes * 60,
            faults=faults,
            scenario=scenario,
            lease_seconds=lease,
            rate_per_second=rate,
            quiet_seconds_max=quiet,
            canary=canary,
        )
        _run(wish, output, json=json)


def _run(wish: "Wish", output: Path | None, *, json: bool) -> None:
    from workers.chaos.choosing import plan_of
    from workers.chaos.report import as_json, lines
    from workers.chaos.run import run

    plan, drive = plan_of(wish)
    if output is not None:
        output.mkdir(parents=True, exist_ok=True)
    outcome = run(plan, output, drive)
    report = json_module.dumps(as_json(outcome), indent=None if json else 1)
    typer.echo(report if json else "\n".join(lines(outcome)))
    if output is not None:
        place = output / f"{plan.name}-{plan.seed}.json"
        place.write_text(report, encoding="utf-8")
    if outcome.was_stopped:
        raise typer.Exit(INTERRUPTED)
    if not outcome.holds:
        raise typer.Exit(1)
