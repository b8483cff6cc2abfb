"""Every kind of finding has a severity and a runbook that can be acted on."""

import re
from pathlib import Path

from domain.findings import SEVERITIES, Finding, FindingKind

PAGE = Path(__file__).parents[2] / "docs" / "findings.md"


def sections() -> dict[str, str]:
    """The page's sections by heading, in its order."""
    _, *parts = re.split(r"^## ", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {part.partition("\n")[0]: part.partition("\n")[2] for part in parts}


def test_every_kind_stands_in_the_one_table() -> None:
    assert list(SEVERITIES) == list(FindingKind)


def test_the_page_has_one_section_for_each_kind_and_no_other() -> None:
    assert list(sections()) == [kind.value for kind in FindingKind]


def test_every_runbook_names_its_severity_and_a_command() -> None:
    for name, text in sections().items():
        assert text.startswith(f"**{FindingKind(name).severity.value}.**"), name
        assert "`bursar " in text, name


def test_the_same_matter_has_the_same_key_whatever_is_said_of_it() -> None:
    one = Finding(kind=FindingKind.BOOKS_DRIFT, subject="cash INR", detail="off by 1")
    two = Finding(kind=FindingKind.BOOKS_DRIFT, subject="cash INR", detail="off by 2")

    assert one.key == two.key == "books-drift:cash INR"
    assert one.kind.runbook == "docs/findings.md#books-drift"
