"""Messages that name a kind of thing read as English."""

import pytest

from domain.families import MACHINES
from domain.nouns import with_article

VOWELS = {"an appointment", "an event", "an earning", "an obligation", "an order"}


def test_every_kind_of_subject_has_its_article() -> None:
    said = {with_article(machine.kind) for machine in MACHINES}
    assert {noun for noun in said if noun.startswith("an ")} == VOWELS
    assert {"a payout", "a waitlist", "a refund"} < said


@pytest.mark.parametrize(
    ("period", "said"), [("hour", "an hour"), ("day", "a day"), ("month", "a month")]
)
def test_a_silent_letter_takes_the_article_of_a_vowel(period: str, said: str) -> None:
    assert with_article(period) == said
