"""`new job FAMILY.NAME`: the files of a new job, for whoever works on this source tree."""

from pathlib import Path
from typing import Annotated

import typer

from domain.errors import RefusedError

app = typer.Typer(name="new", help="Write the files of something new.", no_args_is_help=True)


@app.callback()
def group() -> None:
    """Keep `job` a command of its own."""


@app.command()
def job(
    name: Annotated[str, typer.Argument(metavar="FAMILY.NAME", help="Such as payouts.warn_late.")],
    shape: Annotated[str, typer.Option("--shape", help="drain, ask, chore or sweep.")] = "chore",
) -> None:
    """Write a job, its row module, its test and its crash world, and list it in the catalog.

    Nothing is overwritten. What is written works: change it into what you need.
    """
    import workers
    from workers.scaffold.naming import named
    from workers.scaffold.writing import write

    root = Path(workers.__file__).parents[1]
    if not (root / "pyproject.toml").is_file() or not (root / "tests" / "kit").is_dir():
        raise RefusedError(f"{root} is no source tree: a job is written where its tests are")
    for path in write(named(name, shape, root), root):
        typer.echo(path)
