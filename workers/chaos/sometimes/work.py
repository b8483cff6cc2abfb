"""What rarely happens to workers, their runs and the people beside them."""

from typing import Final

from workers.chaos.rare import FREEZE, KILLS, Rare, count, ended, event, met, ran

WITHIN: Final = (
    Rare(
        name="a zombie's settle was fenced",
        seen=event("settle.fenced"),
        faults=FREEZE,
        strikes=8,  # met by two freezes of three
        long=True,
    ),
    Rare(
        name="an answer was kept as evidence and moved nothing",
        seen=count("kept_as_evidence"),
        faults=FREEZE,
        strikes=12,  # only what was heard, and not settled yet, as it froze: an answer read later is too late
        long=True,
    ),
    Rare(
        name="a run lost its lease and noticed",
        seen=event("lease.lost"),
        faults=FREEZE,
        strikes=4,
        long=True,
    ),
    Rare(
        name="a run crashed with its process",
        seen=count("runs_crashed"),
        faults=(*KILLS, *FREEZE),
        strikes=2,
        long=True,
    ),
    Rare(
        name="a neighbour saw that a worker was dead",
        seen=event("worker.died"),
        faults=KILLS,
        strikes=2,
        long=True,
    ),
    Rare(
        name="a run stopped in order",
        seen=count("runs_stopped"),
        faults=("worker-stop", "deploy-rolling"),
        strikes=6,
        long=True,
    ),
    Rare(name="a sweep found another at work and ended", seen=count("runs_skipped")),
    Rare(name="a run was started again", seen=count("runs_started_again")),
    Rare(
        name="a worker ended in order on SIGTERM",
        seen=ended(0, "worker", "elder", "next"),
        faults=("worker-stop", "deploy-rolling"),
    ),
    Rare(name="an older release did what it knows", seen=ran("elder"), faults=("deploy-releases",)),
    Rare(
        name="a newer release made and did runs of its own",
        seen=count("made_by_the_next"),
        faults=("deploy-releases",),
    ),
    Rare(name="a person cancelled a payout in time", seen=met("cancel_moved")),
    Rare(
        name="a person met a payout in a worker's hands",
        seen=met("cancel_busy", "cancel_sent", "cancel_illegal"),
    ),
    Rare(name="a run was asked for again and stayed one", seen=met("run_asked_for_again")),
    Rare(
        name="an undisturbed worker was killed over its work",
        seen=lambda e: int(e.course.recovery is not None),
        faults=KILLS,
    ),
)
