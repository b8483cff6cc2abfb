"""`import customers|plans|appointments|bookings|waitlist`: records that hold no money of their own, all or nothing."""

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Final

import typer

from domain.waitlist import OFFER
from workers.cli.asking import WhyToo, reason, wake
from workers.cli.context import Context, context
from workers.cli.importing import SECONDS_MAX, DryRun, File, read_lines, tell_done
from workers.cli.output import JsonOne, progress
from workers.cli.taking_over import AsOf, told_until

if TYPE_CHECKING:
    from db.importing.records import Intake, RecordT
    from domain.records import Records


def customers(
    ctx: typer.Context,
    file: File,
    dry_run: DryRun = False,
    why: WhyToo = None,
    json: JsonOne = False,
) -> None:
    """Import who books: each external id once.

    A customer who is a payee too, and one whose organisation may pay for them, names payees that were
    imported before.
    """
    from db.bookings.import_offers import Customers
    from domain.offer_lines import CUSTOMER_RECORDS

    _bring(_Order(ctx, file, None, dry_run, why, json), Customers, CUSTOMER_RECORDS)


def plans(
    ctx: typer.Context,
    file: File,
    dry_run: DryRun = False,
    why: WhyToo = None,
    json: JsonOne = False,
) -> None:
    """Import what consultants offer: each external id once.

    A consultant nobody has told of is made, and is not paid before their account is known.
    """
    from db.bookings.import_offers import Plans
    from domain.offer_lines import PLAN_RECORDS

    _bring(_Order(ctx, file, None, dry_run, why, json), Plans, PLAN_RECORDS)


def appointments(
    ctx: typer.Context,
    file: File,
    as_of: AsOf = None,
    dry_run: DryRun = False,
    why: WhyToo = None,
    json: JsonOne = False,
) -> None:
    """Import when webinars and classes take place: each external id once.

    Without --as-of they are published, and lie ahead. With it they are another system's, as they were
    then.
    """
    from db.bookings.import_appointments import Appointments
    from domain.offer_lines import appointment_records

    order = _Order(ctx, file, as_of, dry_run, why, json)
    _bring(order, Appointments, appointment_records(order.until))


def bookings(
    ctx: typer.Context,
    file: File,
    as_of: AsOf = None,
    dry_run: DryRun = False,
    why: WhyToo = None,
    json: JsonOne = False,
) -> None:
    """Import bookings: each external id once.

    Without --as-of they are wishes, which a checkout pays for. With it they are another system's, as
    they were then, each with its place and what paid for it.
    """
    from db.bookings.import_bookings import Bookings
    from domain.booking_lines import booking_records

    order = _Order(ctx, file, as_of, dry_run, why, json)
    _bring(order, Bookings, booking_records(order.until))


def waitlist(
    ctx: typer.Context,
    file: File,
    as_of: AsOf = None,
    dry_run: DryRun = False,
    why: WhyToo = None,
    json: JsonOne = False,
) -> None:
    """Import who waits for a place: each external id once.

    Without --as-of they join the line in the order of the file. With it they are another system's
    lines, with the offers that stood then.
    """
    from db.waitlist.imports import Waitlist
    from domain.wait_lines import wait_records

    order = _Order(ctx, file, as_of, dry_run, why, json)
    if _bring(order, Waitlist, wait_records(order.until)) and not dry_run:
        wake(order.here, OFFER)


COMMANDS: Final[tuple[Callable[..., None], ...]] = (
    customers,
    plans,
    appointments,
    bookings,
    waitlist,
)


class _Order:
    """What was typed."""

    def __init__(
        self,
        ctx: typer.Context,
        file: str,
        as_of: str | None,
        dry_run: bool,
        why: str | None,
        json: bool,
    ) -> None:
        self.here: Context = context(ctx)
        self.file, self.dry_run, self.json = file, dry_run, json
        self.why = None if why is None else reason(why)
        self.until: datetime | None = None if as_of is None else told_until(self.here, as_of)


def _bring(order: _Order, kind: "type[Intake[RecordT]]", records: "Records[RecordT]") -> int:
    """Do it in one transaction, and say what was done; returns how many are new."""
    from db import changes
    from db.importing.records import RecordLines

    here, read = order.here, read_lines(order.file, records, partial=False)
    lines = RecordLines(lines=read.lines, file=read.file, rows=read.rows, as_of=order.until)
    with (
        progress("importing", len(read.lines)) as told,
        here.database().begin(SECONDS_MAX) as tx,
    ):
        intake = kind(tx, here.installation, lines, here.actor)
        done = intake.run(dry_run=order.dry_run, told=told)
        if done.created and not order.dry_run:
            said = f"{done.created} created"
            because = f"{order.why}: {said}" if order.why else said
            what = f"{kind.table}.{'import' if order.until is None else 'take_over'}"
            changes.note(tx, what, [read.file], who=here.actor, why=because)
    states = {f"created_{state}": number for state, number in sorted(done.labels.items())}
    facts = {"created": done.created, "existing": done.existing, **states}
    tell_done(read, facts, (), 0, dry_run=order.dry_run, json=order.json)
    return done.created
