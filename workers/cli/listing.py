"""Listings: what every one of them takes is declared here once, so that none can lack an option."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Concatenate, Final, Generic, ParamSpec, TypeVar

import typer

from workers.cli.output import Json, Row, money_totals, show

if TYPE_CHECKING:
    from db.tx import Rows

Key = TypeVar("Key")
Own = ParamSpec("Own")

STATE: Final = typer.Option("--state", case_sensitive=False, help="Only what stands so.")
Csv = Annotated[bool, typer.Option("--csv", help="CSV with a header, safe to open in a sheet.")]
Limit = Annotated[int, typer.Option("--limit", min=1, max=100_000, help="At most so many rows.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked(Generic[Key]):
    """Which page of a listing; `after` is the key of the last row of the page before."""

    after: Key | None
    limit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One page. `fields` are the names JSON and CSV hold, in order, whether or not there are rows."""

    rows: Sequence[Row]
    fields: Sequence[str]
    totals: Mapping[str, int] | None = None


def found(
    page: "Rows",
    told: Callable[[dict[str, object]], dict[str, object]] = dict,
    *,
    total: str | None = None,
) -> Found:
    """Return a page of the database as a listing shows it.

    `told` changes one row; `total` names the field whose sums stand at the foot.
    """
    rows = [told(row._asdict()) for row in page]
    sums = None if total is None else money_totals(rows, total)
    return Found(rows=rows, fields=tuple(told(dict.fromkeys(page.fields))), totals=sums)


def listing(
    *, columns: Sequence[str], key: str, read: Callable[[str, str], Key | None], empty: str
) -> Callable[[Callable[Concatenate[typer.Context, Asked[Key], Own], Found]], Callable[..., None]]:
    """Make a command of a function that finds one page: it gets --limit, --after, --json and --csv.

    `columns` are what the table shows (none: every field), `key` is the field that --after takes, read by `read(text,
    option)`. A state is the function's own option, by `STATE`.
    """

    def made(
        find: Callable[Concatenate[typer.Context, Asked[Key], Own], Found],
    ) -> Callable[..., None]:
        def command(
            ctx: typer.Context,
            limit: int,
            after: str | None,
            json: bool,
            csv: bool,
            *args: Own.args,
            **own: Own.kwargs,
        ) -> None:
            if ctx.invoked_subcommand is not None:
                return
            start = None if after is None else read(after, "--after")
            page = find(ctx, Asked(after=start, limit=limit), *args, **own)
            show(
                page.rows,
                columns or page.fields,
                fields=page.fields,
                key=key,
                json=json,
                csv=csv,
                totals=page.totals,
                empty=empty,
            )

        _sign(command, find, key)
        return command

    return made


def word(text: str, _option: str) -> str:
    """Read a key that is a name."""
    return text


def _sign(command: Callable[..., None], find: Callable[..., Found], key: str) -> None:
    """Give the command the options of the function and those of every listing."""
    after = Annotated[
        str | None, typer.Option("--after", help=f"The last {key} of the page before.")
    ]
    shared = {
        "limit": (Limit, 50),
        "after": (after, None),
        "json": (Json, False),
        "csv": (Csv, False),
    }
    ctx, _, *own = inspect.signature(find, eval_str=True).parameters.values()
    added = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=kind)
        for name, (kind, default) in shared.items()
    ]
    command.__name__, command.__doc__ = find.__name__, find.__doc__
    command.__annotations__ = {}
    command.__signature__ = inspect.Signature(  # type: ignore[attr-defined]  # what inspect reads
        [ctx, *(p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in own), *added]
    )
