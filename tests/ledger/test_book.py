"""The book on one writer: what is replaced, what can be read back, and what other Delta readers see."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.folder import FolderStore
from adapters.storage_account import account_from
from focus.schema import ledger_types
from ledger.book import ATTEMPTS, COMMITMENTS, DATA_FILE, Book, Partition, delta_schema, delta_type, first_won, stats_of
from ledger.delivery import Part, Period, SourceRef
from ledger.faults import Missing, Rejected, Transient
from tests.ledger.writers import JANUARY, SCHEMA, Place, open_book, open_store, part
from tests.servers.azurite import Azurite

A, B = SourceRef("a", "aws"), SourceRef("b", "azure")
FEBRUARY = Period(2026, 2)


@pytest.fixture(params=["folder", "blob"])
def place(request: pytest.FixtureRequest, tmp_path: Path, unique_name: str) -> Place:
    if request.param == "folder":
        # Characters that mean something in globs, addresses and SQL must not.
        return {"folder": str(tmp_path / "it's [my] *ledger* ü/env=prod")}
    server: Azurite = request.getfixturevalue("azurite")
    return {"connection": server.connection_string, "container": unique_name, "cache": str(tmp_path / "cache")}


@pytest.fixture
def book(place: Place) -> Book:
    return open_book(place)


def query(book: Book, sql: str, version: int | None = None) -> list[tuple[object, ...]]:
    relation = f"({book.relation_sql(book.files(version))})"
    return duckdb.execute(sql.format(relation)).fetchall()


COUNTS = "SELECT x_SourceName, x_BillingPeriod, writer, count(*) FROM {} GROUP BY ALL ORDER BY ALL"


def test_a_book_never_written_is_empty_and_typed(book: Book) -> None:
    assert (book.version(), book.partitions(), book.files(), book.digest_of("a", JANUARY)) == (None, [], [], None)
    relation = duckdb.sql(book.relation_sql([]))
    assert relation is not None
    assert relation.columns == [*(name for name, _ in SCHEMA), "x_SourceName", "x_BillingPeriod"]
    assert [str(kind) for kind in relation.types] == [*(kind for _, kind in SCHEMA), "VARCHAR", "VARCHAR"]
    assert relation.fetchall() == []


def test_data_files_have_names_that_a_store_may_keep_for_good(book: Book, tmp_path: Path) -> None:
    for run in ("20260102T030405-0a1b2c3d", "r1"):
        book.replace(A, JANUARY, "a1" * 32, [part(tmp_path, run, 1), part(tmp_path, "two", 1)], run)
        names = [file.name for file in book.files()]
        assert len(names) == 2 and all(DATA_FILE.fullmatch(name) for name in names)


def test_two_tables_of_one_store_know_nothing_of_each_other(book: Book, place: Place, tmp_path: Path) -> None:
    other = Book(open_store(place), SCHEMA, table=COMMITMENTS)
    book.replace(A, JANUARY, "a1" * 32, [part(tmp_path, "cost", 2)], "r1")
    assert (other.version(), other.partitions()) == (None, [])
    other.replace(A, JANUARY, "b1" * 32, [part(tmp_path, "term", 1)], "r1")
    assert [[one.rows for one in table.partitions()] for table in (book, other)] == [[2], [1]]
    assert (book.digest_of("a", JANUARY), other.digest_of("a", JANUARY)) == ("a1" * 8, "b1" * 8)
    assert book.identity() != other.identity()
    assert all(DATA_FILE.fullmatch(file.name) for table in (book, other) for file in table.files())


def test_a_delivery_replaces_its_partition_and_no_other(book: Book, tmp_path: Path) -> None:
    assert book.replace(A, JANUARY, "a1" * 32, [part(tmp_path, "one", 3), part(tmp_path, "two", 4)], "r1") == 1
    assert book.replace(B, JANUARY, "b1" * 32, [part(tmp_path, "other", 2)], "r2") == 2
    assert book.replace(A, FEBRUARY, "c1" * 32, [part(tmp_path, "next", 1)], "r3") == 3
    assert book.replace(A, JANUARY, "d1" * 32, [part(tmp_path, "three", 5)], "r4") == book.version() == 4
    assert query(book, COUNTS) == [
        ("a", "2026-01", "three", 5),
        ("a", "2026-02", "next", 1),
        ("b", "2026-01", "other", 2),
    ]
    assert book.partitions() == [
        Partition("a", JANUARY, 5, "d1" * 8),
        Partition("a", FEBRUARY, 1, "c1" * 8),
        Partition("b", JANUARY, 2, "b1" * 8),
    ]
    assert [book.digest_of(name, JANUARY) for name in "abc"] == ["d1" * 8, "b1" * 8, None]


def test_every_version_stays_readable(book: Book, place: Place, tmp_path: Path) -> None:
    for number in range(1, 4):
        book.replace(A, JANUARY, f"{number}" * 64, [part(tmp_path, f"w{number}", number)], f"r{number}")
    again = open_book(place)
    for number in range(1, 4):
        assert query(again, COUNTS, number) == [("a", "2026-01", f"w{number}", number)]
    assert query(again, COUNTS, 0) == []
    for absent in (-1, 4):
        with pytest.raises(Missing):
            again.files(absent)


def test_a_version_of_no_book_is_missing(book: Book) -> None:
    with pytest.raises(Missing):
        book.files(0)


def test_money_and_time_come_back_to_the_last_digit(book: Book, tmp_path: Path) -> None:
    exact = "-12345678901234.123456789012345678901234"
    path = tmp_path / "exact.parquet"
    duckdb.sql(
        f"COPY (SELECT 'w' AS writer, '{exact}'::DECIMAL(38,24) AS cost,"
        f" '2026-01-31 23:59:59.123456+00'::TIMESTAMPTZ AS ChargePeriodStart) TO '{path}'"
    )
    moment = "2026-01-31T23:59:59.123456Z"
    book.replace(A, JANUARY, "e" * 64, [Part(str(path), 1, path.stat().st_size, moment, moment)], "r")
    sql = "SELECT cost, epoch_us(ChargePeriodStart) FROM {} WHERE ChargePeriodStart > '2026-01-31 23:59:59.1234+00'"
    at = datetime(2026, 1, 31, 23, 59, 59, 123456, UTC)
    assert query(book, sql) == [(Decimal(exact), (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1))]


def test_an_empty_delivery_empties_its_partition(book: Book, tmp_path: Path) -> None:
    book.replace(A, JANUARY, "1" * 64, [part(tmp_path, "w", 2)], "r1")
    book.replace(B, JANUARY, "1" * 64, [part(tmp_path, "w", 3)], "r1")
    assert book.replace(A, JANUARY, "2" * 64, [], "r2") == 3
    assert query(book, COUNTS) == [("b", "2026-01", "w", 3)]


def test_the_files_of_some_partitions_are_asked_for(book: Book, tmp_path: Path) -> None:
    book.replace(A, JANUARY, "1" * 64, [part(tmp_path, "w", 2)], "r1")
    book.replace(A, FEBRUARY, "2" * 64, [part(tmp_path, "w", 1)], "r2")
    book.replace(B, JANUARY, "3" * 64, [part(tmp_path, "w", 3)], "r3")
    found = book.files(wanted=lambda source, period: source == "a" and period == FEBRUARY)
    assert [(file.source, file.period, file.rows) for file in found] == [("a", FEBRUARY, 1)]


def test_a_file_tells_when_its_run_wrote_it(book: Book, tmp_path: Path) -> None:
    rows = part(tmp_path, "w", 2)
    moment = datetime(2026, 2, 3, 4, 5, 6, 789000, UTC)
    os.utime(rows.path, (moment.timestamp(), moment.timestamp()))
    book.replace(A, JANUARY, "1" * 64, [rows], "r1")
    assert [file.written for file in book.files()] == [moment]


def test_a_table_keeps_its_own_id(book: Book, place: Place, tmp_path: Path) -> None:
    assert book.identity() is None
    book.replace(A, JANUARY, "1" * 64, [part(tmp_path, "w", 2)], "r1")
    first = book.identity()
    book.replace(A, JANUARY, "2" * 64, [part(tmp_path, "w", 3)], "r2")
    assert first and first == book.identity() == open_book(place).identity()


def test_a_run_that_is_repeated_changes_nothing(book: Book, tmp_path: Path) -> None:
    """As after a commit whose answer was lost."""
    for _ in range(2):
        assert book.replace(A, JANUARY, "1" * 64, [part(tmp_path, "w", 2)], "r1") == 1
    assert query(book, COUNTS) == [("a", "2026-01", "w", 2)]


def test_a_column_added_later_is_null_in_old_rows(place: Place, tmp_path: Path) -> None:
    open_book(place).replace(A, JANUARY, "1" * 64, [part(tmp_path, "w", 2)], "r1")
    wider = Book(open_store(place), [*SCHEMA, ("x_New", "BIGINT")])
    assert query(wider, "SELECT count(*), count(x_New) FROM {}") == [(2, 0)]
    path = tmp_path / "wide.parquet"
    duckdb.sql(f"COPY (SELECT *, 7 AS x_New FROM '{part(tmp_path, 'v', 1).path}') TO '{path}'")
    moment = "2026-02-01T00:00:00Z"
    wider.replace(A, FEBRUARY, "2" * 64, [Part(str(path), 1, path.stat().st_size, moment, moment)], "r2")
    assert query(wider, "SELECT count(*), count(x_New), sum(x_New) FROM {}") == [(3, 1, 7)]


def test_other_delta_readers_see_partitions_rows_spans_and_the_run(book: Book, place: Place, tmp_path: Path) -> None:
    from deltalake import DeltaTable

    book.replace(A, JANUARY, "1" * 64, [part(tmp_path, "w", 2)], "r1")
    store = open_store(place)
    table = DeltaTable(store.table_uri("cost_and_usage"), storage_options=dict(store.table_options()) or None)
    assert table.metadata().partition_columns == ["x_SourceName", "x_BillingPeriod"]
    assert table.metadata().configuration["delta.deletedFileRetentionDuration"] == "interval 1100 days"
    assert table.partitions() == [{"x_SourceName": "a", "x_BillingPeriod": "2026-01"}]
    assert [json.loads(field.to_json())["type"] for field in table.schema().fields] == [
        *("string", "decimal(38,24)", "timestamp", "string", "string")
    ]
    actions = table.get_add_actions(flatten=True)
    names = ("num_records", "min.ChargePeriodStart", "max.ChargePeriodStart", "partition.x_SourceName")
    start = datetime(2026, 1, 5, 6, tzinfo=UTC)
    assert [actions.column(name).to_pylist() for name in names] == [[2], [start], [start], ["a"]]
    assert {key: table.history(1)[0][key] for key in ("run", "source", "period", "delivery")} == {
        **{"run": "r1", "source": "a", "period": "2026-01", "delivery": "1" * 64}
    }


def test_a_hundred_and_one_commits_pass_a_checkpoint(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "store")
    book = Book(store, SCHEMA)
    for number in range(101):
        source = SourceRef(f"s{number % 2}", "aws")
        book.replace(source, JANUARY, f"{number:064x}", [part(tmp_path, "w", 1)], f"r{number}")
    assert any(name.endswith(".checkpoint.parquet") for name in store.names("cost_and_usage/_delta_log/"))
    assert [p.rows for p in book.partitions()] == [1, 1]
    assert [file.rows for file in book.files(1)] == [1]


def test_a_wrong_key_is_told_to_a_person(azurite: Azurite, tmp_path: Path, unique_name: str) -> None:
    from adapters.blob import BlobStore

    wrong = azurite.connection_string.replace(azurite.key, "d3Jvbmc=")
    book = Book(BlobStore(account_from({"AzureWebJobsStorage": wrong}), unique_name, cache=tmp_path), SCHEMA)
    with pytest.raises(Rejected):
        book.version()


def test_a_broken_log_is_an_error_not_an_empty_book(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    store.create("cost_and_usage/_delta_log/00000000000000000000.json", b"{broken")
    with pytest.raises(Transient):
        Book(store, SCHEMA).version()


def test_the_ledgers_own_columns_all_have_a_delta_type() -> None:
    fields = delta_schema(ledger_types()).fields
    assert [field.name for field in fields[-2:]] == ["x_SourceName", "x_BillingPeriod"]
    assert len(fields) == len(ledger_types()) + 2


def test_a_type_without_a_delta_word_is_refused() -> None:
    with pytest.raises(KeyError):
        delta_type("DOUBLE")


def test_races_are_run_again_until_won_and_not_for_ever() -> None:
    pauses: list[int] = []
    results = iter([None, None, 7])
    assert first_won(lambda: next(results), pauses.append) == 7
    assert pauses == [0, 1]
    pauses.clear()
    assert first_won(lambda: None, pauses.append) is None
    assert pauses == list(range(ATTEMPTS))


moments = st.datetimes(datetime(2015, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC))


@given(moments, moments)
def test_statistics_always_span_the_rows(one: datetime, other: datetime) -> None:
    """A reader skips a file whose span misses its filter, so that a span too narrow would lose money."""
    first, last = sorted((one, other))
    stats = json.loads(stats_of(Part("p", 5, 1, first.isoformat(), last.isoformat())))
    low, high = (datetime.fromisoformat(stats[key]["ChargePeriodStart"]) for key in ("minValues", "maxValues"))
    assert stats["numRecords"] == 5
    assert low <= first <= last <= high
    assert high - last < timedelta(milliseconds=1) > first - low


@pytest.mark.parametrize("rows", [0, 3])
def test_a_file_without_charges_has_no_span(rows: int) -> None:
    assert json.loads(stats_of(Part("p", rows, 1, "", ""))) == {"numRecords": rows}


def test_a_file_without_rows_still_tells_its_delivery(book: Book, tmp_path: Path) -> None:
    nothing = part(tmp_path, "w", 0)
    book.replace(A, JANUARY, "1" * 64, [Part(nothing.path, 0, nothing.size, "", "")], "r1")
    assert book.digest_of("a", JANUARY) == "1" * 16
    assert query(book, COUNTS) == []
