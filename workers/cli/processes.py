"""`up` and the processes it runs: worker, scheduler, web, sandbox, mail-sink."""

import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from domain.errors import UnreachableError
from workers.cli.context import Context, context
from workers.cli.output import show_one

if TYPE_CHECKING:
    from workers.embedded import Home

app = typer.Typer(rich_markup_mode=None)

Port = Annotated[
    int | None, typer.Option("--port", min=0, max=65535, envvar="PORT", help="Default: 9464.")
]


@app.command()
def up(
    ctx: typer.Context,
    workers: Annotated[
        int, typer.Option("--workers", min=1, max=64, help="How many worker processes.")
    ] = 2,
) -> None:
    """Start servers and every process; Ctrl-C stops them.

    Servers are embedded ones where none are configured; the schema is brought to head first, and
    everything is stopped in order. Exit code 3 where the embedded ones end for good meanwhile.
    """
    from workers import embedded
    from workers.logs import configure
    from workers.signals import survive_stop
    from workers.supervisor import Output, Supervisor
    from workers.up import programs, site
    from workers.up_lock import running_here

    here = context(ctx)
    here.prefer(BURSAR_LOG_FORMAT="console")
    home = Path(here.settings.home).absolute()
    configure(here.settings)
    with running_here(home) as note:
        if note is None:
            typer.echo(f"{home} is up already: `bursar doctor --home {home}` says how it is")
            return
        with site(here.environ, home) as made:
            lines = {
                "home": str(home),
                "database": made.addresses.database_url,
                "broker": made.addresses.broker_url,
                "health": f"{made.web_url}/ready",
                "metrics": f"{made.web_url}/metrics",
                "webhooks": f"{made.web_url}/webhooks/PROVIDER",
                "bank": made.sandbox.url if made.sandbox else made.settings.payout_provider,
                "mail": made.smtp_url,
                "next": f"bursar import payouts samples/payouts.csv --approve --home {home}",
            }
            note({name: str(value) for name, value in lines.items()})
            show_one(lines)
            typer.echo("Ctrl-C stops everything in order.")
            sys.stdout.flush()
            wanted = programs(made, here.environ, worker_copies=workers)
            own = embedded.Home(home)
            gone = partial(_are_gone, own if made.addresses.embedded else None)
            code = Supervisor(wanted, Output(sys.stdout)).run(until=gone)
            survive_stop()
            if gone():
                rule = f"see {own.log('keeper')}, and start again: `bursar up --home {home}`"
                raise UnreachableError(f"the servers of {home} have ended for good: {rule}")
    if code:
        raise typer.Exit(code)


def _are_gone(own: "Home | None") -> bool:
    """Whether embedded servers, if there are any, have nobody any more who would start them again."""
    from workers import embedded

    return own is not None and not embedded.is_kept(own)


@app.command()
def worker(
    ctx: typer.Context,
    processes: Annotated[
        int, typer.Option("--processes", min=1, max=64, help="How many processes run jobs.")
    ] = 1,
) -> None:
    """Run jobs until SIGTERM.

    Then what is under way is settled, and the rest given back.
    """
    from workers.supervisor import Beat

    here = context(ctx)
    if Beat.from_environment(here.environ) is None:
        raise typer.Exit(_supervise(here, processes))
    from workers.logs import configure
    from workers.process import run_worker

    configure(here.settings)
    raise typer.Exit(run_worker(here.settings, here.addresses))


@app.command()
def scheduler(ctx: typer.Context) -> None:
    """Turn times into runs until SIGTERM.

    Any number of schedulers may run: each tick is recorded once.
    """
    from workers.logs import configure
    from workers.scheduler import run_scheduler

    here = context(ctx)
    configure(here.settings)
    raise typer.Exit(run_scheduler(here.settings, here.addresses))


@app.command()
def web(
    ctx: typer.Context,
    port: Port = None,
    host: Annotated[str, typer.Option("--host", help="Interface to listen on.")] = "127.0.0.1",
) -> None:
    """Serve health and metrics, and take webhooks, until SIGTERM.

    /live, /ready, /health/scheduler, /metrics and POST /webhooks/PROVIDER.
    """
    from workers.logs import configure
    from workers.web import run_web

    here = context(ctx)
    configure(here.settings)
    run_web(here.settings, here.addresses, host=host, port=port)


@app.command()
def sandbox(
    ctx: typer.Context,
    port: Annotated[
        int | None,
        typer.Option("--port", min=0, max=65535, help="Default: the home's, or a free one."),
    ] = None,
    faults: Annotated[
        str | None,
        typer.Option("--faults", help="Shares of requests, such as drop=0.03,refuse=0.02."),
    ] = None,
    web: Annotated[
        str | None,
        typer.Option("--web", help="Where `bursar web` is, to be told by webhook: http://…"),
    ] = None,
) -> None:
    """Run a bank to practise on, with faults to turn on.

    It speaks the published APIs of RazorpayX payouts and of Stripe transfers.
    """
    from workers.logs import configure
    from workers.practice import run_sandbox
    from workers.supervisor import Beat

    here = context(ctx)
    configure(here.settings)
    home = Path(here.settings.home).absolute()
    tell = show_one if Beat.from_environment(here.environ) is None else None
    web_url = None if web is None else _web(web)
    run_sandbox(home, port=port, faults=faults, web_url=web_url, tell=tell)


def _web(text: str) -> str:
    from domain.errors import BadInputError
    from workers.settings.kinds import HTTP_SCHEMES, url_of

    try:
        return url_of(HTTP_SCHEMES)(text)
    except ValueError as error:
        raise BadInputError("--web", text, str(error)) from error


@app.command("mail-sink")
def mail_sink(ctx: typer.Context) -> None:
    """Take mail into files of the home until SIGTERM.

    It listens where BURSAR_SMTP_URL says.
    """
    from workers.logs import configure
    from workers.mail_sink import serve

    here = context(ctx)
    configure(here.settings)
    serve(here.settings.smtp_url or "smtp://127.0.0.1:1025", Path(here.settings.home) / "mail")


def _supervise(here: Context, processes: int) -> int:
    """Run copies of `bursar worker` under a supervisor, which watches that they take work.

    What would keep each of them from starting is said once, here, and ends the command.
    """
    from workers.logs import configure
    from workers.procfile import BURSAR
    from workers.startup import check_start
    from workers.supervisor import Output, Program, Supervisor
    from workers.up import WORKER_BEAT_SECONDS_MAX

    configure(here.settings)
    check_start(here.settings, here.addresses)
    program = Program(
        name="worker",
        arguments=(*BURSAR, "worker"),
        environment={"BURSAR_HOME": str(Path(here.settings.home).absolute())},
        copies=processes,
        beat_seconds_max=WORKER_BEAT_SECONDS_MAX,
    )
    return Supervisor([program], Output(None)).run()
