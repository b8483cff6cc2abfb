"""`sample KIND`: a made-up file to practise on, the same for the same seed."""

import sys
from typing import Annotated

import typer

app = typer.Typer(name="sample", help="Write sample files.", no_args_is_help=True)


@app.callback()
def group() -> None:
    """Keep `payouts` a command of its own: other kinds follow."""


@app.command()
def payouts(
    count: Annotated[int, typer.Option("--count", min=0, max=1_000_000)] = 2_000,
    seed: Annotated[int, typer.Option("--seed", min=0, max=999_999_999)] = 1,
) -> None:
    """Write payouts as CSV, ready for `bursar import payouts`."""
    from domain.samples import sample_payouts, write_csv

    write_csv(sample_payouts(count, seed), sys.stdout)
