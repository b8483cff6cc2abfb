"""What a scenario is judged by, counted by payout."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

from db.chaos import pressure
from db.chaos.pressure import Phase
from tests.builders import change, owner

BEGAN = datetime.now(UTC).replace(microsecond=0)
MOVE = "INSERT INTO moves (kind, subject, source, target, actor, at) VALUES ('payout', :id, :source, :target, 'x', :at)"


def test_a_payout_counts_where_it_came_and_if_it_was_completed_in_time(database_url: str) -> None:
    """One in time, one late, one that came too shortly before the end to tell, one never completed."""
    with owner(database_url) as outside:
        for came, done in ((0, 9), (0, 11), (58, 59), (1, None)):
            life = [("PENDING", "APPROVED", came), ("PROCESSING", "COMPLETED", done)]
            id_ = uuid4()
            for source, target, second in life:
                if second is not None:
                    at = BEGAN + timedelta(seconds=second)
                    change(outside, MOVE, id=id_, source=source, target=target, at=at)
        minutes = [BEGAN + timedelta(minutes=minute) for minute in range(3)]
        with outside.begin() as tx:
            first, then = pressure.phases(tx, minutes, 10.0)
    assert first == Phase(completed=3, came=3, in_time=1)
    assert first.share == 1 / 3
    assert then == Phase(completed=0, came=0, in_time=0)
    assert then.share is None
