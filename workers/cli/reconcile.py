"""`reconcile …`: what outside systems have against what is here: effects after a restore, statements any day."""

from datetime import UTC, datetime
from typing import Annotated, Final

import typer

from workers.cli.asking import WhyToo, reason
from workers.cli.context import context
from workers.cli.output import JsonOne, show_one
from workers.cli.stating import statement

BAD: Final = ("parked", "foreign", "surplus")
"""What a person must look at."""
app = typer.Typer(name="reconcile", rich_markup_mode=None, no_args_is_help=True)


@app.callback()
def reconcile() -> None:
    """Hold what outside systems have against what is here."""


@app.command()
def effects(
    ctx: typer.Context,
    since: Annotated[
        datetime | None,
        typer.Option(
            "--since", help="UTC. Default: 7 days before the restore, or the oldest open send."
        ),
    ] = None,
    why: WhyToo = None,
    json: JsonOne = False,
) -> None:
    """Adopt what providers have and a restored database forgot, payouts and refunds; then let workers claim again."""
    from db import changes, installation
    from domain.errors import BadInputError
    from jobs.payouts.reconcile_effects import reconcile_effects
    from jobs.refunds.reconcile_effects import reconcile_refunds
    from workers.banks import open_bank
    from workers.cli.output import progress
    from workers.composition import batch_policy
    from workers.payments import open_payments

    here, because = context(ctx), None if why is None else reason(why)
    database = here.database()
    since = since.replace(tzinfo=UTC) if since is not None else None
    with open_bank(here.settings) as bank, open_payments(here.settings) as payments:
        if bank is None:
            raise BadInputError(
                "BURSAR_PAYOUT_PROVIDER", None, "must name the provider to compare with"
            )
        with database.begin() as tx:
            installation.check_bound(installation.get(tx), bank.provider, bank.account)
        with progress("compare", 0) as done:
            # Refunds first: once payouts were compared to the end, workers go on.
            given = reconcile_refunds(database, payments, actor=here.actor, since=since, told=done)
            compared = reconcile_effects(
                database,
                bank,
                actor=here.actor,
                withholding=here.settings.withholding,
                batch=batch_policy(here.settings),
                since=since,
                told=done,
            )
    with database.begin() as tx:
        said = because or "compared with the provider's list"
        changes.note(tx, "effects.reconcile", [bank.account], who=here.actor, why=said)
    matches = {match.value: count for match, count in sorted(compared.matches.items())}
    refunds = {f"refunds_{match.value}": count for match, count in sorted(given.items())}
    show_one({"from": compared.start, "until": compared.end, **matches, **refunds}, json=json)
    bad = {name for name, n in {**matches, **refunds}.items() if n and name.endswith(BAD)}
    if bad:
        typer.echo(f"{', '.join(sorted(bad))}: see `bursar findings list`", err=True)
        raise typer.Exit(1)


app.command()(statement)
