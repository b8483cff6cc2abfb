"""Where a race takes place: a database and a bank that every schedule finds as they were."""

from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any, Final

import psycopg
import sqlalchemy as sa

from db.engine import Database, DatabaseOptions
from domain.answers import Answer, LookUp, Report
from domain.payout_ids import reference
from domain.ports import FrozenRequest, Sought
from tests.builders import rows
from tests.fakes.bank import FakeBank
from tests.kit.judging import broken
from tests.kit.snapshot import Snapshot
from tests.links import LINKS
from tests.races.referee import Referee
from tests.races.sides import step, watch

PATIENCE: Final = "SET lock_timeout = '60s'; SET statement_timeout = '60s'; SET idle_in_transaction_session_timeout = 0"
"""A side that stands still is not late."""


class SteppedBank(FakeBank):
    """The bank in memory; every call of it is a step."""

    def submit(self, request: FrozenRequest) -> Answer:
        step("bank: submit")
        return super().submit(request)

    def find(self, reference: str) -> LookUp:
        step("bank: find")
        return super().find(reference)

    def fetch(self, sought: Sequence[Sought]) -> dict[str, Report]:
        step("bank: fetch")
        return super().fetch(sought)


class Stage:
    """The database as a worker and as an operator use it, the bank, and what was prepared."""

    def __init__(self, url: str, superuser_url: str, referee: Referee) -> None:
        self.url, self.superuser_url, self.referee = url, superuser_url, referee
        self._held = ExitStack()
        self.worker = self._held.enter_context(_opened(url, "bursar_worker"))
        self.operator = self._held.enter_context(_opened(url, "bursar_operator"))
        self.bank: FakeBank = SteppedBank()
        self.given: Any = None
        """What the race's `prepare` returned."""
        self._snapshot: Snapshot | None = None
        self._bank = FakeBank()

    def keep(self) -> None:
        """From here on `restore` brings this back."""
        self._snapshot = Snapshot(self.superuser_url)
        self._bank = _copied(self.bank)

    def restore(self) -> None:
        """Let database and bank be what they were at `keep`."""
        assert self._snapshot is not None
        self._snapshot.restore()
        kept = _copied(self._bank)
        self.bank.transfers, self.bank.submits = kept.transfers, kept.submits
        self.bank._answers, self.bank._sticky = kept._answers, kept._sticky
        self.bank.now, self.bank.reads = kept.now, kept.reads

    def close(self) -> None:
        """Close every connection that the next race does not use."""
        if self._snapshot is not None:
            self._snapshot.close()
        self._held.close()

    def judge(self) -> None:
        """Assert every invariant of the audit, and that the bank's list says what ours says."""
        amiss = broken(self.url)
        assert amiss == [], amiss
        effects = rows(
            self.worker,
            """SELECT e.subject, e.generation, e.sends, e.state, p.state AS payout, p.effect_key = e.key AS newest,
                      CASE WHEN e.taken_over THEN e.reference END AS theirs
               FROM effects e JOIN payouts p ON p.id = e.subject""",
        )
        known = {e.theirs or reference(e.subject, e.generation): e for e in effects}
        paid = [one.payout.reference for one in self.bank.transfers]
        assert len(paid) == len(set(paid)), f"paid twice: {paid}"
        assert set(paid) <= set(known), "the bank has a payment of which no intent is on record"
        for name, effect in known.items():
            if effect.sends == 0:
                assert name not in paid, f"{name} was paid, and no send of it is counted"
            if effect.state == "rejected":
                assert name not in paid, f"{name} was refused, and the bank has it"
            if effect.state == "accepted":
                assert name in paid, f"{name} is accepted, and the bank does not have it"
            if effect.payout == "COMPLETED" and effect.newest:
                assert name in paid, f"{name} is COMPLETED, and the bank does not have it"


@contextmanager
def stage(url: str, superuser_url: str) -> Iterator[Stage]:
    """A stage on a database of its own."""
    with ExitStack() as stack:
        _prepare(superuser_url)
        referee = Referee(superuser_url)
        stack.callback(referee.close)
        made = Stage(url, superuser_url, referee)
        stack.callback(made.close)
        yield made


def _prepare(superuser_url: str) -> None:
    """Deadlocks are found at once; nobody cleans up in the background, where it could block a side."""
    url = sa.make_url(superuser_url).set(drivername="postgresql")
    with psycopg.connect(url.render_as_string(hide_password=False), autocommit=True) as connection:
        connection.execute(f"ALTER DATABASE \"{url.database}\" SET deadlock_timeout = '1ms'")


def _opened(url: str, role: str) -> AbstractContextManager[Database]:
    return LINKS.opened(
        DatabaseOptions(url=url, role=role, pool_max=4, application="race"), _stepped
    )


def _stepped(database: Database) -> None:
    sa.event.listen(database.engine, "connect", _be_patient)
    watch(database.engine)


def _be_patient(connection: Any, _record: object) -> None:  # noqa: ANN401 - the driver's
    connection.execute(PATIENCE)
    connection.commit()


def _copied(bank: FakeBank) -> FakeBank:
    copy = FakeBank()
    copy.transfers, copy.submits = list(bank.transfers), list(bank.submits)
    copy._answers, copy._sticky = deque(bank._answers), set(bank._sticky)
    copy.now, copy.reads = bank.now, bank.reads
    return copy
