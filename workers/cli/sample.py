"""`sample KIND`: a made-up file to practise on, the same for the same seed."""

import sys
from datetime import UTC, datetime
from typing import Annotated

import typer

app = typer.Typer(name="sample", help="Write sample files.", no_args_is_help=True)


Count = Annotated[int, typer.Option("--count", min=0, max=1_000_000, help="How many rows.")]
Seed = Annotated[
    int, typer.Option("--seed", min=0, max=999_999_999, help="The same makes the same file.")
]
After = Annotated[
    str, typer.Option("--after", help="The day after which they take place: 2031-01-01.")
]


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


@app.command()
def customers(count: Count = 200, seed: Seed = 1) -> None:
    """Write customers as CSV, ready for `bursar import customers`."""
    from domain.offer_lines import CUSTOMER_RECORDS
    from domain.sample_bookings import sample_customers
    from domain.samples import write_csv

    write_csv(sample_customers(count, seed), sys.stdout, CUSTOMER_RECORDS.fields)


@app.command()
def plans(seed: Seed = 1) -> None:
    """Write plans of consultants as CSV, ready for `bursar import plans`."""
    from domain.offer_lines import PLAN_RECORDS
    from domain.sample_bookings import sample_plans
    from domain.samples import write_csv

    write_csv(sample_plans(seed), sys.stdout, PLAN_RECORDS.fields)


@app.command()
def appointments(after: After, count: Count = 100, seed: Seed = 1) -> None:
    """Write appointments of `sample plans` as CSV, ready for `bursar import appointments`."""
    from domain.offer_lines import appointment_records
    from domain.sample_bookings import sample_appointments
    from domain.samples import write_csv

    lines = sample_appointments(count, seed, _day(after))
    write_csv(lines, sys.stdout, appointment_records(None).fields)


@app.command()
def bookings(count: Count = 500, customers: Count = 200, seed: Seed = 1) -> None:
    """Write wishes of `sample customers` for `sample plans` as CSV, ready for `bursar import bookings`."""
    from domain.booking_lines import booking_records
    from domain.sample_bookings import sample_bookings
    from domain.samples import write_csv

    lines = sample_bookings(count, max(1, customers), seed)
    write_csv(lines, sys.stdout, booking_records(None).fields)


def _day(text: str) -> datetime:
    from domain.errors import BadInputError

    try:
        day = datetime.fromisoformat(text)
        return day.replace(tzinfo=UTC)
    except ValueError as error:
        raise BadInputError("--after", text, "must be a day, such as 2031-01-01") from error
