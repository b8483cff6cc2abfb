"""The page about states says what the machines say."""

from pathlib import Path

from domain.families import MACHINES
from domain.states_doc import page

PAGE = Path(__file__).parents[2] / "docs" / "states.md"


def test_the_page_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), (
        "make it anew: python -m domain.states_doc > docs/states.md"
    )


def test_every_state_and_every_move_stands_in_it() -> None:
    text = page()
    for machine in MACHINES:
        for move in machine.moves:
            assert f"| {move.source} | {move.target} | {move.when} |" in text
        for state in machine.states:
            assert state in text
