"""A statement, timed: every line of it is matched, or there is no figure."""

import pytest

from db.bench import ended
from domain.errors import BrokenError
from workers.bench.stand import Stand
from workers.bench.stating import state


def test_a_statement_is_timed_when_every_line_of_it_is_matched(own_stand: Stand) -> None:
    seen = state(own_stand, 40)

    assert min(seen.read_seconds, seen.hold_seconds, seen.again_seconds) > 0


def test_a_line_that_is_not_matched_is_no_figure(
    own_stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    end = ended.end
    monkeypatch.setattr(ended, "end", lambda *given: end(*given)[1:])

    with pytest.raises(BrokenError, match="of 40 lines"):
        state(own_stand, 40)
