"""A batch, timed: every earning is in a payout, or there is no figure."""

import pytest

from db.bench import earned
from domain.errors import BrokenError
from workers.bench.batching import batch_seconds
from workers.bench.stand import Stand


def test_a_batch_is_timed_when_every_earning_is_in_one_payout(own_stand: Stand) -> None:
    assert batch_seconds(own_stand, 400) > 0


def test_an_earning_in_no_payout_is_no_figure(
    own_stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_whole = earned.is_whole
    monkeypatch.setattr(earned, "is_whole", lambda tx, items: is_whole(tx, items + 1))

    with pytest.raises(BrokenError, match="of 40 earnings"):
        batch_seconds(own_stand, 40)
