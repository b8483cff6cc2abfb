"""What rarely happens to servers, to the ways to them, and to times."""

from typing import Final

from workers.chaos.rare import BANK, NO_BROKER, NO_DATABASE, Rare, count, event, fact, met

AROUND: Final = (
    Rare(
        name="a lease could not be renewed in time",
        seen=event("renewal.failed"),
        faults=NO_DATABASE,
        strikes=8,
        long=True,
    ),
    Rare(
        name="a payment was put back: nothing had left",
        seen=count("put_back"),
        faults=("network-bank-refuse",),
        long=True,
    ),
    Rare(
        name="an error stuck to a key for ever",
        seen=fact("fault:sticky_error"),
        faults=BANK,
        long=True,
    ),
    Rare(
        name="a commit's reply was lost",
        seen=lambda e: e.commits_cut,
        faults=("network-database-commits",),
        long=True,
    ),
    Rare(name="a claim whose commit was in doubt was read again", seen=event("claim.reread")),
    Rare(name="a settle whose commit was in doubt was read again", seen=event("settle.reread")),
    Rare(
        name="a commit in doubt was read again, not repeated",
        seen=event("claim.reread", "settle.reread"),
        faults=("network-database-commits",),
        strikes=3,
        long=True,
    ),
    Rare(
        name="an import in doubt was repeated and made nothing twice",
        seen=met("import_in_doubt_found", "import_in_doubt_made"),
    ),
    Rare(
        name="a settle waited for the database",
        seen=event("settle.unreachable"),
        faults=NO_DATABASE,
        strikes=4,
        long=True,
    ),
    Rare(
        name="a claim was not made for want of the database",
        seen=event("claim.not_made"),
        faults=NO_DATABASE,
        strikes=6,
        long=True,
    ),
    Rare(
        name="a sweep met a database that was away",
        seen=event("sweep.failed"),
        faults=NO_DATABASE,
        strikes=3,
    ),
    Rare(
        name="Postgres was killed with payments under way",
        seen=lambda e: e.course.processing_at_kill,
        faults=("postgres-kill",),
        long=True,
    ),
    Rare(
        name="Redis was wiped or killed with work queued",
        seen=lambda e: e.course.queued_at_flush,
        faults=("redis-flush", "redis-kill"),
        long=True,
    ),
    Rare(
        name="a worker lost Redis and found it again",
        seen=event("broker.back"),
        faults=NO_BROKER,
        strikes=2,
        long=True,
    ),
    Rare(
        name="a bell could not ring",
        seen=event("bell.away"),
        faults=NO_BROKER,
        strikes=4,
        long=True,
    ),
    Rare(
        name="a missed time was coalesced into a later one",
        seen=count("ticks_coalesced"),
        faults=("scheduler-freeze", "scheduler-kill", *NO_DATABASE),
        strikes=12,
        long=True,
    ),
    Rare(
        name="a tick was held by maintenance",
        seen=count("ticks_held"),
        faults=("people-maintenance",),
        long=True,
    ),
    Rare(name="a tick was skipped beside its twin", seen=count("ticks_skipped")),
    Rare(
        name="more than one scheduler recorded ticks",
        seen=lambda e: max(0, e.counts["schedulers"] - 1),
        faults=("scheduler-kill",),
        long=True,
    ),
    Rare(
        name="a scheduler met a database that was away",
        seen=event("scheduler.failed"),
        faults=NO_DATABASE,
        strikes=3,
    ),
)
