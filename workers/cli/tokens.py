"""Tokens that are shown once: random, of which the database keeps a hash."""

import secrets
from typing import Final

import typer

from workers.cli.output import show_one

TOKEN_BYTES: Final = 32


def fresh() -> str:
    """Return a new token."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def tell(kind: str, name: str, token: str, use: str, *, json: bool) -> None:
    """Show the token of a `kind` called `name`, this once, and how it is used."""
    show_one({kind: name, "token": token}, json=json)
    typer.echo(f"keep it: it is shown this once. {use}", err=True)
