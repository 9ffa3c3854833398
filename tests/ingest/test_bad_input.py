"""Bad bills: exit code 2, one clear error each, and the ledger keeps its last version."""

from __future__ import annotations

import codecs
import gzip
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

import cli
import wiring
from tests.bills import Ledger, cur2, snowflake

Maker = Callable[[Path], Path]


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """A folder with a ledger of one good version, and its figures."""
    folder = tmp_path_factory.mktemp("good")
    (folder / "ledger.toml").write_text("", encoding="utf-8")
    words = ["--store", str(folder / "store"), "--config", str(folder / "ledger.toml")]
    assert cli.main(["ingest", str(snowflake(folder / "good.csv")), *words]) == 0
    return folder, standing(folder)


def standing(folder: Path) -> dict[str, Any]:
    """What a refusal must leave as it was."""
    return wiring.summary(wiring.settings({"LEDGER_STORE": str(folder / "store")}, folder / "ledger.toml"), {})


@pytest.fixture
def kept(good: tuple[Path, dict[str, Any]], capsys: pytest.CaptureFixture[str]) -> Iterator[Ledger]:
    """The good ledger, which is still the same when the test is over."""
    folder, before = good
    yield Ledger(str(folder / "store"), folder / "ledger.toml", capsys)
    assert standing(folder) == before
    assert (before["version"], before["currencies"]["USD"]["total"]) == (1, "210.00")


def text(name: str, change: Callable[[bytes], bytes]) -> Maker:
    def make(folder: Path) -> Path:
        path = snowflake(folder / name, {}, {"USAGE_DATE": "2026-01-25"})
        path.write_bytes(change(path.read_bytes()))
        return path

    return make


def row(column: str, value: str) -> Maker:
    return lambda folder: snowflake(folder / "bill.csv", {}, {column: value})


def bill(column: str, value: object, **types: str) -> Maker:
    return lambda folder: cur2(folder / "bill.parquet", {}, {column: value}, **types)


def parquet(change: Callable[[bytes], bytes]) -> Maker:
    def make(folder: Path) -> Path:
        path = cur2(folder / "bill.parquet", *[{}] * 500)
        path.write_bytes(change(path.read_bytes()))
        return path

    return make


def squeezed(change: Callable[[bytes], bytes]) -> Maker:
    return text("bill.csv.gz", lambda body: change(gzip.compress(body * 400)))


def without(column: str) -> Maker:
    return text("bill.csv", lambda body: body.replace(column.encode(), b"OTHER"))


CASES: dict[str, tuple[Maker, str, int | None, str | None]] = {
    "empty": (text("bill.csv", lambda _: b""), "empty-file", None, None),
    "header only": (text("bill.csv", lambda body: body.split(b"\r\n")[0] + b"\r\n"), "no-rows", None, None),
    "blank header": (text("bill.csv", lambda body: b"\n" + body), "no-header", None, None),
    "unknown shape": (text("bill.csv", lambda _: b"a,b,c\n1,2,3\n"), "unknown-shape", None, None),
    "one word": (text("bill.csv", lambda _: b"hello"), "unknown-shape", None, None),
    "header of 200 kB": (text("bill.csv", lambda _: b"a" * 200_000 + b",b\n1,2\n"), "unknown-shape", None, None),
    "missing column": (without("USAGE_IN_CURRENCY"), "missing-column", None, "USAGE_IN_CURRENCY"),
    "missing account": (without("ORGANIZATION_NAME"), "missing-column", None, "ORGANIZATION_NAME"),
    "doubled column": (text("bill.csv", lambda b: b.replace(b"REGION", b"CURRENCY")), "doubled-column", None, None),
    "doubled, other case": (
        text("bill.csv", lambda b: b.replace(b"REGION", b"Currency")),
        "doubled-column",
        None,
        None,
    ),
    "doubled Parquet column": (
        lambda folder: _again(folder, "", '*, product_sku AS "Artikel (product_sku)"'),
        "doubled-column",
        None,
        None,
    ),
    "UTF-16": (text("bill.csv", lambda b: b.decode().encode("utf-16")), "encoding", None, None),
    "UTF-16 without mark": (text("bill.csv", lambda b: b.decode().encode("utf-16-le")), "encoding", None, None),
    "UTF-32": (
        text("bill.csv", lambda b: codecs.BOM_UTF32_BE + b.decode().encode("utf-32-be")),
        "encoding",
        None,
        None,
    ),
    "Latin-1": (
        lambda folder: snowflake(folder / "b.csv", {}, {"ACCOUNT_NAME": "Zürich"}, encoding="latin-1"),
        "encoding",
        2,
        None,
    ),
    "NUL byte": (text("bill.csv", lambda b: b + b"\x00\n"), "encoding", None, None),
    "cut inside a character": (text("bill.csv", lambda b: b + "ü".encode()[:1]), "encoding", 3, None),
    "short row": (text("bill.csv", lambda b: b + b"EXAMPLE,9\r\n"), "uneven-row", 3, None),
    "long row": (text("bill.csv", lambda b: b[:-2] + b",more\r\n"), "uneven-row", 2, None),
    "open quote": (text("bill.csv", lambda b: b + b'"EXAMPLE,9\r\n'), "uneven-row", 3, None),
    "amount abc": (row("USAGE_IN_CURRENCY", "abc"), "not-a-number", 2, "USAGE_IN_CURRENCY"),
    "amount NaN": (row("USAGE_IN_CURRENCY", "NaN"), "not-a-number", 2, "USAGE_IN_CURRENCY"),
    "amount inf": (row("USAGE_IN_CURRENCY", "-Infinity"), "not-a-number", 2, "USAGE_IN_CURRENCY"),
    "amount 1_000": (row("USAGE_IN_CURRENCY", "1_000"), "not-a-number", 2, "USAGE_IN_CURRENCY"),
    "amount 1,5": (row("USAGE_IN_CURRENCY", "1,5"), "decimal-comma", 2, "USAGE_IN_CURRENCY"),
    "amount 1 000": (row("USAGE_IN_CURRENCY", "1 000"), "not-a-number", 2, "USAGE_IN_CURRENCY"),
    "amount with unit": (row("USAGE_IN_CURRENCY", "$5"), "not-a-number", 2, "USAGE_IN_CURRENCY"),
    "amount hex": (row("USAGE_IN_CURRENCY", "0x10"), "not-a-number", 2, "USAGE_IN_CURRENCY"),
    "amount in Arabic digits": (row("USAGE_IN_CURRENCY", "١٢"), "not-a-number", 2, "USAGE_IN_CURRENCY"),
    "amount blank": (row("USAGE_IN_CURRENCY", ""), "missing-value", 2, "USAGE_IN_CURRENCY"),
    "amount of spaces": (row("USAGE_IN_CURRENCY", "  "), "missing-value", 2, "USAGE_IN_CURRENCY"),
    "amount too large": (row("USAGE_IN_CURRENCY", "100000000000000"), "out-of-range", 2, "USAGE_IN_CURRENCY"),
    "amount 1e300": (row("USAGE_IN_CURRENCY", "-1e300"), "out-of-range", 2, "USAGE_IN_CURRENCY"),
    "amount beyond any double": (row("USAGE_IN_CURRENCY", "1e999"), "out-of-range", 2, "USAGE_IN_CURRENCY"),
    "quantity": (row("USAGE", "many"), "not-a-number", 2, "USAGE"),
    "date": (row("USAGE_DATE", "2026-02-30"), "not-a-date", 2, "USAGE_DATE"),
    "date the other way": (row("USAGE_DATE", "24.01.2026"), "not-a-date", 2, "USAGE_DATE"),
    "currency blank": (row("CURRENCY", " "), "missing-value", 2, "CURRENCY"),
    "cut Parquet": (parquet(lambda body: body[: len(body) // 2]), "unreadable-parquet", None, None),
    "Parquet without its end": (parquet(lambda body: body[:-1]), "unreadable-parquet", None, None),
    "Parquet mark alone": (parquet(lambda _: b"PAR1"), "unreadable-parquet", None, None),
    "Parquet with broken pages": (
        parquet(lambda b: b[:4] + b"\xff" * 200 + b[204:]),
        "unreadable-file",
        None,
        None,
    ),
    "Parquet without rows": (
        lambda folder: _again(folder, "LIMIT 0"),
        "no-rows",
        None,
        None,
    ),
    "Parquet NaN": (
        bill("line_item_unblended_cost", float("nan")),
        "not-a-number",
        2,
        "line_item_unblended_cost",
    ),
    "Parquet infinity": (
        bill("line_item_unblended_cost", float("inf")),
        "not-a-number",
        2,
        "line_item_unblended_cost",
    ),
    "Parquet null amount": (bill("line_item_unblended_cost", None), "missing-value", 2, "line_item_unblended_cost"),
    "Parquet amount too large": (
        bill("line_item_unblended_cost", 1e14),
        "out-of-range",
        2,
        "line_item_unblended_cost",
    ),
    "Parquet text amount": (
        bill("line_item_unblended_cost", "1.5", line_item_unblended_cost="VARCHAR"),
        "wrong-type",
        None,
        "line_item_unblended_cost",
    ),
    "Parquet amount of another kind": (
        lambda folder: cur2(
            folder / "b.parquet", {"line_item_unblended_cost": True}, line_item_unblended_cost="BOOLEAN"
        ),
        "wrong-type",
        None,
        "line_item_unblended_cost",
    ),
    "Parquet text date": (
        lambda folder: cur2(
            folder / "b.parquet", {"line_item_usage_start_date": "soon"}, line_item_usage_start_date="VARCHAR"
        ),
        "unreadable-value",
        None,
        None,
    ),
    "Parquet price in words": (
        bill("line_item_unblended_rate", "cheap"),
        "not-a-price",
        2,
        "line_item_unblended_rate",
    ),
    "Parquet missing column": (
        lambda folder: cur2(folder / "b.parquet", without=["line_item_usage_amount"]),
        "missing-column",
        None,
        "line_item_usage_amount",
    ),
    "cut gzip": (squeezed(lambda body: body[:-20]), "unreadable-gzip", None, None),
    "broken gzip": (squeezed(lambda b: b[:60] + b"\xff" * 40 + b[100:]), "unreadable-gzip", None, None),
    "gzip mark alone": (squeezed(lambda _: b"\x1f\x8b"), "unreadable-gzip", None, None),
    "empty inside gzip": (squeezed(lambda _: gzip.compress(b"")), "no-header", None, None),
}


def _again(folder: Path, clause: str, select: str = "*") -> Path:
    """A good Parquet file, read and written with a change."""
    full, path = cur2(folder / "full.parquet", {}, {}), folder / "b.parquet"
    duckdb.execute(f"COPY (SELECT {select} FROM read_parquet('{full}') {clause}) TO '{path}' (FORMAT parquet)")
    return path


@pytest.mark.parametrize("name", CASES)
def test_one_clear_error_and_nothing_committed(name: str, kept: Ledger, tmp_path: Path) -> None:
    make, rule, at, column = CASES[name]
    folder = tmp_path / "bad"
    folder.mkdir()
    path = make(folder)
    answer = kept.ingest(path)
    assert answer.code == 2
    assert (answer.fault["rule"], answer.fault["row"], answer.fault["column"]) == (rule, at, column)
    assert answer.fault["file"] == str(path)
    assert answer.fault["message"] and answer.fault["advice"]
    assert "Traceback" not in answer.errors
