"""The four shapes a job can have. Each says what it may touch: a transaction or the outside, never both.

Drain: claim, effect outside, settle; for what changes the world.
Ask: claim, one read for up to a page of items, settle; a read needs no effects row.
Chore: claim and settle in one transaction; nothing outside.
Sweep: bounded transactions under the lease `job:<name>`, its cursor kept on the run.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar, Generic, NamedTuple, Self, TypeVar
from uuid import UUID

from db.batch import Batch, Item
from db.runs import Known
from db.transitions import LeasedTx
from db.tx import Tx
from db.work import ClaimOrder
from domain.tally import Tally
from jobs.ports import Ports


class Queue(StrEnum):
    """Which threads a job's runs are executed by."""

    MONEY = "money"
    REST = "rest"


StillMine = Callable[[], bool]
"""Whether the lease on the item surely outlives one more call."""

ItemT = TypeVar("ItemT", bound=Item)
ResultT = TypeVar("ResultT")


class Answer(NamedTuple, Generic[ItemT, ResultT]):
    """One item and what its effect returned."""

    item: ItemT
    result: ResultT


class Job(ABC):
    """What can be done. `summary` is its first docstring line; listed in `jobs/catalog.py`."""

    name: ClassVar[str]
    queue: ClassVar[Queue]
    shape: ClassVar[str]
    version: ClassVar[int] = 1
    width_max: ClassVar[int] = 2
    """Runs of this job that may be queued or running at once."""
    scope_keys: ClassVar[frozenset[str]] = frozenset()
    """Names a `--scope` may use; the first subject key narrows a claim."""
    triggerable: ClassVar[bool] = False
    """Whether an application may ask for a run of it over HTTP."""
    options: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    """Names a `--scope` may use that narrow nothing, with the values each may have, its default first."""
    gates: Sequence[str] = ()
    """Switches that hold this job back, such as its provider's brake."""
    limit: str | None = None
    """The rate limit whose permits are taken before a claim."""

    @classmethod
    def made(cls, ports: Ports) -> Self | None:  # noqa: ARG003 - most need none of them
        """This job as a process with `ports` runs it; None where the process lacks one it needs."""
        return cls()

    def foresee(self, tx: Tx, scope: Mapping[str, Any]) -> Mapping[str, object] | None:
        """What a run with this scope would do now, for a dry run; None where its due work says it. Writes nothing."""
        return None

    def known(self) -> Known:
        """What a process that can run this job tells the database about it."""
        return Known(
            job=self.name,
            queue=self.queue.value,
            version=self.version,
            width_max=self.width_max,
            more_gates=tuple(self.gates),
        )

    def in_doubt(self, tx: Tx, subjects: Collection[UUID]) -> Mapping[UUID, str]:
        """Of subjects that are given up: those whose call may have begun, with the job that asks what came of it."""
        return {}

    @classmethod
    def summary(cls) -> str:
        """What it does, in one line."""
        return (cls.__doc__ or "").strip().split("\n")[0]


SeenT = TypeVar("SeenT")
HeardT = TypeVar("HeardT")


class Preflight(ABC, Generic[SeenT, HeardT]):
    """What the outside is asked before a run claims anything. What cannot be asked holds nothing back."""

    @abstractmethod
    def look(self, tx: Tx, only: Sequence[UUID] | None) -> SeenT | None:
        """What is due, of everything or of the subjects that a scope names; None: there is nothing to ask."""

    @abstractmethod
    def ask(self, seen: SeenT) -> HeardT:
        """Ask outside, once, with no transaction open. Raises `ExpectedError` where nobody can tell."""

    @abstractmethod
    def conclude(self, tx: Tx, seen: SeenT, heard: HeardT) -> str | None:
        """Why the run claims nothing, written down for people too; None lets it go on."""


class Drain(Job, Generic[ItemT, ResultT]):
    """Claim a set, act on each item outside, settle the set."""

    shape = "drain"
    is_strict: ClassVar[bool] = False
    """Whether a run has failed in which an item failed or must wait for a person."""
    preflight: Preflight[Any, Any] | None = None
    """Asked once at the beginning of a run that no switch holds back."""
    call_seconds_max: float
    """The longest one effect may take, in all; a call starts only while its lease has more left."""

    @abstractmethod
    def claim(self, tx: Tx, order: ClaimOrder) -> Batch[ItemT]:
        """Lease up to `order.limit` items and commit to acting on them."""

    @abstractmethod
    def effect(self, item: ItemT, still_mine: StillMine) -> ResultT:
        """Act outside on one item. No transaction is open; nothing it may raise is expected.

        A first call may take `call_seconds_max`; before a second one, ask `still_mine` again.
        """

    def brace(self, tx: Tx, answers: Sequence[Answer[ItemT, ResultT]]) -> None:
        """Lock the work rows beside the items that `settle` changes too and that come before them in lock order."""

    @abstractmethod
    def settle(self, tx: LeasedTx, answers: Sequence[Answer[ItemT, ResultT]]) -> Tally:
        """Write down what the answers mean for the items this transaction holds."""

    @abstractmethod
    def broke(self, item: ItemT, error: Exception) -> ResultT:
        """What is known when `effect` raised, or was given up: at worst, that nobody knows."""

    def release(self, tx: LeasedTx, items: Sequence[ItemT]) -> None:
        """Take back what `claim` committed to for items whose effect never began."""

    def keep_evidence(self, tx: Tx, answers: Sequence[Answer[ItemT, ResultT]], run: int) -> None:
        """Keep answers that came after the lease was lost: they may move nothing."""

    def evident(self, tx: Tx, answers: Sequence[Answer[ItemT, ResultT]]) -> set[UUID]:
        """Which answers were settled by a transaction whose commit is in doubt."""
        return set()


class Ask(Drain[ItemT, ResultT]):
    """Claim a set, ask about up to a page of items with one read, settle the set."""

    shape = "ask"
    page_max: ClassVar[int] = 100

    @abstractmethod
    def ask(self, items: Sequence[ItemT]) -> Sequence[ResultT]:
        """Read what the outside says of `items`, one result each in their order."""

    def effect(self, item: ItemT, still_mine: StillMine) -> ResultT:
        """Ask about one."""
        return self.ask([item])[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What one transaction of a Chore did; `taken` 0 means nothing was ready."""

    taken: int
    tally: Tally


class Chore(Job):
    """Claim and settle in one transaction: the row locks are the lease."""

    shape = "chore"
    sets: ClassVar[int] = 1
    """How many sets of the usual size one transaction takes: more where an item costs microseconds."""

    @abstractmethod
    def work(self, tx: Tx, order: ClaimOrder) -> Done:
        """Do up to `order.limit` items, wholly inside `tx`."""

    def give_up(self, tx: LeasedTx, subject: UUID, reason: str) -> bool:
        """Conclude an item that broke a rule on its last try; False, or a raise, parks it for a person to see."""
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What one transaction of a Sweep did, and where the next begins; cursor None ends it."""

    cursor: Mapping[str, Any] | None
    tally: Tally


class Sweep(Job):
    """Bounded transactions, one after another, under the lease `job:<name>`."""

    shape = "sweep"
    width_max = 1

    @abstractmethod
    def page(self, tx: Tx, cursor: Mapping[str, Any], run: int) -> Page:
        """Do the part that begins at `cursor` ({} at first)."""

    def outside(self) -> Tally:
        """Act outside between pages (send alerts); no transaction is open."""
        return Tally()
