"""Reads a file of records into valid lines and named errors, row by row, in bounded memory."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from io import BufferedReader, TextIOWrapper
from os import fsencode
from pathlib import Path
from typing import Any, Final, Generic

from domain.errors import BadInputError, BadInputsError
from domain.records import LineT, Records, shown
from workers.csv_rows import Row, csv_rows
from workers.json_rows import json_rows

ERRORS_MAX: Final = 50
"""Errors that are named; the rest are counted."""

LINE_CHARS_MAX: Final = 65_536
"""Characters in one line of a file: a file without line ends is refused, not swallowed."""

PROGRESS_ROWS: Final = 5_000
"""Rows between two calls of a progress callback."""

_FOREIGN: Final = {
    b"\xff\xfe": "is UTF-16: save it as UTF-8",
    b"\xfe\xff": "is UTF-16: save it as UTF-8",
    b"PK\x03\x04": "is a workbook or zip archive: save the sheet as CSV (UTF-8)",
    b"\x1f\x8b": "is compressed: unpack it first",
}


class Form(StrEnum):
    """How a file writes its records."""

    CSV = "csv"
    JSONL = "jsonl"


_SUFFIXES: Final = {".csv": Form.CSV, ".jsonl": Form.JSONL, ".ndjson": Form.JSONL}

Progress = Callable[[int, int], None]
"""Told rows read so far and bytes read so far (0 where the file is a pipe)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordFile(Generic[LineT]):
    """What a file holds: valid lines, the row of each, and what is wrong with the others.

    Of rows that share a key none is among `lines`: nobody can know which one is meant.
    """

    file: str
    lines: list[LineT]
    rows: list[int]
    errors: list[BadInputError]
    more: int
    """Errors beyond those named in `errors`."""

    def whole(self) -> "RecordFile[LineT]":
        """Return the file where nothing is wrong with it; raise `BadInputsError` otherwise."""
        if self.errors:
            raise BadInputsError(self.errors, more=self.more)
        return self


def read_file(
    path: Path,
    kind: Records[LineT],
    *,
    form: Form | None = None,
    rows_max: int = 1_000_000,
    progress: Progress | None = None,
) -> RecordFile[LineT]:
    """Read the file at `path`; its suffix (or first byte) tells the form where `form` does not.

    Raises `BadInputError` where the file cannot be opened; all other errors are in the result.
    """
    try:
        with path.open("rb") as stream:
            return read_stream(
                stream,
                fsencode(path).decode(errors="replace"),
                kind,
                form=form or _SUFFIXES.get(path.suffix.lower()),
                rows_max=rows_max,
                progress=progress,
            )
    except OSError as error:
        rule = f"cannot be read: {error.strerror}"
        raise BadInputError("file", fsencode(path).decode(errors="replace"), rule) from error


def read_stream(
    stream: "BufferedReader[Any]",
    file: str,
    kind: Records[LineT],
    *,
    form: Form | None = None,
    rows_max: int = 1_000_000,
    progress: Progress | None = None,
) -> RecordFile[LineT]:
    """Read records from an open binary `stream`, left open, that errors call `file`.

    Standard input is `open(0, "rb", closefd=False)`.
    """
    head = stream.peek(4)
    for mark, rule in _FOREIGN.items():
        if head.startswith(mark):
            error = BadInputError(file, head[:4], rule)
            return RecordFile(file=file, lines=[], rows=[], errors=[error], more=0)
    first = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    if first == b"[" and form is None:
        rule = (
            "is a JSON array: write one object per line, as `jq -c '.[]'` does, and call it .jsonl"
        )
        error = BadInputError(file, first.decode(), rule)
        return RecordFile(file=file, lines=[], rows=[], errors=[error], more=0)
    if form is None:
        form = Form.JSONL if first == b"{" else Form.CSV
    text = TextIOWrapper(stream, encoding="utf-8-sig", errors="surrogateescape", newline="")
    try:
        lines = _lines(text, file)
        rows = (
            csv_rows(lines, file, kind.fields, kind.absent)
            if form is Form.CSV
            else json_rows(lines, file, kind)
        )
        return _Collector(file, kind, rows_max).collect(rows, partial(_tell, stream, progress))
    finally:
        text.detach()


def _lines(text: TextIOWrapper, file: str) -> Iterator[str]:
    """Yield lines as an editor counts them; bytes that are no UTF-8 become lone surrogates."""
    for row, line in enumerate(iter(partial(text.readline, LINE_CHARS_MAX), ""), start=1):
        if len(line) == LINE_CHARS_MAX:
            rule = f"must be shorter than {LINE_CHARS_MAX} characters; reading stopped here"
            raise BadInputError(f"{file} row {row}", shown(line), rule)
        yield line


def _tell(stream: "BufferedReader[Any]", progress: Progress | None, rows: int) -> None:
    if progress:
        progress(rows, stream.tell() if stream.seekable() else 0)


class _Collector(Generic[LineT]):
    """Gathers valid lines and a bounded number of errors, and finds keys that repeat."""

    def __init__(self, file: str, kind: Records[LineT], rows_max: int) -> None:
        self.file = file
        self.kind = kind
        self.rows_max = rows_max
        self.lines: list[LineT] = []
        self.rows: list[int] = []
        self.errors: list[BadInputError] = []
        self.more = 0
        self.index_of: dict[str, int] = {}
        self.repeated: set[int] = set()

    def collect(
        self, rows: Iterator[Row | BadInputError], tell: Callable[[int], None]
    ) -> RecordFile[LineT]:
        """Read all `rows` and say what they hold."""
        read = 0
        try:
            for read, item in enumerate(rows, start=1):
                self._take(item)
                if read % PROGRESS_ROWS == 0:
                    tell(read)
        except BadInputError as error:
            self._blame(error)
        tell(read)
        keep = [at for at in range(len(self.lines)) if at not in self.repeated]
        return RecordFile(
            file=self.file,
            lines=[self.lines[at] for at in keep] if self.repeated else self.lines,
            rows=[self.rows[at] for at in keep] if self.repeated else self.rows,
            errors=self.errors,
            more=self.more,
        )

    def _take(self, item: Row | BadInputError) -> None:
        if isinstance(item, BadInputError):
            self._blame(item)
            return
        row, record = item
        line = self.kind.parse(record, self.file, row)
        if isinstance(line, list):
            for error in line:
                self._blame(error)
            return
        at = len(self.lines)
        first = self.index_of.setdefault(self.kind.key(line), at)
        if first != at:
            self._blame(self._repeat(line, row, first))
            self.repeated.add(first)
        elif at == self.rows_max:
            rule = f"is beyond the {self.rows_max} rows one import may hold; split the file"
            raise BadInputError(f"{self.file} row {row}", self.kind.key(line), rule)
        else:
            self.lines.append(line)
            self.rows.append(row)

    def _repeat(self, line: LineT, row: int, first: int) -> BadInputError:
        content = "the same" if line == self.lines[first] else "other"
        rule = f"stands on row {self.rows[first]} too, with {content} content; must be unique"
        place = f"{self.file} row {row} field {self.kind.key_field}"
        return BadInputError(place, self.kind.key(line), rule)

    def _blame(self, error: BadInputError) -> None:
        if len(self.errors) < ERRORS_MAX:
            self.errors.append(error)
        else:
            self.more += 1
