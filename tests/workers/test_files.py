"""A file is read to its end: what is right becomes lines, what is wrong is named with its place."""

import io
import json
import os
from collections.abc import Callable
from pathlib import Path
from threading import Thread

import pytest
from hypothesis import given, strategies as st

from domain.errors import BadInputError, BadInputsError
from domain.payout_lines import PayoutLine, payout_records
from domain.payout_modes import Mode
from domain.payout_rules import FIELDS, RAZORPAYX
from domain.records import LABEL_MAX
from domain.samples import sample_payouts, write_csv
from workers.files import (
    ERRORS_MAX,
    LINE_CHARS_MAX,
    Form,
    RecordFile,
    read_file,
    read_stream,
)

HEADER = ",".join(FIELDS)
ROW = "PO-1,Asha Rao,fa_1,1250.50,INR,,payout,"
OBJECT = {
    "external_id": "PO-1", "payee": "Asha Rao", "fund_account_id": "fa_1", "amount": "1250.50",
    "currency": "INR", "mode": "IMPS", "purpose": "payout", "narration": "Week 7",
}  # fmt: skip


PAYOUTS = payout_records(lambda: RAZORPAYX)


def read(
    data: bytes | str, form: Form | None = None, rows_max: int = 1_000
) -> RecordFile[PayoutLine]:
    """Read `data` as the file `p`."""
    raw = data if isinstance(data, bytes) else data.encode()
    return read_stream(
        io.BufferedReader(io.BytesIO(raw)), "p", PAYOUTS, form=form, rows_max=rows_max
    )


def csv_of(*rows: str) -> str:
    """Return a file of `rows` under the right header."""
    return "\n".join([HEADER, *rows]) + "\n"


def only_error(data: bytes | str) -> BadInputError:
    """Return the one error of a file that must have one."""
    (error,) = read(data).errors
    return error


def json_line(**changed: object) -> str:
    """Return the good object with some fields changed, as a line."""
    return json.dumps(OBJECT | changed) + "\n"


def test_a_row_becomes_a_line_with_the_row_an_editor_shows() -> None:
    found = read(csv_of("", ROW, "", ROW.replace("PO-1", "PO-2"))).whole()
    assert [line.external_id for line in found.lines] == ["PO-1", "PO-2"]
    assert found.rows == [3, 5]


@pytest.mark.parametrize(
    "change",
    [
        lambda text: b"\xef\xbb\xbf" + text,
        lambda text: text.replace(b"\n", b"\r\n"),
        lambda text: text.replace(b"\n", b"\r"),
        lambda text: text.rstrip(b"\n"),
        lambda text: text.replace(b"Asha Rao", b'"Asha Rao"'),
        lambda text: b"\n \n" + text + b"\n\n",
    ],
    ids=["bom", "crlf", "cr", "no last line end", "quoted", "blank lines"],
)
def test_what_spreadsheets_do_to_a_file_changes_nothing(change: Callable[[bytes], bytes]) -> None:
    plain = csv_of(ROW)
    assert read(change(plain.encode())).whole().lines == read(plain).whole().lines


def test_columns_may_come_in_any_order() -> None:
    names, values = [*reversed(FIELDS)], [*reversed(ROW.split(","))]
    text = f"{','.join(names)}\n{','.join(values)}\n"
    assert read(text).whole().lines == read(csv_of(ROW)).whole().lines


@pytest.mark.parametrize(
    ("header", "field", "rule"),
    [
        (HEADER.replace(",mode", ""), "mode", "is missing from the header"),
        (HEADER + ",payee", "payee", "stands twice in the header"),
        (HEADER + ",note", "note", "is not a known field"),
        (HEADER + ",", "", "is not a known field"),
    ],
)
def test_a_wrong_header_is_named_and_no_row_is_read(header: str, field: str, rule: str) -> None:
    found = read(f"{header}\n{ROW}\n")
    (error,) = found.errors
    assert error.place == f"p row 1 field {field}"
    assert rule in error.rule
    assert found.lines == []


def test_a_misspelt_column_is_named_with_the_one_that_was_meant() -> None:
    errors = read(csv_of(ROW).replace("fund_account_id", "Fund_Account")).errors
    assert any("did you mean fund_account_id?" in error.rule for error in errors)


def test_a_header_of_a_thousand_columns_is_one_error() -> None:
    assert only_error("x," * 1_000).rule == f"must be {HEADER}"
    assert "and no other" in only_error(json.dumps({f"x{n}": "" for n in range(1_000)})).rule


def test_semicolons_are_named_as_what_is_wrong() -> None:
    assert "commas" in only_error(csv_of(ROW).replace(",", ";")).rule


@pytest.mark.parametrize("data", [b"", b"\n\n", b"\xef\xbb\xbf"])
def test_an_empty_file_lacks_its_header(data: bytes) -> None:
    assert HEADER in only_error(data).rule


def test_a_short_row_names_the_fields_it_lacks() -> None:
    error = only_error(csv_of("PO-1,Asha Rao,fa_1,5.00,INR,"))
    assert error.place == "p row 2"
    assert error.rule == "has 6 values where the header has 8: purpose, narration missing"


def test_a_long_row_is_told_about_commas() -> None:
    error = only_error(csv_of(ROW.replace("Asha Rao", "Rao, Asha")))
    assert "has 9 values where the header has 8: put a value that holds a comma" in error.rule


def test_a_quote_that_never_closes_is_named_by_the_row_it_opens_on() -> None:
    error = only_error(csv_of(ROW, ROW.replace("PO-1", '"PO-2'), ROW.replace("PO-1", "PO-3")))
    assert error.place == "p row 3"
    assert "a quote doubled" in error.rule


def test_rows_after_a_value_that_spans_lines_keep_their_numbers() -> None:
    found = read(csv_of(ROW.replace("Asha Rao", '"Asha\nRao"'), ROW.replace("5.00", "?"), "x"))
    assert [error.place for error in found.errors] == ["p row 2 field payee", "p row 5"]
    assert found.rows == [4]


def test_bytes_that_are_no_utf_8_are_named_by_row_and_field() -> None:
    error = only_error(csv_of(ROW.replace("Asha", "José")).encode("latin-1"))
    assert error.place == "p row 2 field payee"
    assert "must be UTF-8 text" in error.rule
    str(error).encode()


def test_a_nul_byte_is_named_by_row_and_field() -> None:
    error = only_error(csv_of(ROW.replace("Asha", "As\0ha")))
    assert (error.place, error.rule) == ("p row 2 field payee", "must not hold a NUL byte")


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        (csv_of(ROW).encode("utf-16"), "UTF-16"),
        (b"PK\x03\x04rest", "save the sheet as CSV"),
        (b"\x1f\x8b\x08rest", "unpack it first"),
    ],
)
def test_a_file_of_another_kind_is_called_what_it_is(data: bytes, rule: str) -> None:
    assert rule in only_error(data).rule


@pytest.mark.parametrize("form", list(Form))
def test_a_line_without_end_is_refused_and_not_swallowed(form: Form) -> None:
    stream = io.BufferedReader(io.BytesIO(b"x" * LINE_CHARS_MAX * 20))
    (error,) = read_stream(stream, "p", PAYOUTS, form=form).errors
    assert error.place == "p row 1"
    assert "reading stopped here" in error.rule
    assert stream.tell() < LINE_CHARS_MAX * 3


@pytest.mark.parametrize(("amount", "content"), [("1250.5", "the same"), ("1.00", "other")])
def test_an_external_id_that_repeats_names_both_rows_and_neither_is_taken(
    amount: str, content: str
) -> None:
    other = ROW.replace("PO-1", "PO-2")
    found = read(csv_of(ROW, other, ROW.replace("1250.50", amount)))
    (error,) = found.errors
    assert error.place == "p row 4 field external_id"
    assert f"stands on row 2 too, with {content} content" in error.rule
    assert ([line.external_id for line in found.lines], found.rows) == (["PO-2"], [3])


def test_errors_are_named_up_to_a_bound_and_counted_beyond_it() -> None:
    found = read(csv_of(*["x"] * (ERRORS_MAX + 7)))
    assert (len(found.errors), found.more) == (ERRORS_MAX, 7)
    with pytest.raises(BadInputsError, match="and 7 more") as refused:
        found.whole()
    assert refused.value.exit_code == 2


def test_more_rows_than_an_import_may_hold_end_the_reading() -> None:
    rows = [ROW.replace("PO-1", f"PO-{n}") for n in range(4)]
    assert len(read(csv_of(*rows), rows_max=4).whole().lines) == 4
    (error,) = read(csv_of(*rows), rows_max=3).errors
    assert (error.place, "split the file" in error.rule) == ("p row 5", True)


def test_json_lines_hold_the_same_payouts() -> None:
    (line,) = read(json_line()).whole().lines
    assert (line.amount_minor, line.mode, line.narration) == (125_050, Mode.IMPS, "Week 7")
    (bare,) = read(json_line(mode=None, narration=None)).whole().lines
    assert (bare.mode, bare.narration) == (None, "")


def test_mode_and_narration_may_be_absent_from_json() -> None:
    kept = {name: value for name, value in OBJECT.items() if name not in ("mode", "narration")}
    assert read(json.dumps(kept)).whole().lines[0].mode is None


@pytest.mark.parametrize("amount", ["1250.50", "1250", "1e3", "NaN", "9" * 5_000])
def test_an_amount_written_as_a_number_is_refused_as_it_stands(amount: str) -> None:
    """Invariant 80: a JSON number is never made a float, not even to refuse it."""
    error = only_error(json_line(amount=0).replace('"amount": 0', f'"amount": {amount}'))
    assert error.place == "p row 1 field amount"
    assert "floats never hold money" in error.rule
    assert f": {amount[:50]}" in str(error)


@pytest.mark.parametrize(
    ("line", "place", "rule"),
    [
        (json_line(note="x"), "p row 1 field note", "is not a known field"),
        (json_line(payeee="x"), "p row 1 field payeee", "did you mean payee?"),
        (json_line(payee=None), "p row 1 field payee", "must be a JSON string"),
        (json_line(payee=["x"]), "p row 1 field payee", "must be a JSON string"),
        (json_line(payee={"a": "b"}), "p row 1 field payee", "must be a JSON string"),
        (json_line(payee=True), "p row 1 field payee", "must be a JSON string"),
        (json_line(payee="\ud800"), "p row 1 field payee", "must be UTF-8 text"),
        (json_line()[:-2] + ', "payee": "B"}', "p row 1 field payee", "stands twice"),
        ('{"payee": "A"', "p row 1", "one JSON object per line"),
        ("[]", "p row 1", "must be a JSON object"),
        ("7", "p row 1", "must be a JSON object"),
        ("[" * 60_000, "p row 1", "one JSON object per line"),
    ],
)
def test_what_is_no_object_of_known_strings_is_named(line: str, place: str, rule: str) -> None:
    (error,) = read(line, form=Form.JSONL).errors
    assert error.place == place
    assert rule in error.rule
    assert len(str(error)) < 400


@pytest.mark.parametrize("start", [b"", b"\xef\xbb\xbf", b"\n  "])
def test_a_json_array_is_called_what_it_is_and_how_to_write_it_instead(
    start: bytes,
) -> None:
    file = read(start + json.dumps([OBJECT, OBJECT], indent=1).encode())

    [error] = file.errors
    assert "is a JSON array: write one object per line" in str(error)
    assert file.lines == []


def test_every_field_that_a_json_object_lacks_is_named() -> None:
    errors = read("\n\n{}").errors
    assert len(errors) == len(FIELDS) - 2
    assert all(error.place.startswith("p row 3 field ") for error in errors)


def test_a_path_says_its_form_by_its_suffix(tmp_path: Path) -> None:
    path = tmp_path / "payouts.ndjson"
    path.write_text("\n" + json_line())
    assert read_file(path, PAYOUTS).whole().rows == [2]
    assert read_file(path, PAYOUTS, form=Form.CSV).errors


@pytest.mark.parametrize(("name", "why"), [("missing.csv", "No such file"), ("", "directory")])
def test_a_file_that_cannot_be_opened_is_bad_input(tmp_path: Path, name: str, why: str) -> None:
    with pytest.raises(BadInputError, match=why) as refused:
        read_file(tmp_path / name, PAYOUTS)
    assert str(tmp_path) in str(refused.value)


def test_a_file_name_of_odd_bytes_can_still_be_printed(tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.csv"))
    with pytest.raises(BadInputError) as refused:
        read_file(path, PAYOUTS)
    str(refused.value).encode()
    path.write_text("x")
    for error in read_file(path, PAYOUTS).errors:
        str(error).encode()


def test_a_pipe_is_read_like_a_file(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = Thread(target=pipe.write_text, args=(csv_of(ROW),), daemon=True)
    writer.start()
    told: list[tuple[int, int]] = []
    assert read_file(pipe, PAYOUTS, progress=lambda *at: told.append(at)).whole().rows == [2]
    assert told == [(1, 0)]
    writer.join(timeout=60)


def test_progress_is_told_on_the_way_and_ends_at_the_whole(tmp_path: Path) -> None:
    path = tmp_path / "payouts.csv"
    with path.open("w", newline="") as stream:
        write_csv(sample_payouts(12_000, 3), stream)
    told: list[tuple[int, int]] = []
    read_file(path, PAYOUTS, progress=lambda *at: told.append(at)).whole()
    assert [rows for rows, _ in told] == [5_000, 10_000, 12_000]
    assert told[-1][1] == path.stat().st_size
    assert sorted(told) == told


labels = st.text(st.characters(codec="utf-8"), min_size=1, max_size=LABEL_MAX).filter(
    lambda text: text.isprintable() and text == text.strip(" ")
)
words = st.from_regex(r"\A[A-Za-z0-9]([A-Za-z0-9 ]{0,28}[A-Za-z0-9])?\Z")
payouts = st.builds(
    PayoutLine,
    external_id=labels,
    payee=labels,
    fund_account_id=st.from_regex(r"\Afa_[A-Za-z0-9_]{0,37}\Z"),
    amount_minor=st.integers(20_000_001, 50_000_000),
    currency=st.just("INR"),
    mode=st.sampled_from([None, Mode.IMPS, Mode.NEFT, Mode.RTGS]),
    purpose=words,
    narration=st.just("") | words,
)


@given(st.lists(payouts, max_size=5, unique_by=lambda line: line.external_id))
def test_lines_that_are_written_are_read_back_unchanged(lines: list[PayoutLine]) -> None:
    stream = io.StringIO(newline="")
    write_csv(lines, stream)
    assert read(stream.getvalue()).whole().lines == lines
    text = "".join(json.dumps(dict(zip(FIELDS, line.record, strict=True))) + "\n" for line in lines)
    assert read(text, form=Form.JSONL).whole().lines == lines


pieces = st.sampled_from(
    [
        HEADER.encode(),
        ROW.encode(),
        json_line().encode(),
        b"\n",
        b"\r",
        b",",
        b'"',
        b"{",
        b"\0",
        b"\xff",
    ]
)
damaged = st.lists(pieces | st.binary(max_size=20), max_size=12).map(b"".join)


@given(st.binary(max_size=300) | damaged, st.sampled_from([None, *Form]))
def test_no_bytes_whatever_do_more_than_be_named_as_errors(data: bytes, form: Form | None) -> None:
    found = read(data, form)
    assert len(found.lines) == len(found.rows)
    for error in found.errors:
        assert error.place.startswith("p")
        str(error).encode()
