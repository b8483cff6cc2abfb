"""Situations a storm is there to bring about: how each is seen, and when it should have come.

A run whose faults should have brought one, and in which it never came, has proven less than it says:
it is void. What is listed without faults may come or not, and is counted alone.
"""

from typing import Final

from workers.chaos.rare import Rare, Seen


def _count(name: str) -> Seen:
    return lambda e: e.counts[name]


def _event(*names: str) -> Seen:
    return lambda e: sum(e.heard.events[name] for name in names)


def _fact(*names: str) -> Seen:
    return lambda e: sum(e.facts.get(name, 0) for name in names)


def _met(*names: str) -> Seen:
    return lambda e: sum(e.met[name] for name in names)


def _ran(process: str) -> Seen:
    return lambda e: sum(times for (name, _), times in e.heard.ran.items() if name == process)


def _exit(code: int, *names: str) -> Seen:
    return lambda e: sum(
        n for (name, found), n in e.heard.exits.items() if found == code and name in names
    )


BANK: Final = ("bank-faults",)
FREEZE: Final = ("worker-freeze",)
KILLS: Final = ("worker-kill",)
NO_DATABASE: Final = (
    *("postgres-kill", "postgres-backend", "postgres-terminate", "network-database-drop"),
    "network-database-half",
)
NO_BROKER: Final = ("redis-kill", "network-broker-drop", "network-broker-half", "redis-clients")

RARE: Final = (
    Rare(
        name="a zombie's settle was fenced",
        seen=_event("settle.fenced"),
        faults=FREEZE,
        strikes=3,
        long=True,
    ),
    Rare(
        name="an answer was kept as evidence and moved nothing",
        seen=_count("kept_as_evidence"),
        faults=FREEZE,
        strikes=3,
        long=True,
    ),
    Rare(
        name="a run lost its lease and noticed",
        seen=_event("lease.lost"),
        faults=FREEZE,
        strikes=3,
        long=True,
    ),
    Rare(
        name="a lease could not be renewed in time",
        seen=_event("renewal.failed"),
        faults=NO_DATABASE,
        strikes=8,
        long=True,
    ),
    Rare(
        name="a run crashed with its process",
        seen=_count("runs_crashed"),
        faults=(*KILLS, *FREEZE),
        strikes=2,
    ),
    Rare(
        name="a neighbour saw that a worker was dead",
        seen=_event("worker.died"),
        faults=KILLS,
        strikes=2,
    ),
    Rare(
        name="a run stopped in order",
        seen=_count("runs_stopped"),
        faults=("worker-stop", "deploy-rolling"),
        strikes=6,
        long=True,
    ),
    Rare(name="a sweep found another at work and ended", seen=_count("runs_skipped")),
    Rare(name="a run was started again", seen=_count("runs_started_again")),
    Rare(
        name="a worker ended in order on SIGTERM",
        seen=_exit(0, "worker", "elder", "next"),
        faults=("worker-stop", "deploy-rolling"),
    ),
    Rare(
        name="a send was claimed again, under the same key",
        seen=_count("sent_again"),
        faults=(*KILLS, *BANK),
    ),
    Rare(
        name="the bank was asked again under a key it knew",
        seen=_fact("keys_sent_again"),
        faults=(*KILLS, *BANK),
    ),
    Rare(
        name="an unknown payment was found to be made",
        seen=_count("unknown_then_accepted"),
        faults=BANK,
    ),
    Rare(
        name="a look-up settled what a send could not",
        seen=_count("adopted_by_look_up"),
        faults=BANK,
    ),
    Rare(
        name="a payment was put back: nothing had left",
        seen=_count("put_back"),
        faults=("network-bank-refuse",),
    ),
    Rare(
        name="a payment was refused at its first send", seen=_count("refused_at_first"), faults=BANK
    ),
    Rare(
        name="a payment failed after it was accepted",
        seen=_count("failed_at_the_bank"),
        faults=BANK,
    ),
    Rare(name="a completed payment was given back", seen=_count("given_back"), faults=BANK),
    Rare(
        name="the provider refused us, and its brake went on",
        seen=_count("braked"),
        faults=BANK,
        long=True,
    ),
    Rare(name="a person let the brake go", seen=_met("brake_lifted"), faults=BANK, long=True),
    Rare(name="a 429 cut the rate", seen=_fact("fault:rate_limit"), faults=BANK),
    Rare(
        name="a reply was lost after the payment",
        seen=_fact("fault:drop", "fault:truncate"),
        faults=BANK,
    ),
    Rare(name="a reply hung or dripped", seen=_fact("fault:hang", "fault:drip"), faults=BANK),
    Rare(
        name="an error stuck to a key for ever",
        seen=_fact("fault:sticky_error"),
        faults=BANK,
        long=True,
    ),
    Rare(
        name="the bank contradicted itself",
        seen=_fact("fault:wrong_amount", "fault:wrong_reference"),
        faults=BANK,
    ),
    Rare(name="work was parked for a person", seen=_count("parked")),
    Rare(
        name="a commit's reply was lost",
        seen=lambda e: e.commits_cut,
        faults=("network-database-commits",),
    ),
    Rare(name="a claim whose commit was in doubt was read again", seen=_event("claim.reread")),
    Rare(name="a settle whose commit was in doubt was read again", seen=_event("settle.reread")),
    Rare(
        name="a commit in doubt was read again, not repeated",
        seen=_event("claim.reread", "settle.reread"),
        faults=("network-database-commits",),
        strikes=3,
        long=True,
    ),
    Rare(
        name="an import in doubt was repeated and made nothing twice",
        seen=_met("import_in_doubt_found", "import_in_doubt_made"),
    ),
    Rare(
        name="a settle waited for the database",
        seen=_event("settle.unreachable"),
        faults=NO_DATABASE,
        strikes=4,
    ),
    Rare(
        name="a claim was not made for want of the database",
        seen=_event("claim.not_made"),
        faults=NO_DATABASE,
        strikes=6,
        long=True,
    ),
    Rare(
        name="a sweep met a database that was away",
        seen=_event("sweep.failed"),
        faults=NO_DATABASE,
        strikes=3,
    ),
    Rare(
        name="Postgres was killed with payments under way",
        seen=lambda e: e.course.processing_at_kill,
        faults=("postgres-kill",),
    ),
    Rare(
        name="Redis was wiped or killed with work queued",
        seen=lambda e: e.course.queued_at_flush,
        faults=("redis-flush", "redis-kill"),
    ),
    Rare(
        name="a worker lost Redis and found it again",
        seen=_event("broker.back"),
        faults=NO_BROKER,
        strikes=2,
    ),
    Rare(
        name="a bell could not ring",
        seen=_event("bell.away"),
        faults=NO_BROKER,
        strikes=4,
        long=True,
    ),
    Rare(
        name="a missed time was coalesced into a later one",
        seen=_count("ticks_coalesced"),
        faults=("scheduler-freeze", "scheduler-kill", *NO_DATABASE),
        strikes=12,
        long=True,
    ),
    Rare(
        name="a tick was held by maintenance",
        seen=_count("ticks_held"),
        faults=("people-maintenance",),
    ),
    Rare(name="a tick was skipped beside its twin", seen=_count("ticks_skipped")),
    Rare(
        name="more than one scheduler recorded ticks",
        seen=lambda e: max(0, e.counts["schedulers"] - 1),
        faults=("scheduler-kill",),
    ),
    Rare(
        name="a scheduler met a database that was away",
        seen=_event("scheduler.failed"),
        faults=NO_DATABASE,
        strikes=3,
    ),
    Rare(
        name="an older release did what it knows", seen=_ran("elder"), faults=("deploy-releases",)
    ),
    Rare(
        name="a newer release made and did runs of its own",
        seen=_count("made_by_the_next"),
        faults=("deploy-releases",),
    ),
    Rare(name="a person cancelled a payout in time", seen=_met("cancel_moved")),
    Rare(
        name="a person met a payout in a worker's hands",
        seen=_met("cancel_busy", "cancel_sent", "cancel_illegal"),
    ),
    Rare(
        name="a refused payout was retried under its next key",
        seen=_count("retried"),
        faults=BANK,
        long=True,
    ),
    Rare(name="a run was asked for again and stayed one", seen=_met("run_asked_for_again")),
    Rare(
        name="an undisturbed worker was killed over its work",
        seen=lambda e: int(e.course.recovery is not None),
        faults=KILLS,
    ),
)
"""The whole list; `strikes` say after how many faults a storm without it is void."""
