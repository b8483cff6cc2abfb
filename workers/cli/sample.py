"""`sample KIND`: a made-up file to practise on, the same for the same seed."""

import sys
from typing import Annotated

import typer

app = typer.Typer(name="sample", help="Write sample files.", no_args_is_help=True)


Count = Annotated[int, typer.Option("--count", min=0, max=1_000_000)]
Seed = Annotated[int, typer.Option("--seed", min=0, max=999_999_999)]


@app.command()
def payouts(count: Count = 2_000, seed: Seed = 1) -> None:
    """Write payouts as CSV, ready for `bursar import payouts`."""
    from domain.samples import sample_payouts, write_csv

    write_csv(sample_payouts(count, seed), sys.stdout)


@app.command()
def earnings(count: Count = 2_000, seed: Seed = 1) -> None:
    """Write earnings as CSV, ready for `bursar import earnings`."""
    from domain.earning_lines import FIELDS
    from domain.sample_earnings import sample_earnings
    from domain.samples import write_csv

    write_csv(sample_earnings(count, seed), sys.stdout, FIELDS)


@app.command()
def payees(seed: Seed = 1) -> None:
    """Write the payees of `sample earnings` as CSV, ready for `bursar import payees`."""
    from domain.payee_lines import FIELDS
    from domain.sample_earnings import sample_payees
    from domain.samples import write_csv

    write_csv(sample_payees(seed), sys.stdout, FIELDS)
