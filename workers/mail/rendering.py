"""From a letter to the text and HTML that are sent: one pair of templates for each kind of mail."""

from datetime import datetime
from pathlib import Path
from typing import Final, NamedTuple
from uuid import UUID

import jinja2

from domain.links import Links
from domain.mails import Letter
from domain.money import format_major

TEMPLATES: Final = Path(__file__).with_name("templates")
_LOADER: Final = jinja2.FileSystemLoader(TEMPLATES)


class Rendered(NamedTuple):
    """What a reader sees."""

    subject: str
    text: str
    html: str


class Renderer:
    """Fills templates. HTML is escaped, text is not; a fact that is missing is an error.

    Raises `jinja2.TemplateError` where a template and the facts of its kind do not fit.
    """

    def __init__(self, links: Links) -> None:
        self._links = links
        self._html = self._environment(autoescape=True)
        self._text = self._environment(autoescape=False)

    def render(self, letter: Letter) -> Rendered:
        """Return the mail as its reader sees it; its subject is the first line of the text template."""
        facts = self._facts(letter)
        name = letter.kind.value.replace(".", "_")
        subject, _, text = self._text.get_template(f"{name}.txt").render(facts).partition("\n")
        return Rendered(
            subject=subject,
            text=text.lstrip("\n"),
            html=self._html.get_template(f"{name}.html").render(facts),
        )

    def _facts(self, letter: Letter) -> dict[str, object]:
        # A name is one line, whatever somebody typed: the first line of a text is its subject.
        facts = {
            k: " ".join(v.split()) if isinstance(v, str) else v for k, v in letter.facts.items()
        }
        if "payout" in facts:
            return facts | {"payout_link": self._links.payout(UUID(str(facts["payout"])))}
        plan = UUID(str(facts["plan"]))
        facts["plan_link"] = self._links.plan(plan)
        if "entry" in facts:
            facts["offer_link"] = self._links.offer(plan, UUID(str(facts["entry"])))
        return facts

    def _environment(self, *, autoescape: bool) -> jinja2.Environment:
        environment = jinja2.Environment(
            loader=_LOADER,
            autoescape=autoescape,  # noqa: S701  of the text alone, which no browser reads
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        environment.filters["moment"] = _moment
        environment.filters["money"] = _money
        return environment


def _moment(at: object) -> str:
    return f"{datetime.fromisoformat(str(at)):%-d %B %Y, %H:%M} UTC"


def _money(amount_minor: int, currency: str) -> str:
    return f"{format_major(amount_minor, currency)} {currency}"
