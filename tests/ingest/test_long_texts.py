"""Texts that are long enough to be read by all cores: every row arrives, in its place, or the file is refused."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import duckdb
import pytest

from ingest.delimited import BY_ALL_CORES
from ingest.inspection import inspect, prepare
from ingest.staging import stage
from ledger.faults import Rejected
from tests.bills import SNOWFLAKE

ODD = 150_000  # a data row far behind the first piece that a core reads


def line(number: int, **changed: str) -> str:
    out = io.StringIO()
    row = {**SNOWFLAKE, "ACCOUNT_LOCATOR": f"{number:07}{'x' * 100}", **changed}
    csv.writer(out, lineterminator="\n").writerow(row.values())
    return out.getvalue()


def long_text(path: Path, *, odd: str = "", every: str = "", ending: str = "\n") -> int:
    """The rows written: `odd` in place of row ODD, `every` in place of each 1,000th."""
    first, second = line(0).split("0000000", 1)
    rows = BY_ALL_CORES // len(line(0)) + 50_000
    assert rows > ODD
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(",".join(SNOWFLAKE) + ending)
        for number in range(1, rows + 1):
            text = odd if odd and number == ODD else every if every and number % 1000 == 0 else ""
            file.write((text or f"{first}{number:07}{second}").replace("\n", ending))
    return rows


def places(path: Path) -> tuple[int, int]:
    """(rows of the staged copy, rows that stand where the file has them or hold an odd text)."""
    with duckdb.connect() as connection:
        prepare(connection)
        staged = stage(connection, path, path.name, path.parent)
        [found] = connection.execute(
            f"""SELECT count(*), count(*) FILTER (WHERE ACCOUNT_LOCATOR LIKE 'odd%'
                OR left(ACCOUNT_LOCATOR, 7) = format('{{:07d}}', file_row_number + 1))
                FROM read_parquet('{staged.file.path}', file_row_number = true)"""
        ).fetchall()
    return int(found[0]), int(found[1])


def refused(path: Path) -> tuple[str, int | None]:
    with duckdb.connect() as connection:
        prepare(connection)
        with pytest.raises(Rejected) as refusal:
            inspect(connection, stage(connection, path, path.name, path.parent))
    fault = refusal.value.faults[0]
    return fault.rule, fault.row


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_rows_keep_their_places(ending: str, tmp_path: Path) -> None:
    rows = long_text(tmp_path / "bill.csv", ending=ending)
    assert places(tmp_path / "bill.csv") == (rows, rows)


def test_line_breaks_inside_quotes_lose_no_row(tmp_path: Path) -> None:
    rows = long_text(tmp_path / "bill.csv", every=line(0, ACCOUNT_LOCATOR='odd\n"a","b"\n' * 20))
    assert places(tmp_path / "bill.csv") == (rows, rows)


def test_empty_lines_and_a_missing_last_break_lose_no_row(tmp_path: Path) -> None:
    rows = long_text(tmp_path / "bill.csv")
    body = (tmp_path / "bill.csv").read_bytes()
    (tmp_path / "bill.csv").write_bytes(body[:-1])
    assert places(tmp_path / "bill.csv") == (rows, rows)
    (tmp_path / "bill.csv").write_bytes(body + b"\n\n")
    assert places(tmp_path / "bill.csv") == (rows, rows)


def test_a_short_row_is_told_by_its_number(tmp_path: Path) -> None:
    long_text(tmp_path / "bill.csv", odd=line(ODD).partition(",")[2])
    assert refused(tmp_path / "bill.csv") == ("uneven-row", ODD)


def test_a_bad_amount_is_told_by_its_number(tmp_path: Path) -> None:
    long_text(tmp_path / "bill.csv", odd=line(ODD, USAGE_IN_CURRENCY="a lot"))
    assert refused(tmp_path / "bill.csv") == ("not-a-number", ODD)


def test_a_quote_that_never_closes_is_refused(tmp_path: Path) -> None:
    long_text(tmp_path / "bill.csv", odd=line(ODD).replace("x", '"', 1).replace(",", ',"', 1))
    assert refused(tmp_path / "bill.csv")[0] == "uneven-row"
