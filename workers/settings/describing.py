"""How settings are shown to an operator: name, value without secrets, and where it came from."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from pydantic import SecretStr

from workers.settings.kinds import MASK, masked
from workers.settings.model import Settings, variable
from workers.settings.reading import FILE, FILE_VARIABLES

UNSET: Final = "-"


class Described(NamedTuple):
    """One setting as it may be shown."""

    name: str
    value: str
    source: str
    """`environment`, `file PATH`, `default`, or `this process`, which joined a home's sandbox."""


def describe(settings: Settings, environ: Mapping[str, str]) -> list[Described]:
    """Return every setting, in the order they are declared; `environ` is what `load` was given."""
    return [
        Described(
            variable(field),
            _shown(field, getattr(settings, field)),
            _source(field, settings, environ),
        )
        for field in Settings.model_fields
    ]


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
    return "this process" if field in settings.model_fields_set else "default"
