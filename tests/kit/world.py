"""A small fixed world in which one job has something to do, for whoever wants to break it there.

Each job of the catalog has one in `tests/crash/worlds/<family>_<name>.py`, listed there as `WORLDS`.
The crash explorer prepares it once and copies it for each death, so a world holds nothing itself:
what happened stands in the database and in the fakes of the scene.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from db.engine import Database, DatabaseOptions
from jobs.catalog import Ports, build
from tests.builders import RECOVER_SECONDS, House
from tests.fakes.alerts import Receiver
from tests.fakes.bank import FakeBank
from tests.fakes.events import FakeEvents
from tests.fakes.mail import FakeMail
from tests.fakes.payments import FakePayments
from tests.links import LINKS
from workers.runner.bounds import Bounds

BATCH = 3
"""Subjects in a world: as many as a run settles at once."""
LINGER_SECONDS = 20.0
"""How long a run waits to settle fewer: a world that comes to it says how many it has."""


@dataclass(kw_only=True)
class Fakes:
    """The world outside, as it remembers itself; `copy.deepcopy` copies it. A new port adds a field."""

    bank: FakeBank = field(default_factory=FakeBank)
    alerts: Receiver = field(default_factory=Receiver)
    events: FakeEvents = field(default_factory=FakeEvents)
    mail: FakeMail = field(default_factory=FakeMail)
    payments: FakePayments = field(default_factory=FakePayments)

    def ports(self) -> Ports:
        """The ports a process is given."""
        return Ports(
            bank=self.bank,
            alerts=self.alerts,
            events=self.events,
            mail=self.mail,
            payments=self.payments,
            recover_seconds=RECOVER_SECONDS,
        )


@dataclass(kw_only=True)
class Scene(House):
    """A worker's house, the database as an operator and as its owner have it, and the world outside."""

    operator: Database
    owner: Database
    fakes: Fakes

    @property
    def url(self) -> str:
        """Where the database is, as its owner."""
        return self.owner.options.url


class World(ABC):
    """Where `job` has something to do; `variant` tells several worlds of one job apart.

    `job` is a name of the catalog; an operator's door is named by its command and has an `act` of its own.
    """

    job: str
    variant: str = ""
    asks_again: bool = False
    """Whether whoever began `act` and was not answered begins it again, as an operator does."""
    subjects: int = BATCH
    """How many of them there are."""
    parks: bool = False
    """Whether something here waits for a person in the end."""

    @property
    def in_step(self) -> Bounds:
        """One call after the other, and all settled together: so that every run of a world goes the same way."""
        return Bounds(batch_max=self.subjects, concurrency=1, linger_seconds=LINGER_SECONDS)

    @property
    def name(self) -> str:
        """How reports call it."""
        return f"{self.job} ({self.variant})" if self.variant else self.job

    def fakes(self) -> Fakes:
        """The world outside at the beginning, with what it will answer."""
        return Fakes()

    @abstractmethod
    def prepare(self, scene: Scene) -> None:
        """Bring database and fakes to where the job has something to do. Called once."""

    def act(self, scene: Scene) -> None:
        """What the process does that is to die: it asks for a run of the job, and executes it."""
        scene.runner.execute(scene.request(self.job))

    def passes(self, scene: Scene) -> None:
        """What the world outside does meanwhile, again and again until all is quiet: banks pay, refunds arrive."""
        scene.bank.finish()
        scene.fakes.payments.finish()

    @abstractmethod
    def check(self, scene: Scene) -> None:
        """Assert what must have come of it, beside every promise of the audit and of the bank."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Doors:
    """One database, as each role has it."""

    worker: Database
    operator: Database
    owner: Database


@contextmanager
def doors(url: str, application: str = "healthy") -> Iterator[Doors]:
    """The database at `url`; no connection is made before it is needed."""
    with ExitStack() as stack:

        def opened(role: str | None) -> Database:
            options = DatabaseOptions(url=url, role=role, pool_max=6, application=application)
            return stack.enter_context(LINKS.opened(options))

        yield Doors(
            worker=opened("bursar_worker"), operator=opened("bursar_operator"), owner=opened(None)
        )


def scene(
    doors: Doors,
    fakes: Fakes,
    *,
    bounds: Bounds | None = None,
    through: Callable[[Ports], Ports] = lambda ports: ports,
) -> Scene:
    """A scene behind `doors`; `through` may put something between jobs and ports."""
    return Scene(
        database=doors.worker,
        operator=doors.operator,
        owner=doors.owner,
        bank=fakes.bank,
        fakes=fakes,
        jobs=build(through(fakes.ports())),
        bounds=bounds or Bounds(),
    )
