"""An application that is told of events, in memory: what came, what it took down, what goes wrong next."""

from dataclasses import dataclass, field
from enum import StrEnum

from domain.notices import Delivered, Delivery, Undelivered


class Trouble(StrEnum):
    """What goes wrong with one POST."""

    AWAY = "it does not arrive"
    ERROR = "it is answered 500"
    MOVED = "it is sent elsewhere"
    SLOW = "it is not answered in time"
    LOST = "it is taken down, and the answer is lost"


@dataclass
class FakeEvents:
    """Implements `Events`."""

    troubles: list[Trouble] = field(default_factory=list)
    came: list[tuple[str, str]] = field(default_factory=list)
    """(id, body) of every POST that arrived."""
    taken: list[tuple[str, str]] = field(default_factory=list)
    """Of those, what was taken down, repeats too."""

    def script(self, *troubles: Trouble) -> None:
        """Let the next POSTs meet these."""
        self.troubles += troubles

    def deliver(self, event_id: str, body: str) -> Delivery:
        """Take one event down."""
        trouble = self.troubles.pop(0) if self.troubles else None
        if trouble is not Trouble.AWAY:
            self.came.append((event_id, body))
        if trouble in {None, Trouble.LOST}:
            self.taken.append((event_id, body))
        return Delivered() if trouble is None else Undelivered(reason=trouble.name)
