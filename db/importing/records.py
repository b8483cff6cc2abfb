"""Imports of records that hold no money of their own: all of a file or nothing, each external id once.

What a file said of an external id is kept as it said it, so the same again is known to be the same, and
anything else is an error that names the field.
"""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from json import dumps
from typing import ClassVar, Final, Generic, Protocol, TypeVar
from uuid import UUID

import sqlalchemy as sa

from db.importing.order import ERRORS_MAX, SET_MAX, Told
from db.tx import Row, Tx
from domain.errors import BadInputError, BadInputsError
from domain.nouns import with_article
from domain.payout_ids import numbers

WAIT_SECONDS: Final = 60
"""How long an import waits for another one to end."""


class Record(Protocol):
    """One valid row of a file."""

    @property
    def external_id(self) -> str:
        """What another system calls it."""

    @property
    def record(self) -> tuple[str, ...]:
        """Its texts in the order of its fields; one spelling each."""

    @property
    def label(self) -> str:
        """What it is counted under, where a file's lines are told apart; else empty."""


RecordT = TypeVar("RecordT", bound=Record)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordLines(Generic[RecordT]):
    """What is to be brought in, and where each line comes from."""

    lines: Sequence[RecordT]
    file: str
    rows: Sequence[int]
    as_of: datetime | None = None
    """Up to when another system's word holds; None: all of it is asked for here."""

    def place(self, at: int) -> str:
        """Name the line at index `at` in an error."""
        return f"{self.file} row {self.rows[at]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class New(Generic[RecordT]):
    """A line that nothing was imported under yet: its index in the file, and the id it gets."""

    at: int
    id: UUID
    line: RecordT


@dataclass(slots=True, kw_only=True)
class Kept:
    """What an import did: `labels` counts what is new where its lines are told apart, `amounts` sums it by currency."""

    created: int
    existing: int
    labels: Counter[str] = field(default_factory=Counter)
    amounts: Mapping[str, int] = field(default_factory=dict)


_ALONE: Final = sa.text("""
    SELECT set_config('lock_timeout', :wait, true), pg_advisory_xact_lock(hashtextextended('bursar import records', 0))""")
_SAID: Final = sa.text("""
    SELECT subject, record FROM imported_records WHERE subject = ANY(CAST(:ids AS uuid[]))""")
_REMEMBER: Final = sa.text("""
    INSERT INTO imported_records (subject, kind, as_of, record, imported_by)
    SELECT g.id, :kind, :as_of, CAST(g.record AS json), :actor
    FROM unnest(CAST(:ids AS uuid[]), CAST(:records AS text[])) AS g (id, record)""")


class Intake(ABC, Generic[RecordT]):
    """One import under way. A kind says what is wrong with its new lines, and writes those that are right."""

    kind: ClassVar[str]
    table: ClassVar[str]
    fields: ClassVar[tuple[str, ...]]

    def __init__(self, tx: Tx, installation: UUID, order: RecordLines[RecordT], actor: str) -> None:
        self.tx, self.installation, self.order, self.actor = tx, installation, order, actor
        self.errors: list[BadInputError] = []

    def run(self, *, dry_run: bool = False, told: Told = lambda _: None) -> Kept:
        """Bring the lines in, or with `dry_run` say what that would do.

        Raises `BadInputsError` naming file, row and field; nothing is to be committed then.
        """
        self.tx.row(_ALONE, wait=f"{WAIT_SECONDS}s")
        new = self._new()
        self.judge(new)
        if self.errors:
            more = max(0, len(self.errors) - ERRORS_MAX)
            raise BadInputsError(self.errors[:ERRORS_MAX], more=more)
        for part in _sets(new):
            if not dry_run:
                self.insert(part)
                self._remember(part)
            told(len(part))
        if not dry_run:
            self.finish(new)
        labels = Counter(one.line.label for one in new if one.line.label)
        existing = len(self.order.lines) - len(new)
        return Kept(created=len(new), existing=existing, labels=labels, amounts=self.amounts(new))

    @abstractmethod
    def judge(self, new: Sequence[New[RecordT]]) -> None:
        """Find what new lines name, and `blame` those that may not be; called once, for all of them."""

    @abstractmethod
    def insert(self, part: Sequence[New[RecordT]]) -> None:
        """Write one set of lines."""

    def finish(self, new: Sequence[New[RecordT]]) -> None:
        """Do what is left once all are written."""

    def amounts(self, _new: Sequence[New[RecordT]]) -> Mapping[str, int]:
        """What the new lines come to, in minor units by currency; of lines that hold no money nothing."""
        return {}

    def blame(self, one: New[RecordT], field: str, value: object, rule: str) -> None:
        """Say that a line may not be brought in."""
        place = f"{self.order.place(one.at)} field {field}"
        self.errors.append(BadInputError(place, value, rule))

    def known(
        self,
        statement: sa.TextClause,
        new: Sequence[New[RecordT]],
        field: str,
        name: Callable[[RecordT], str | None],
        rule: str,
    ) -> Mapping[str, Row]:
        """What `statement` finds by `:names`, by its `name`; whoever names another is blamed with `rule`."""
        asked = [(one, said) for one in new if (said := name(one.line)) is not None]
        found = {
            row.name: row
            for part in _sets(sorted({said for _, said in asked}))
            for row in self.tx.rows(statement, names=list(part))
        }
        for one, said in asked:
            if said not in found:
                self.blame(one, field, said, rule)
        return found

    def _new(self) -> list[New[RecordT]]:
        """The lines that are not there yet; of the others those that differ are blamed."""
        names = [line.external_id for line in self.order.lines]
        ids = [UUID(int=n) for n in numbers(self.installation, self.kind, names)]
        every = [
            New(at=at, id=id_, line=line)
            for at, (id_, line) in enumerate(zip(ids, self.order.lines, strict=True))
        ]
        new: list[New[RecordT]] = []
        for part in _sets(every):
            said = {r.subject: r.record for r in self.tx.rows(_SAID, ids=[o.id for o in part])}
            for one in part:
                if one.id in said:
                    self._compare(one, said[one.id])
            fresh = [one for one in part if one.id not in said]
            self._refuse_strangers(fresh)
            new += fresh
        return new

    def _compare(self, one: New[RecordT], said: Sequence[str]) -> None:
        for name, ours, theirs in zip(self.fields, one.line.record, said, strict=True):
            if ours != theirs:
                rule = (
                    f"external_id {one.line.external_id} was imported with {theirs!r}: the same id "
                    "must carry the same content"
                )
                self.blame(one, name, ours, rule)

    def strangers(self, names: Collection[str]) -> set[str]:
        """Which of these external ids are there without a file that brought them in."""
        statement = sa.text(
            f"SELECT external_id FROM {self.table} WHERE external_id = ANY(CAST(:names AS text[]))"
        )
        return {row.external_id for row in self.tx.rows(statement, names=list(names))}

    def _refuse_strangers(self, fresh: Sequence[New[RecordT]]) -> None:
        names = {one.line.external_id: one for one in fresh}
        for name in sorted(self.strangers(names)) if names else ():
            rule = f"is {with_article(self.kind)} already that no file brought in"
            self.blame(names[name], "external_id", name, rule)

    def _remember(self, part: Sequence[New[RecordT]]) -> None:
        self.tx.run(
            _REMEMBER,
            kind=self.kind,
            as_of=self.order.as_of,
            actor=self.actor,
            ids=[one.id for one in part],
            records=[dumps(one.line.record) for one in part],
        )


ThingT = TypeVar("ThingT")


def _sets(things: Sequence[ThingT]) -> Iterator[Sequence[ThingT]]:
    for start in range(0, len(things), SET_MAX):
        yield things[start : start + SET_MAX]
