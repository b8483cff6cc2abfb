"""A receiver of alerts in memory."""

from dataclasses import dataclass, field


@dataclass
class Receiver:
    """Implements `Alerts`: takes up to `room` alerts, then answers no."""

    room: int = 1000
    got: list[dict[str, object]] = field(default_factory=list)
    beats: int = 0

    def send(self, document: dict[str, object]) -> bool:
        """Keep one document."""
        if len(self.got) >= self.room:
            return False
        self.got.append(document)
        return True

    def heartbeat(self) -> bool:
        """Count one beat."""
        self.beats += 1
        return True
