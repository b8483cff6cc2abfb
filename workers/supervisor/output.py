"""Children's lines on our own output, each with its writer's name; or untouched, for JSON."""

import itertools
import threading
from typing import IO, Final, TextIO

LINE_BYTES_MAX: Final = 64 * 1024
COLOURS: Final = (36, 33, 32, 35, 34, 31)


class Output:
    """Where children's lines go: prefixed onto `stream`, or passed through where it is None."""

    def __init__(self, stream: TextIO | None, *, colour: bool | None = None) -> None:
        self.stream = stream
        tty = stream is not None and stream.isatty()
        self._colour = tty if colour is None else colour
        self._colours = itertools.cycle(COLOURS)
        self._lock = threading.Lock()
        self._prefixes: dict[str, str] = {}
        self._unread = False

    @property
    def passes_through(self) -> bool:
        """Whether children write to our own output themselves."""
        return self.stream is None

    def prefix(self, name: str, width: int = 12) -> str:
        """Return what stands before a line of `name`; the same for each of its starts."""
        with self._lock:
            if name not in self._prefixes:
                text = f"{name:<{width}} | "
                coloured = f"\x1b[{next(self._colours)}m{text}\x1b[0m" if self._colour else text
                self._prefixes[name] = coloured
            return self._prefixes[name]

    def pump(self, name: str, source: IO[bytes]) -> threading.Thread:
        """Copy the lines of `source` until its end, in a thread; longer ones are cut in pieces."""
        thread = threading.Thread(
            target=self._copy, args=(self.prefix(name), source), name=f"output-{name}", daemon=True
        )
        thread.start()
        return thread

    def _copy(self, prefix: str, source: IO[bytes]) -> None:
        with source:
            while line := source.readline(LINE_BYTES_MAX):
                self._write(prefix, line.decode(errors="replace").rstrip("\r\n"))

    def _write(self, prefix: str, line: str) -> None:
        if self.stream is None or self._unread:
            return
        try:
            with self._lock:
                self.stream.write(f"{prefix}{line}\n")
                self.stream.flush()
        except (OSError, ValueError):  # our reader is gone, or the stream is closed: go on
            self._unread = True  # taking lines, or the children would block on full pipes
