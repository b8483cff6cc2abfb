"""From an environment to settings: names known, values checked, every complaint at once."""

import difflib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from domain.errors import BadInputError, BadInputsError
from workers.settings import rules
from workers.settings.kinds import FROM_FILES, masked
from workers.settings.model import PREFIX, Settings, variable

TESTS: Final = f"{PREFIX}TEST_"
"""Names that speak to the tests and to nobody else."""
FILE: Final = "_FILE"
FILE_BYTES_MAX: Final = 65_536
VARIABLES: Final = {variable(field): field for field in Settings.model_fields}
FILE_VARIABLES: Final = {variable(field) + FILE: field for field in FROM_FILES}


def load(environ: Mapping[str, str]) -> Settings:
    """Return the settings that `environ` holds; an empty value is a missing one.

    Reads no other environment, and no file but those that a `…_FILE` names. Raises
    `BadInputError`, or `BadInputsError` for several: the variable, its value
    (secrets masked), the rule.
    """
    given = {name: value for name, value in environ.items() if _is_ours(name)}
    errors = [*_unknown(given)]
    values: dict[str, str] = {}
    for field in Settings.model_fields:
        try:
            value = _value(field, given)
        except BadInputError as error:
            errors.append(error)
        else:
            values |= {field: value} if value else {}
    settings = _checked(values, errors)
    if settings is None or errors:
        raise errors[0] if len(errors) == 1 else BadInputsError(errors)
    return settings


def _is_ours(name: str) -> bool:
    return name.startswith(PREFIX) and not name.startswith(TESTS)


def _unknown(given: Mapping[str, str]) -> Iterator[BadInputError]:
    known = VARIABLES.keys() | FILE_VARIABLES.keys()
    for name in sorted(given.keys() - known):
        direct = name.removesuffix(FILE)
        if direct in VARIABLES:
            rule = f"is no setting: only secrets and URLs are read from files; set {direct}"
        else:
            near = difflib.get_close_matches(name, sorted(known), n=1, cutoff=0.6)
            rule = f"is no setting{f'; did you mean {near[0]}?' if near else ''}"
        yield BadInputError(name, "***", rule)


def _value(field: str, given: Mapping[str, str]) -> str:
    """Return what `field` was given directly or by file, or an empty text."""
    name = variable(field)
    direct = given.get(name, "").strip()
    path = given.get(name + FILE, "").strip() if field in FROM_FILES else ""
    if direct and path:
        raise BadInputError(name + FILE, path, f"is set beside {name}: only one of them may be")
    return _content(name + FILE, path) if path else direct


def _content(name: str, path: str) -> str:
    try:
        with Path(path).open("rb") as file:
            content = file.read(FILE_BYTES_MAX + 1)
        text = content.decode()
    except OSError as error:
        raise BadInputError(name, path, f"cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise BadInputError(name, path, "must hold UTF-8 text") from None
    if len(content) > FILE_BYTES_MAX:
        raise BadInputError(name, path, f"must hold at most {FILE_BYTES_MAX} bytes")
    return text.strip()


def _checked(values: dict[str, str], errors: list[BadInputError]) -> Settings | None:
    """Return the settings, or None with the reasons added to `errors`."""
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        found = {str(each["loc"][0]): each["msg"] for each in error.errors(include_url=False)}
        errors += [
            BadInputError(variable(field), masked(field, values.get(field, "")), _rule(message))
            for field, message in found.items()
        ]
        return None
    if not errors:
        errors += rules.broken(settings)
    return settings


def _rule(message: str) -> str:
    """Return a validator's message in our words."""
    text = message.removeprefix("Value error, ").replace("Input should be", "must be", 1)
    return text.replace("String should match pattern", "must match the pattern").partition(
        ", unable"
    )[0]
