"""Real processes that commit at the same moment: rows are never doubled, mixed or lost."""

from __future__ import annotations

import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from threading import Barrier

import duckdb
import pytest

from adapters.folder import FolderStore
from ledger.book import Book
from ledger.delivery import SourceRef
from tests.ledger.writers import (
    JANUARY,
    SCHEMA,
    Place,
    digest,
    open_book,
    open_store,
    part,
    together,
    write,
    write_and_die,
)
from tests.servers.azurite import Azurite

ROUNDS = 3
CREATORS = 4


class MeetingStore(FolderStore):
    """Its second question for the table, which comes before the table is created, waits for the other writers."""

    def __init__(self, root: Path, meet: Callable[[], object]) -> None:
        super().__init__(root)
        self._meet, self._questions = meet, 0

    def table_uri(self, name: str) -> str:
        self._questions += 1
        if self._questions == 2:
            self._meet()
        return super().table_uri(name)


@pytest.fixture(params=["folder", "blob"])
def place(request: pytest.FixtureRequest, tmp_path: Path, unique_name: str) -> Place:
    if request.param == "folder":
        return {"folder": str(tmp_path / "store")}
    server: Azurite = request.getfixturevalue("azurite")
    return {"connection": server.connection_string, "container": unique_name, "cache": str(tmp_path / "cache")}


def rows(book: Book) -> list[tuple[str, str, int, Decimal]]:
    """(source, writer, rows, cost) as DuckDB reads the newest version."""
    query = "SELECT x_SourceName, writer, count(*), sum(cost) FROM ({}) GROUP BY ALL ORDER BY ALL"
    return duckdb.execute(query.format(book.relation_sql(book.files()))).fetchall()


def race(place: Place, tmp_path: Path, first: tuple[str, str], second: tuple[str, str]) -> None:
    calls = [(place, str(tmp_path), writer, source, 10) for writer, source in (first, second)]
    assert together(write, calls) == [0, 0]


def test_two_first_writers_of_the_same_partition_leave_one_whole_delivery(place: Place, tmp_path: Path) -> None:
    """The table, the partition and, on blobs, the container do not exist yet."""
    race(place, tmp_path, ("w1", "a"), ("w2", "a"))
    book = open_book(place)
    [(source, writer, count, cost)] = rows(book)
    assert (source, count, cost) == ("a", 21, Decimal("2.1"))
    assert book.digest_of("a", JANUARY) == digest(writer)[:16]
    assert book.version() == 2


def test_an_empty_partition_of_an_existing_table_is_never_doubled(place: Place, tmp_path: Path) -> None:
    write(place, str(tmp_path), "w0", "other", 1)
    for number in range(ROUNDS):
        source = f"s{number}"
        race(place, tmp_path, ("w1", source), ("w2", source))
        [(_, _, count, _)] = [row for row in rows(open_book(place)) if row[0] == source]
        assert count == 21


def test_an_existing_partition_is_never_doubled_or_mixed(place: Place, tmp_path: Path) -> None:
    write(place, str(tmp_path), "w0", "a", 1)
    for number in range(ROUNDS):
        race(place, tmp_path, (f"w1{number}", "a"), (f"w2{number}", "a"))
        [(source, _, count, _)] = rows(open_book(place))
        assert (source, count) == ("a", 21)
    assert open_book(place).version() == 1 + 2 * ROUNDS


def test_writers_of_different_partitions_both_arrive(place: Place, tmp_path: Path) -> None:
    for number in range(ROUNDS):
        race(place, tmp_path, (f"w1{number}", "a"), (f"w2{number}", "b"))
        arrived = [(source, writer, count) for source, writer, count, _ in rows(open_book(place))]
        assert arrived == [("a", f"w1{number}", 21), ("b", f"w2{number}", 21)]


def test_every_version_of_a_race_holds_one_whole_delivery_per_source(place: Place, tmp_path: Path) -> None:
    race(place, tmp_path, ("w1", "a"), ("w2", "a"))
    book = open_book(place)
    assert book.files(0) == []
    for version in (1, 2):
        held = book.files(version)
        assert (len({file.name.split("-")[-3] for file in held}), sum(file.rows for file in held)) == (1, 21)


def commits_without_a_table(folder: Path) -> list[int]:
    """The versions that writers of one source each got, who all found no table and went on at the same moment."""
    meeting = Barrier(CREATORS, timeout=60)
    folder.mkdir()
    parts = [part(folder, f"w{number}", 5) for number in range(CREATORS)]
    books = [Book(MeetingStore(folder / "store", meeting.wait), SCHEMA) for _ in parts]

    def commit(number: int) -> int:
        source, run = SourceRef(f"s{number}", "aws"), f"run-{number}"
        return books[number].replace(source, JANUARY, digest(f"w{number}"), [parts[number]], run)

    with ThreadPoolExecutor(CREATORS) as pool:
        return sorted(pool.map(commit, range(CREATORS)))


def test_writers_that_all_found_no_table_create_it_once(tmp_path: Path) -> None:
    """Version 0 is the only empty one, and each later one is one delivery more."""
    for number in range(2 * ROUNDS):
        folder = tmp_path / str(number)
        assert commits_without_a_table(folder) == [1, 2, 3, 4]
        book = open_book({"folder": str(folder / "store")})
        held = [sum(file.rows for file in book.files(version)) for version in range(CREATORS + 1)]
        assert (held, book.version()) == ([0, 5, 10, 15, 20], CREATORS)


def test_six_writers_lose_races_and_still_arrive(place: Place, tmp_path: Path) -> None:
    calls = [(place, str(tmp_path), f"w{number}", f"s{number % 3}", 10) for number in range(6)]
    assert together(write, calls) == [0] * 6
    assert [(source, count) for source, _, count, _ in rows(open_book(place))] == [("s0", 21), ("s1", 21), ("s2", 21)]


def test_a_writer_killed_before_its_commit_leaves_the_last_version(tmp_path: Path) -> None:
    place = {"folder": str(tmp_path / "store")}
    write(place, str(tmp_path), "w0", "a", 1)
    before = open_book(place).partitions()
    assert together(write_and_die, [(place["folder"], str(tmp_path))], gated=False) == [-signal.SIGKILL]
    book = open_book(place)
    assert any("run-dead" in name for name in open_store(place).names())
    assert (book.version(), book.partitions()) == (1, before)
    assert [(writer, count) for _, writer, count, _ in rows(book)] == [("w0", 3)]
    write(place, str(tmp_path), "w3", "a", 4)
    assert [(writer, count) for _, writer, count, _ in rows(book)] == [("w3", 9)]
