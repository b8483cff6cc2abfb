"""Procfiles."""

import sys

import pytest

from domain.errors import BadInputError
from workers.procfile import parse

TEXT = """
# what production runs
release: bursar migrate
worker: bursar worker --processes $COUNT --note 'two words'

web: /bin/echo ${COUNT}
"""


def test_lines_keep_their_order_and_bursar_is_this_installation() -> None:
    lines = parse(TEXT, "Procfile", {"COUNT": "2"})
    assert [line.name for line in lines] == ["release", "worker", "web"]
    assert lines[0].arguments == (sys.executable, "-m", "workers.cli", "migrate")
    assert lines[1].arguments[3:] == ("worker", "--processes", "2", "--note", "two words")
    assert lines[2].arguments == ("/bin/echo", "2")


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("worker", "name: command"),
        ("worker:", "name: command"),
        ("a b: c", "name: command"),
        ("a: x\na: y", "line 2: 'a': a name may stand only once"),
        ("a: x $NOBODY", "NOBODY is not set"),
        ("a: x 'open", "closing quotation"),
        ("a: x $", "placeholder"),
        ("a: ''", "no command"),
    ],
)
def test_every_mistake_names_its_line(text: str, rule: str) -> None:
    with pytest.raises(BadInputError, match="Procfile, line") as caught:
        parse(text, "Procfile", {})
    assert rule.lower() in str(caught.value).lower()
