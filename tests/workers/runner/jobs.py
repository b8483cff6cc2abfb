"""Small jobs of the two shapes that payouts do not have."""

import threading
from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from db import work
from db.transitions import LeasedTx
from db.tx import Tx
from db.work import ClaimOrder, Next
from domain.tally import Count, Tally
from jobs.shapes import Chore, Done, Page, Queue, Sweep

EXPIRE = "tests.expire"
COUNT = "tests.count"


class Expire(Chore):
    """Let due rows go, in the transaction that claimed them."""

    name = EXPIRE
    queue = Queue.REST

    def __init__(self, poison: UUID | None = None) -> None:
        self.poison = poison

    def work(self, tx: Tx, order: ClaimOrder) -> Done:
        held = work.claim(tx, self.name, order)
        work.settle(
            tx, {h.subject: h for h in held}, [Next(subject=h.subject, job=None) for h in held]
        )
        if self.poison in {h.subject for h in held}:
            tx.scalar(sa.text("SELECT 1 / 0"))
        done = len(held)
        return Done(taken=done, tally=Tally({Count.PROCESSED: done, Count.SUCCEEDED: done}))


class Stubborn(Expire):
    """Gives its poison up by `way`, after it has settled it: what comes of that is to be undone with it."""

    def __init__(self, poison: UUID, way: Callable[[LeasedTx], bool]) -> None:
        super().__init__(poison)
        self.way = way

    def give_up(self, tx: LeasedTx, subject: UUID, reason: str) -> bool:
        tx.settle([Next(subject=subject, job=None)])
        return self.way(tx)


class CountUp(Sweep):
    """Count from 0 to `until`, a page each, noting each number as a finding-free fact."""

    name = COUNT
    queue = Queue.REST

    def __init__(self, until: int, at: Callable[[int], None] = lambda _: None) -> None:
        self.until, self.at = until, at
        self.pages: list[int] = []
        self.outsides = 0
        self.lock = threading.Lock()

    def page(self, tx: Tx, cursor: Mapping[str, Any], run: int) -> Page:
        n = int(cursor.get("n", 0))
        tx.run(
            sa.text(
                "INSERT INTO switch_changes (name, is_on, who, why) VALUES ('n', true, 'sweep', :n)"
            ),
            n=str(n),
        )
        self.at(n)
        with self.lock:
            self.pages.append(n)
        tally = Tally({Count.PROCESSED: 1, Count.SUCCEEDED: 1})
        return Page(cursor={"n": n + 1} if n + 1 < self.until else None, tally=tally)

    def outside(self) -> Tally:
        self.outsides += 1
        return Tally()
