"""What came of events that were heard: each concluded in words, with what a person must look at."""

from dataclasses import dataclass, field
from typing import Generic, NamedTuple, TypeVar
from uuid import UUID

from domain.findings import Finding, FindingKind

ToldT = TypeVar("ToldT")


class Word(NamedTuple, Generic[ToldT]):
    """What one event of a provider tells."""

    event: UUID
    provider: str
    is_fresh: bool
    """Whether what it is about may still be on its way into this database."""
    told: ToldT


class Heard(NamedTuple):
    """What came of one event: applied, or contradicting us; and in words."""

    applied: bool
    outcome: str


@dataclass(frozen=True, slots=True)
class Hearing:
    """What is being concluded about a set of words. An event that is missing from `heard` is to come again."""

    heard: dict[UUID, Heard] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    def conclude(self, event: UUID, outcome: str, *, applied: bool = True) -> None:
        """Say what came of one event."""
        self.heard[event] = Heard(applied, outcome)

    def tell(self, kind: FindingKind, subject: str, detail: str) -> None:
        """Let a person look."""
        self.findings.append(Finding(kind=kind, subject=subject, detail=detail))

    def contradicts(self, event: UUID, kind: FindingKind, subject: str, why: str) -> None:
        """Apply nothing of an event, and let a person look."""
        self.tell(kind, subject, why)
        self.conclude(event, why, applied=False)
