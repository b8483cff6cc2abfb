"""The one way to change a state: compare, swap, fence, history, for a whole set.

A move needs a `LeasedTx`: a transaction in which the work rows of its subjects are locked and carry
this holder's token. `claim` and `seize` make one by giving rows a token, and `recall` where there was
no row; `regain` makes one again for settling, by comparing it. What begins and ends in one transaction
needs no token, the locks are the lease: `take` for a Chore, `hold` for an operation or a provider's word. Subjects in states
without work are moved by CAS alone, through `unleased_move` (the SQL door `bursar_move`, so there is one
implementation for every caller).

Lock order everywhere: work rows, then subjects (events, payouts, earnings, wallets), then tax years, then
accounts, then totals, each in key order.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from db import holds, work
from db.tx import Tx
from db.work import ClaimOrder, Held, Next
from domain.families import AGGREGATES
from domain.machines import Guard, Machine

TABLES: Final = {machine.kind: machine.table for machine in AGGREGATES}
"""The table of each kind of subject."""


class LeasedTx(Tx):
    """A transaction that holds work rows by token. Made by the functions below alone."""

    __slots__ = ("actor", "held", "holder")

    def __init__(self, tx: Tx, held: Iterable[Held], *, run: int | None, actor: str) -> None:
        super().__init__(tx.connection, tx.if_undone)
        self.held = {h.subject: h for h in held}
        self.holder = run
        self.actor = actor

    def settle(self, nexts: Sequence[Next]) -> None:
        """Decide what becomes of held work rows. Each subject at most once."""
        if nexts and work.settle(self, self.held, nexts) != len(nexts):
            raise AssertionError("a locked work row with our token is always there")

    def tokens(self, subjects: Iterable[UUID]) -> list[int]:
        """The token under which each of `subjects` is held, in their order."""
        held = self.held
        return [held[subject].token for subject in subjects]

    def tokens_of_operation(self, subjects: Iterable[UUID]) -> list[int | None]:
        """The same for what an operation moves: None for a subject that waits for nothing."""
        held = self.held
        return [held[subject].token if subject in held else None for subject in subjects]

    def job(self, subject: UUID) -> str:
        """The job whose row holds `subject`."""
        return self.held[subject].job


def claim(tx: Tx, job: str, order: ClaimOrder) -> LeasedTx:
    """Lease up to `order.limit` ready subjects of `job`."""
    return LeasedTx(tx, work.claim(tx, job, order), run=order.run, actor=f"run:{order.run}")


def take(tx: Tx, job: str, order: ClaimOrder) -> LeasedTx:
    """Lock up to `order.limit` ready subjects of `job`, for a Chore: nothing is written that its end does not write."""
    return LeasedTx(tx, holds.take(tx, job, order), run=order.run, actor=f"run:{order.run}")


def hold(
    tx: LeasedTx | Tx,
    *subjects: Collection[UUID],
    run: int | None,
    actor: str,
    spared: Collection[UUID] = (),
) -> LeasedTx:
    """Lock the work rows of `subjects`, for what changes all of them at once: an operation, a provider's word.

    Of several kinds of subjects those of one kind after those of another, as they are given. Waits for
    whoever works on them, and fences a holder whose row it settles. Of `spared` only what no live worker
    holds is held. What `tx` holds stays held.
    """
    mine = tx.held.values() if isinstance(tx, LeasedTx) else ()
    held = holds.hold(tx, *subjects, spared=frozenset(spared))
    return LeasedTx(tx, [*held, *mine], run=run, actor=actor)


def seize(
    tx: LeasedTx | Tx,
    subjects: Collection[UUID],
    *,
    run: int | None,
    actor: str,
    leased_too: bool,
) -> LeasedTx:
    """Take the rows of `subjects` from whoever holds them; `leased_too` only for a provider's final answer.

    What `tx` holds stays held.
    """
    wanted = dict.fromkeys(subjects, leased_too)
    mine = tx.held.values() if isinstance(tx, LeasedTx) else ()
    return LeasedTx(tx, [*work.seize(tx, wanted, run=run), *mine], run=run, actor=actor)


def recall(tx: LeasedTx, machine: Machine, job: str, subjects: Sequence[UUID]) -> LeasedTx:
    """Hold, beside what `tx` holds, subjects that wait for nothing: each by a new row of `job`.

    So that they too move under a lease alone; the settle deletes the row again, or keeps it. Whoever
    else makes work for such a subject locks it first, as this does.
    """
    if not subjects:
        return tx
    tx.rows(_LOCK[machine.kind], ids=sorted(subjects))
    made = work.recall(tx, job, subjects, run=tx.holder)
    return LeasedTx(tx, [*tx.held.values(), *made], run=tx.holder, actor=tx.actor)


_LOCK: Final = {
    kind: sa.text(f"""
    SELECT FROM {table} WHERE id = ANY(CAST(:ids AS uuid[])) ORDER BY id FOR UPDATE""")
    for kind, table in TABLES.items()
}


def regain(tx: Tx, held: Sequence[Held], *, run: int) -> LeasedTx:
    """Lock what this run still holds of `held`; what is missing from it was fenced."""
    return LeasedTx(tx, work.regain(tx, held), run=run, actor=f"run:{run}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """What became of one subject of an unleased move."""

    subject: UUID
    outcome: str
    """moved | busy | sent | illegal | missing | unlinked | dispersal | short | own | exhausted | disputed | unproven | forbidden"""
    source: str | None


def _moving(
    table: str, *, written: str = "", given: str = "", names: str = "id, token"
) -> sa.TextClause:
    """The swap of a set in `table`, and its history; `written` beside the state, from what is `given` for each."""
    return sa.text(f"""
    WITH moved AS (
      UPDATE {table} s SET state = :target, updated_at = clock_timestamp(){written}
      FROM unnest(CAST(:ids AS uuid[]), CAST(:tokens AS bigint[]){given}) AS h ({names})
      WHERE s.id = h.id AND s.state = :source
      RETURNING s.id, nullif(h.token, 0) AS token),
    -- History is fed from what the swap returned, never from what was asked for.
    history AS (
      INSERT INTO moves (kind, subject, source, target, run, actor, reason, token)
      SELECT :kind, id, :source, :target, :run, :actor, :reason, token FROM moved)
    -- All of them is the rule, and NULL says so; a list of ids is made only where it was not all.
    SELECT CASE WHEN count(*) < :asked THEN coalesce(array_agg(id), '{{}}') END FROM moved""")


def _dated(machine: Machine) -> str:
    """When a subject came where it is, as the swap writes it."""
    return "".join(
        f", {column} = CASE WHEN :target = '{state}' THEN clock_timestamp() ELSE s.{column} END"
        for state, column in machine.dates
    )


_MOVE: Final = {m.kind: _moving(m.table, written=_dated(m)) for m in AGGREGATES}
_SAY: Final = {
    machine.kind: _moving(
        machine.table,
        written=f"{_dated(machine)}, {machine.says} = h.words",
        given=", CAST(:words AS text[])",
        names="id, token, words",
    )
    for machine in AGGREGATES
    if machine.says
}
"""The same where each says what came of it: one new version of a row, not two."""


def move(
    tx: LeasedTx,
    machine: Machine,
    subjects: Sequence[UUID],
    *,
    source: str,
    target: str,
    reason: str | None = None,
    words: Mapping[UUID, str | None] | None = None,
) -> list[UUID]:
    """Move held subjects from `source` to `target` by compare-and-swap; returns those that were in `source`.

    Writes their history under the holder's token. Raises `AssertionError` for a move the machine does
    not list, or a subject this transaction does not hold. A move of an operation needs no hold: whoever
    makes it has locked the subjects. `words`, one for each, only where the machine `says` what came of it.
    """
    of_operation = source in machine.sources(target, Guard.OPERATION)
    if not of_operation and source not in machine.sources(target, Guard.LEASED):
        raise AssertionError(f"{machine.kind}: {source} to {target} is not a move under a lease")
    if not subjects:
        return []
    said = {} if words is None else {"words": [words[subject] for subject in subjects]}
    some: list[UUID] | None = tx.scalar(
        (_SAY if said else _MOVE)[machine.kind],
        kind=machine.kind,
        ids=list(subjects),
        asked=len(subjects),
        tokens=tx.tokens_of_operation(subjects) if of_operation else tx.tokens(subjects),
        source=source,
        target=target,
        run=tx.holder,
        actor=tx.actor,
        reason=reason,
        **said,
    )
    return list(subjects) if some is None else some


def unleased_move(
    tx: Tx,
    machine: Machine,
    subjects: Sequence[UUID],
    *,
    target: str,
    actor: str,
    why: str,
    due: datetime | None = None,
) -> list[Moved]:
    """Move subjects no worker holds: approve, reject, retry, cancel; one outcome each, in key order."""
    rows = tx.rows(
        sa.text(
            "SELECT * FROM bursar_move(:kind, CAST(:ids AS uuid[]), :target, :actor, :why, CAST(:due AS timestamptz))"
        ),
        kind=machine.kind,
        ids=list(subjects),
        target=target,
        actor=actor,
        why=why,
        due=due,
    )
    return [Moved(subject=row.subject, outcome=row.outcome, source=row.from_state) for row in rows]
