from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path

import pytest

from adapters.folder import FolderStore
from governance.record import GENESIS, Record
from ledger.faults import Conflict, Rejected
from tests.governance.scene import NOW


def event_file(store: FolderStore, sequence: int) -> Path:
    return Path(store.url, f"record/orders/a/{sequence:06d}.json")


@pytest.fixture
def three(record: Record) -> Record:
    for number in range(3):
        record.append("orders/a", "step", {"number": number, "spent": Decimal("0.80")}, NOW)
    return record


def test_events_come_back_in_order_and_chained(three: Record) -> None:
    events = three.events("orders/a")
    assert [event.sequence for event in events] == [1, 2, 3]
    assert events[0].previous_digest == GENESIS
    assert [event.previous_digest for event in events[1:]] == [event.digest for event in events[:-1]]
    assert events[0].body == {"number": 0, "spent": "0.80"}
    assert events[0].at == NOW


def test_an_appended_event_is_what_a_reader_sees(record: Record) -> None:
    assert record.append("orders/a", "step", {"spent": Decimal("0.80")}, NOW) == record.events("orders/a")[0]


def test_a_stale_writer_gets_conflict_and_changes_nothing(three: Record) -> None:
    stale = three.events("orders/a")[:2]
    with pytest.raises(Conflict):
        three.append("orders/a", "late", {}, NOW, after=stale)
    assert len(three.events("orders/a")) == 3


def test_once_has_one_winner_among_many(record: Record) -> None:
    with ThreadPoolExecutor(16) as pool:
        outcomes = list(pool.map(lambda n: record.once("orders/a", "claim", {"by": n}, NOW), range(40)))
    assert sum(new for _, new in outcomes) == 1
    assert len({event.digest for event, _ in outcomes}) == 1
    assert record.verify("orders/a") == []


class Overtaken(FolderStore):
    """Right after the first listing, another writer claims."""

    rival: Record | None = None

    def names(self, prefix: str = "") -> list[str]:
        found = super().names(prefix)
        rival, self.rival = self.rival, None
        if rival:
            rival.append("orders/a", "claim", {"by": "rival"}, NOW)
        return found


def test_once_gives_way_to_a_writer_it_had_not_seen(record: Record, store: FolderStore) -> None:
    overtaken = Overtaken(store.url)
    overtaken.rival = record
    event, new = Record(overtaken).once("orders/a", "claim", {"by": "us"}, NOW)
    assert (event.body, new) == ({"by": "rival"}, False)
    assert len(record.events("orders/a")) == 1


def test_retrying_goes_behind_whoever_was_first(record: Record, store: FolderStore) -> None:
    overtaken = Overtaken(store.url)
    overtaken.rival = record
    assert Record(overtaken).append_retrying("orders/a", "note", {}, NOW).sequence == 2


def test_streams_are_listed_by_prefix(three: Record) -> None:
    three.append("alerts/x", "received", {}, NOW)
    assert three.streams("orders/") == ["orders/a"]
    assert three.streams() == ["alerts/x", "orders/a"]


def test_a_whole_stream_has_no_problems(three: Record) -> None:
    assert three.verify("orders/a") == []
    assert three.verify("orders/none") == []


def test_invariant_16_a_removed_event_is_found(three: Record, store: FolderStore) -> None:
    event_file(store, 2).unlink()
    assert "gap" in three.verify("orders/a")[0]


@pytest.mark.parametrize(
    ("field", "value"), [("body", {"number": 9}), ("kind", "other"), ("at", "2026-01-01T00:00:00+00:00")]
)
def test_invariant_16_an_altered_event_is_found(three: Record, store: FolderStore, field: str, value: object) -> None:
    raw = json.loads(event_file(store, 2).read_bytes())
    event_file(store, 2).write_text(json.dumps({**raw, field: value}))
    assert "changed" in three.verify("orders/a")[0]


def test_invariant_16_a_forged_event_breaks_the_chain(three: Record, store: FolderStore, tmp_path: Path) -> None:
    other = Record(FolderStore(tmp_path / "other"))
    for kind in ("step", "forged"):
        other.append("orders/a", kind, {}, NOW)
    event_file(store, 2).write_bytes((tmp_path / "other/record/orders/a/000002.json").read_bytes())
    assert "follow" in three.verify("orders/a")[0]


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"body": {"x": 0.5}, "sequence": 1}'])
def test_what_is_no_event_is_named_and_not_used(three: Record, store: FolderStore, body: bytes) -> None:
    event_file(store, 3).write_bytes(body)
    assert "unreadable" in three.verify("orders/a")[0]
    with pytest.raises(Rejected):
        three.events("orders/a")
