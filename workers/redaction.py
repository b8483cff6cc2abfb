"""What may be written to a log: listed texts, plain values, and never a known secret."""

import re
from collections.abc import Iterable, Mapping, MutableMapping
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from pathlib import PurePath
from typing import Any, Final
from uuid import UUID

MASK: Final = "***"
SECRET_LENGTH_MIN: Final = 4
"""A shorter secret would blacken ordinary words."""
TEXT_LENGTH_MAX: Final = 2_000
TRACE_LENGTH_MAX: Final = 20_000
PARTS_MAX: Final = 50

TEXT_KEYS: Final = frozenset(
    {
        "actor",
        "call",
        "by",
        "cause",
        "child",
        "correlation_id",
        "currency",
        "error",
        "event",
        "event_name",
        "exit_code",
        "exit_codes",
        "finding",
        "folder",
        "holder",
        "host",
        "job",
        "jobs",
        "key",
        "kind",
        "level",
        "logger",
        "name",
        "names",
        "outcome",
        "process",
        "provider",
        "queue",
        "reason",
        "refused",
        "run",
        "run_id",
        "schedule",
        "schedules",
        "signal",
        "span_id",
        "state",
        "status",
        "subject",
        "thread",
        "threads",
        "timestamp",
        "trace_id",
        "url",
        "version",
        "what",
        "why",
        "worker",
    }
)
"""Keys under which text is written. Numbers, times and ids are written under any key."""
TRACE_KEYS: Final = frozenset({"exception", "stack"})

_PATTERNS: Final = (
    (re.compile(r"(://)[^\s/@]*:[^\s@]*@"), rf"\1{MASK}@"),
    (re.compile(r"(?i)\b(basic|bearer)\s+[a-z0-9._~+/=-]{8,}"), rf"\1 {MASK}"),
    (re.compile(r"(?i)\b((?:password|passwd|secret|token|api_key)=)[^\s&'\"]+"), rf"\1{MASK}"),
)


class Redaction:
    """A structlog processor that lets through what may be read by anybody who reads logs."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        known = {secret for secret in secrets if len(secret) >= SECRET_LENGTH_MIN}
        longest_first = sorted(known, key=len, reverse=True)
        self._secrets = re.compile("|".join(map(re.escape, longest_first))) if known else None

    def __call__(
        self, _logger: object, _method: str, event: MutableMapping[str, Any]
    ) -> Mapping[str, Any]:
        """Return `event` with every value fit to be written."""
        return {key: self._fit(key, value) for key, value in event.items()}

    def text(self, text: str, length_max: int = TEXT_LENGTH_MAX) -> str:
        """Return `text` without secrets, cut at `length_max`."""
        masked = self._secrets.sub(MASK, text) if self._secrets else text
        for pattern, replacement in _PATTERNS:
            masked = pattern.sub(replacement, masked)
        return masked if len(masked) <= length_max else f"{masked[:length_max]}…"

    def _fit(self, key: str, value: object) -> object:
        match value:
            case Enum():
                return self._fit(key, value.value)
            case None | bool() | int() | float():
                return value
            case UUID() | date() | datetime() | Decimal():
                return str(value)
            case str() | PurePath() | BaseException() if key in TRACE_KEYS:
                return self.text(str(value), TRACE_LENGTH_MAX)
            case str() | PurePath() | BaseException():
                return self.text(str(value)) if key in TEXT_KEYS else MASK
            case Mapping():
                return {
                    str(name): self._fit(key, part) for name, part in [*value.items()][:PARTS_MAX]
                }
            case list() | tuple() | set() | frozenset():
                return [self._fit(key, part) for part in [*value][:PARTS_MAX]]
            case _:
                return f"<{type(value).__name__}>"
