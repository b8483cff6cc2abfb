"""How settings are shown to an operator: name, value without secrets, and where it came from."""

from collections.abc import Mapping
from itertools import chain
from typing import Final, NamedTuple
from urllib.parse import unquote

from pydantic import SecretStr

from workers.settings.kinds import CAPABILITIES, MASK, SECRETS, URLS, masked, password_of
from workers.settings.model import Settings, variable
from workers.settings.reading import FILE, FILE_VARIABLES

UNSET: Final = "-"
DEFAULT: Final = "default"


class Described(NamedTuple):
    """One setting as it may be shown."""

    name: str
    value: str
    source: str
    """`environment`, `file PATH`, `default`, or `this process`, which joined a home's sandbox."""


def describe(settings: Settings, environ: Mapping[str, str]) -> list[Described]:
    """Return every setting, in the order they are declared; `environ` is what `load` was given."""
    found = []
    for field in Settings.model_fields:
        source = _source(field, settings, environ)
        shown = _shown(field, getattr(settings, field))
        found.append(Described(variable(field), shown, source))
    return found


def _shown(field: str, value: object) -> str:
    match value:
        case None | ():
            return UNSET
        case SecretStr():
            return MASK
        case tuple():
            return ",".join(MASK if isinstance(part, SecretStr) else f"{part:g}" for part in value)
        case float():
            return f"{value:g}"
        case _:
            return masked(field, str(value))


def _source(field: str, settings: Settings, environ: Mapping[str, str]) -> str:
    name = variable(field)
    if environ.get(name, "").strip():
        return "environment"
    path = environ.get(name + FILE, "").strip()
    if path and name + FILE in FILE_VARIABLES:
        return f"file {path}"
    return "this process" if field in settings.model_fields_set else DEFAULT


def secrets_of(settings: Settings) -> list[str]:
    """Return every text that must never be shown: secrets, passwords, secret addresses."""
    found = [_exposed(getattr(settings, field)) for field in SECRETS]
    urls = [(field, getattr(settings, field)) for field in URLS]
    written = [password_of(url) for _, url in urls if url]
    passwords = [*written, *map(unquote, written)]
    capabilities = [url for field, url in urls if url and field in CAPABILITIES]
    return [text for text in [*chain.from_iterable(found), *passwords, *capabilities] if text]


def _exposed(value: object) -> list[str]:
    match value:
        case SecretStr():
            return [value.get_secret_value()]
        case tuple():
            return [part.get_secret_value() for part in value]
        case _:
            return []
