"""What goes on while the processes of a demo run: the story, the table, one SIGKILL; then the verdict."""

import time
from datetime import UTC, datetime, timedelta
from typing import Final

from db import audit, progress as families
from db.engine import Database
from db.payouts import progress
from domain.appointments import SEATS, SeatState
from domain.dispersals import DISPERSALS
from domain.errors import ExpectedError, RefusedError
from domain.ledger import AccountKind
from domain.obligations import OBLIGATIONS
from domain.payouts import PayoutState
from workers.banks import open_bank
from workers.demo.cast import BUYERS
from workers.demo.lending import Lending
from workers.demo.lent import lent, reconciled
from workers.demo.look import Look, look
from workers.demo.result import Result
from workers.demo.shop import together
from workers.demo.sold import came_to_its_end, captured, places, told_once
from workers.demo.story import Story
from workers.demo.verdict import Ours, audited, promises, unforged
from workers.demo.view import View
from workers.practice import count
from workers.servers import SandboxPlan
from workers.supervisor import Supervisor
from workers.supervisor.child import Child
from workers.up import WORKER, Site

KILL_AT_SHARE: Final = 0.25
LOOK_SECONDS: Final = 0.5


class Show:
    """Called again and again while the processes run; says when it is over."""

    def __init__(
        self,
        made: Site,
        database: Database,
        view: View,
        house: Supervisor,
        result: Result,
        story: Story,
        lending: Lending,
        seconds_max: float,
    ) -> None:
        self._lending = lending
        self._story, self._scene = story, together(story.tell(), lending.tell())
        self._is_told, self._trouble = False, ""
        self._made, self._database, self._view = made, database, view
        self._house, self._result = house, result
        self._started = time.monotonic()
        self._deadline = self._started + seconds_max
        self._next = 0.0

    def step(self) -> bool:
        """Look, show, kill a worker when it is time; True when drained and judged, or too late."""
        now = time.monotonic()
        if now < self._next:
            return False
        self._next = now + LOOK_SECONDS
        try:
            seen = look(self._database, self._bank())
        except ExpectedError as error:
            self._view.say(f"no look: {error}")
            return now > self._deadline
        self._go_on()
        over = seen.drained and self._is_told
        self._view.show(seen, last=over)
        self._kill_one(seen)
        self._result.seconds = round(now - self._started, 1)
        if over:
            self._judge()
            return True
        return now > self._deadline

    def _go_on(self) -> None:
        """Let the story go on as far as it can; it ends where somebody was answered wrongly."""
        if self._is_told:
            return
        try:
            next(self._scene)
        except StopIteration:
            self._is_told = True
        except RefusedError as refused:
            self._is_told, self._trouble = True, str(refused)
            self._view.say(f"the story breaks off: {refused}")

    def _kill_one(self, seen: Look) -> None:
        if self._result.killed or seen.done < KILL_AT_SHARE * sum(seen.states.values()):
            return
        victim = _first_worker(self._house)
        if victim is not None:
            self._view.say(
                f"SIGKILL for {victim.name} (pid {victim.pid}), in the middle of its work"
            )
            self._result.killed = victim.name
            victim.kill()

    def _judge(self) -> None:
        result = self._result
        with self._database.begin() as tx:
            result.states = {r.state: (r.items, r.amount_minor) for r in progress.by_state(tx)}
            ours = [_ours(row) for row in progress.sent(tx)]
            books = {r.kind: (r.debits, r.credits) for r in progress.books(tx)}
            result.crashed_runs = progress.crashed_runs(tx)
            seen = families.states(tx, (OBLIGATIONS, DISPERSALS))
            confirmed = families.states(tx, (SEATS,))[SEATS.table].get(SeatState.CONFIRMED, 0)
        now = datetime.now(UTC)
        with open_bank(self._made.settings) as bank:
            if bank is None:
                raise AssertionError("the demo has a bank")
            theirs = list(
                bank.payouts_between(now - timedelta(hours=1), now + timedelta(seconds=5))
            )
        counted = count(self._bank())
        result.transfers, result.sends = counted.transfers, counted.sends
        result.sent_again, result.faults = counted.sent_again, counted.faults
        result.captures, result.refunds = counted.captures, counted.refunds
        letters, participants = self._story.letters(), self._story.participants
        result.participants, result.mails = len(participants), letters.total()
        result.promises = [
            *promises(ours, theirs, books),
            came_to_its_end(self._trouble),
            places(participants, len(BUYERS), confirmed),
            captured(counted, books.get(AccountKind.GATEWAY_CLEARING, (0, 0))),
            told_once(letters),
            lent(seen, books),
            reconciled(self._lending.offences),
            unforged(counted),
            audited(audit.run(self._database)),
        ]
        result.drained = True

    def _bank(self) -> SandboxPlan:
        if self._made.sandbox is None:
            raise AssertionError("the demo runs on its own bank")
        return self._made.sandbox


def _first_worker(house: Supervisor) -> Child | None:
    running = (c for c in house.children if c.program.name == WORKER and c.running)
    return next(running, None)


def _ours(row: object) -> Ours:
    return Ours(
        id=row.id,  # type: ignore[attr-defined]  # a row of `progress.sent`
        state=PayoutState(row.state),  # type: ignore[attr-defined]  # the same
        amount_minor=row.amount,  # type: ignore[attr-defined]  # the same
        generation=row.generation,  # type: ignore[attr-defined]  # the same
        is_share=row.is_share,  # type: ignore[attr-defined]  # the same
    )
