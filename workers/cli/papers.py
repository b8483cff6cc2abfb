"""How a paper leaves the command line: to stdout or into a file, in the form that was asked for."""

import json as json_module
import sys
from contextlib import redirect_stdout
from enum import StrEnum
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from domain.errors import BadInputError
from workers.cli.asking import say

if TYPE_CHECKING:
    from workers.papers.paper import Paper


class Form(StrEnum):
    """What a paper is written as."""

    TABLE = "table"
    CSV = "csv"
    HTML = "html"
    JSON = "json"


Format = Annotated[
    Form | None,
    typer.Option("--format", case_sensitive=False, help="Default: table. HTML prints as it is."),
]
Out = Annotated[Path | None, typer.Option("--out", help="Write it into this file.")]


def form_of(given: Form | None, *, json: bool) -> Form:
    """Return the form that --format and --json ask for. Raises `BadInputError` where they differ."""
    if json and given not in {None, Form.JSON}:
        raise BadInputError("--format", str(given), "must be json, or left out, beside --json")
    return Form.JSON if json else given or Form.TABLE


def write(paper: "Paper", form: Form, out: Path | None) -> None:
    """Write the paper. Raises `BadInputError` naming a file that cannot be written."""
    text = _text(paper, form)
    if out is None:
        sys.stdout.write(text)
        return
    try:
        out.write_text(text, encoding="utf-8", newline="")
    except OSError as error:
        raise BadInputError("--out", str(out), f"cannot be written: {error.strerror}") from error
    say(f"written into {out}")


def _text(paper: "Paper", form: Form) -> str:
    from workers.papers.paper import as_csv, as_html, as_json, write_text

    match form:
        case Form.JSON:
            return json_module.dumps(as_json(paper), ensure_ascii=False) + "\n"
        case Form.CSV:
            return as_csv(paper)
        case Form.HTML:
            return as_html(paper)
        case Form.TABLE:
            with redirect_stdout(StringIO()) as text:
                write_text(paper)
            return text.getvalue()
