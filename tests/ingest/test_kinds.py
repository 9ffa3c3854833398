"""Kinds of lines give the same rows however many words they have; short ways of reading dates are no others."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest import kinds
from ingest.inspection import prepare
from tests.ingest.test_snowflake_usage import LINE
from tests.mapped import focus_rows, write_csv

LINES = [
    LINE,
    LINE | {"USAGE_TYPE": "storage", "SERVICE_TYPE": "STORAGE", "RATING_TYPE": "STORAGE", "REGION": ""},
    LINE | {"USAGE_TYPE": "reader compute", "ACCOUNT_LOCATOR": "RD1", "BALANCE_SOURCE": "overage"},
    LINE | {"SERVICE_TYPE": "NEW_THING", "BILLING_TYPE": "SUPPORT", "USAGE": "0"},
]
SLOW = """CAST(coalesce(try_strptime(trim(x), '%m/%d/%Y'), try_strptime(trim(x), '%Y-%m-%d'),
    try_strptime(trim(x), '%Y-%m-%dT%H:%M:%SZ'), try_strptime(trim(x), '%Y-%m-%d %H:%M:%S')) AS DATE)"""
DIGITS = st.sampled_from("0123456789" * 4 + " -+/.:\taB")
DAY = st.tuples(*[DIGITS] * 4, st.just("-"), *[DIGITS] * 2, st.just("-"), *[DIGITS] * 2).map("".join)


def test_many_words_are_the_same_text_as_few(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_csv(tmp_path / "usage.csv", LINES)
    few = focus_rows([(path, "")], tmp_path)
    monkeypatch.setattr(kinds, "FEW", 0)
    assert focus_rows([(path, "")], tmp_path) == few
    assert {row["ServiceName"] for row in few} > {"Snowflake NEW_THING"}


@pytest.fixture(scope="module")
def engine() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    prepare(connection)
    return connection


@given(st.lists(DAY | st.dates().map(str) | st.datetimes().map(str) | st.dates().map("{:%m/%d/%Y}".format), min_size=1))
def test_a_date_is_read_as_by_its_forms_one_after_the_other(
    engine: duckdb.DuckDBPyConnection, texts: list[str]
) -> None:
    told = f"SELECT x FROM (SELECT unnest(?) AS x) WHERE date_of(x) IS DISTINCT FROM {SLOW}"
    assert engine.execute(told, [texts]).fetchall() == []


@given(st.lists(st.datetimes().map("{:%Y-%m-%d %H:%M:%S}+00".format) | DAY.map("{} 12:00:00+00".format), min_size=1))
def test_a_moment_of_parquet_is_on_its_day(engine: duckdb.DuckDBPyConnection, texts: list[str]) -> None:
    slow = f"coalesce({SLOW}, CAST(instant_of(x) AS DATE))"
    told = f"SELECT x FROM (SELECT unnest(?) AS x) WHERE day_of(x) IS DISTINCT FROM {slow}"
    assert engine.execute(told, [texts]).fetchall() == []
