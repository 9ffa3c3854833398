"""Record boundaries do not depend on where the chunks were cut."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest import records
from ingest.records import Records
from ledger.faults import Rejected

FIELDS = st.lists(st.text('ab",\n', max_size=6), min_size=2, max_size=3)


@given(rows=st.lists(FIELDS, min_size=1, max_size=6), size=st.integers(1, 9))
def test_any_cut_finds_the_same_open_record(rows: list[list[str]], size: int) -> None:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([*rows, ["end"]])
    body = out.getvalue().encode()[:-1]
    seen = Records("bill")
    for start in range(0, len(body), size):
        seen.feed(body[start : start + size])
    assert (seen.run, seen.quoted) == (len("end"), False)
    assert seen.begun == seen.line == body.count(b"\n") + 1


def test_the_limit_counts_a_record_not_its_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "RECORD_LIMIT", 100)
    free, quoted = Records("free"), Records("quoted")
    free.feed(b"a,b\n")
    for _ in range(50):
        free.feed(b"0123456789\n")
    quoted.feed(b'a,b\n"')
    for _ in range(9):
        quoted.feed(b"0123456789\n")
    with pytest.raises(Rejected) as refusal:
        quoted.feed(b"0123456789\n")
    assert refusal.value.faults[0].row == 1
