"""Lines of children on our own output."""

import io
import os

from workers.supervisor import Output
from workers.supervisor.output import LINE_BYTES_MAX


def _copied(data: bytes, output: Output) -> None:
    reader, writer = os.pipe()
    thread = output.pump("web", os.fdopen(reader, "rb"))
    with os.fdopen(writer, "wb") as pipe:
        pipe.write(data)
    thread.join(60)
    assert not thread.is_alive()


def test_each_line_gets_its_writers_name_and_the_last_needs_no_end() -> None:
    stream = io.StringIO()
    _copied(b"one\n\xff two\r\nthree", Output(stream))
    assert stream.getvalue().splitlines() == [
        "web          | one",
        "web          | \ufffd two",
        "web          | three",
    ]


def test_a_line_without_an_end_is_cut_in_pieces() -> None:
    stream = io.StringIO()
    _copied(b"x" * (LINE_BYTES_MAX + 1), Output(stream))
    assert [len(line) for line in stream.getvalue().splitlines()] == [LINE_BYTES_MAX + 15, 16]


def test_names_are_coloured_on_a_terminal_only() -> None:
    assert "\x1b[" not in Output(io.StringIO()).prefix("web")
    coloured = Output(io.StringIO(), colour=True)
    assert coloured.prefix("web") == coloured.prefix("web") != coloured.prefix("worker")
    assert coloured.prefix("web").startswith("\x1b[")


def test_a_reader_that_is_gone_does_not_block_the_children() -> None:
    stream = io.StringIO()
    output = Output(stream)
    stream.close()
    _copied(b"line\n" * 50_000, output)
    assert not output.passes_through, "the next child must not write where nobody reads"
