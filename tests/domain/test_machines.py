"""A machine answers what may move, under which guard, and which job its states wait for."""

import pytest

from domain.machines import Call, Guard, Machine, Move
from domain.payouts import PAYOUTS, SENDERS

DOOR = Machine(
    kind="door",
    table="doors",
    initial=frozenset({"built"}),
    moves=(
        Move(source="open", target="shut", guard=Guard.LEASED, when="pushed"),
        Move(source="ajar", target="shut", guard=Guard.LEASED, when="pushed"),
        Move(source="shut", target="open", guard=Guard.UNLEASED, when="pulled"),
    ),
    calls=(
        Call(state="open", outcome=None, job="doors.shut", due="at once"),
        Call(state="open", outcome="unknown", job="doors.look", due="30 s"),
        Call(state="painted", outcome=None, job=None, due="it dries"),
    ),
)


def test_states_are_all_that_moves_calls_or_creation_name() -> None:
    assert DOOR.states == {"built", "open", "ajar", "shut", "painted"}


def test_sources_keep_table_order_and_the_guards_apart() -> None:
    assert DOOR.sources("shut", Guard.LEASED) == ("open", "ajar")
    assert DOOR.sources("shut", Guard.UNLEASED) == ()
    assert DOOR.sources("open", Guard.UNLEASED) == ("shut",)
    assert DOOR.sources("nowhere", Guard.LEASED) == ()


def test_work_is_called_for_by_state_and_outcome_together() -> None:
    assert [DOOR.call_for("open", outcome) for outcome in (None, "unknown")] == list(DOOR.calls[:2])
    assert DOOR.call_for("open", "jammed") is None
    assert DOOR.call_for("shut", None) is None


def test_a_state_listed_without_outcomes_calls_for_the_same_whatever_its_effect_says() -> None:
    assert DOOR.call_for("painted", "accepted") == DOOR.call_for("painted", None) == DOOR.calls[2]


def test_where_subjects_are_told_apart_each_kind_has_its_own_job_and_the_rest_is_shared() -> None:
    """Organisations' payouts wait for a sender of their own; whatever follows a send is one for all."""
    for state, outcome in (
        ("APPROVED", None),
        ("APPROVED", "not_sent"),
        ("PROCESSING", "intended"),
    ):
        for kind, job in SENDERS.items():
            call = PAYOUTS.call_for(state, outcome, kind)
            assert call is not None
            assert call.job == job
    for outcome in ("unknown", "accepted"):
        calls = {PAYOUTS.call_for("PROCESSING", outcome, kind) for kind in SENDERS}
        assert calls == {PAYOUTS.call_for("PROCESSING", outcome)}


def test_no_state_is_listed_both_for_all_and_for_some() -> None:
    """In SQL a state's work is found by its own kind or none: two lines would be two work rows."""
    shared = {(call.state, call.outcome) for call in PAYOUTS.calls if call.variant is None}
    apart = {(call.state, call.outcome) for call in PAYOUTS.calls if call.variant is not None}
    assert not shared & apart


def test_a_machine_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        DOOR.kind = "window"  # type: ignore[misc]  # the assignment is what must fail


def test_no_payout_state_calls_for_two_jobs_at_once() -> None:
    asked = [(call.state, call.outcome, call.variant) for call in PAYOUTS.calls]
    assert len(asked) == len(set(asked))


def test_no_payout_move_is_listed_twice_or_leads_back_to_where_it_began() -> None:
    moves = [(move.source, move.target, move.guard) for move in PAYOUTS.moves]
    assert len(moves) == len(set(moves))
    assert all(source != target for source, target, _ in moves)


def test_every_payout_state_can_be_reached() -> None:
    reached = set(PAYOUTS.initial)
    for _ in PAYOUTS.states:
        reached |= {move.target for move in PAYOUTS.moves if move.source in reached}
    assert reached == PAYOUTS.states


def test_a_payout_fails_only_under_a_lease_unsent_or_by_its_providers_word() -> None:
    """Invariants 7, 12 and 14: what was sent fails by nothing but the provider's answer."""
    assert PAYOUTS.sources("FAILED", Guard.LEASED) == ("APPROVED", "PROCESSING")
    assert PAYOUTS.sources("FAILED", Guard.UNLEASED) == ()
