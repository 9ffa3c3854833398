"""The audit finds whatever was changed in the record, and names the place."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.folder import FolderStore
from governance import anchors, approval, audit, drill, drill_alert, flow, streams
from governance.canonical import canonical, digest
from governance.model import Event, Message
from governance.plan_seal import recomputed
from governance.record import Record
from ledger.faults import Transient
from tests.governance.control import Control
from tests.governance.guarded import Guarded, rule, under
from tests.governance.scene import DOLLAR, NOW, ListQueue, MemoryFleet, machine
from tests.governance.undoing import StartingFleet, Story

DAY = timedelta(days=1)


def audited(record: Record, at: Any = NOW + DAY, hours: int = 24) -> audit.Audited:
    return audit.audit(record, at, unfinished_after=timedelta(hours=hours))


def rules(record: Record, at: Any = NOW + DAY) -> set[tuple[str, str]]:
    return {(one.rule, one.place) for one in audited(record, at).problems}


class Scene:
    """One live alert carried out on two machines, and anchored after that."""

    def __init__(self, store: FolderStore) -> None:
        self.store, self.record = store, Record(store)
        self.control = Control(self.record, machine("a"), machine("b"))
        self.orders = self.control.plan(self.control.receive())
        for order in self.orders:
            self.control.settle(self.control.order(order))
        anchors.anchor(self.record, NOW + timedelta(hours=1))

    @classmethod
    def of(cls, store: FolderStore) -> Scene:
        """Another story's record, to be changed."""
        made = cls.__new__(cls)
        made.store, made.record = store, Record(store)
        return made

    def stream(self, number: int = 0) -> str:
        return streams.order_stream(str(self.orders[number].body["order"]))

    def file(self, sequence: int, stream: str = "") -> Path:
        return Path(self.store.url, "record", stream or self.stream(), f"{sequence:06d}.json")

    def reseal(self, stream: str, first: int, change: Callable[[dict[str, Any]], None]) -> None:
        """What who knows the format can do: change one event and seal all that follow anew."""
        previous = ""
        for path in sorted(Path(self.store.url, "record", stream).iterdir()):
            raw = json.loads(path.read_bytes())
            if raw["sequence"] == first:
                change(raw)
            if raw["sequence"] >= first:
                raw["previous_digest"] = previous or raw["previous_digest"]
                parts = ("stream", "sequence", "kind", "at", "body", "previous_digest")
                raw["digest"] = digest([raw[name] for name in parts])
                path.write_bytes(canonical(raw))
            previous = raw["digest"]


@pytest.fixture
def scene(store: FolderStore) -> Scene:
    return Scene(store)


def test_a_whole_record_is_whole(scene: Scene) -> None:
    found = audited(scene.record)
    assert found.problems == () and found.notes == ()
    assert found.streams == len(scene.record.streams())
    assert found.lines()[-1].endswith("events: whole")
    assert found.document()["whole"] is True
    assert json.loads(json.dumps(found.document()))["anchor"]["place"] == "anchors/2026-11 1"


def test_an_empty_record_is_whole(record: Record) -> None:
    assert audited(record).document() == {
        "whole": True, "streams": 0, "events": 0, "problems": [], "notes": [], "anchor": None
    }  # fmt: skip


def test_invariant_16_a_changed_byte_is_found(scene: Scene) -> None:
    path = scene.file(2)
    path.write_bytes(path.read_bytes().replace(b'"running"', b'"runninG"', 1))
    assert ("chain", scene.stream()) in rules(scene.record)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_any_changed_byte_anywhere_is_found(data: st.DataObject, tmp_path_factory: pytest.TempPathFactory) -> None:
    scene = Scene(FolderStore(tmp_path_factory.mktemp("record")))
    files = sorted(path for path in Path(scene.store.url, "record").rglob("*.json"))
    path = data.draw(st.sampled_from(files))
    body = bytearray(path.read_bytes())
    place = data.draw(st.integers(0, len(body) - 1))
    body[place] ^= 1 << data.draw(st.integers(0, 6))
    if json_or_none(bytes(body)) == json.loads(path.read_bytes()):
        return  # the same value spelt in another way says nothing else
    path.write_bytes(bytes(body))
    assert audited(scene.record).problems


def json_or_none(body: bytes) -> object:
    try:
        return json.loads(body)
    except ValueError:
        return None


def test_invariant_16_a_removed_event_is_found(scene: Scene) -> None:
    scene.file(2).unlink()
    found = audited(scene.record).problems
    assert any("gap: expected" in one.what and one.place == scene.stream() for one in found)


@pytest.mark.parametrize("left", [0, 1, 3])
def test_invariant_16_a_removed_tail_is_found_by_the_anchor(scene: Scene, left: int) -> None:
    events = scene.control.record.events(scene.stream())
    for sequence in range(left + 1, len(events) + 1):
        scene.file(sequence).unlink()
    assert ("anchor", scene.stream()) in rules(scene.record, NOW + timedelta(hours=2))


def test_a_removed_stream_is_missed_by_its_plan_too(scene: Scene) -> None:
    for path in list(scene.file(1).parent.iterdir()):
        path.unlink()
    assert rules(scene.record) == {("anchor", scene.stream()), ("order", scene.stream())}


def test_invariant_16_swapped_events_are_found(scene: Scene) -> None:
    one, other = scene.file(2), scene.file(3)
    first, second = one.read_bytes(), other.read_bytes()
    one.write_bytes(second)
    other.write_bytes(first)
    assert ("chain", scene.stream()) in rules(scene.record)


def test_invariant_16_swapped_streams_are_found(scene: Scene) -> None:
    one, other = scene.file(2), scene.file(2, scene.stream(1))
    first, second = one.read_bytes(), other.read_bytes()
    one.write_bytes(second)
    other.write_bytes(first)
    assert {("chain", scene.stream()), ("chain", scene.stream(1))} <= rules(scene.record)


def test_invariant_16_an_event_added_after_the_end_is_found(scene: Scene) -> None:
    """Sealed as the record itself would: the chain holds, but no order goes on after its end."""
    scene.record.append(scene.stream(), "waiting", {"power": "running"}, NOW)
    assert ("order", scene.stream()) in rules(scene.record)


def test_invariant_16_an_order_that_nobody_planned_is_found(scene: Scene) -> None:
    first = scene.record.events(scene.stream())[0]
    stream = streams.order_stream("f" * 64)
    scene.record.append(stream, "planned", {**first.body, "target": "/subscriptions/x/other"}, NOW)
    assert ("order", f"{stream} 1") in rules(scene.record)


def test_an_object_that_is_no_event_is_found(scene: Scene) -> None:
    scene.file(1).with_name("notes.txt").write_text("x")
    Path(scene.store.url, "record", "stray.json").write_text("{}")
    assert {("chain", scene.stream()), ("chain", "record")} <= rules(scene.record)


def test_a_stream_that_was_sealed_anew_is_found_by_the_anchor(scene: Scene) -> None:
    scene.reseal(scene.stream(), 3, lambda raw: raw["body"].update(result="another"))
    assert scene.record.verify(scene.stream()) == []
    assert rules(scene.record) == {("anchor", scene.stream())}


def test_a_plan_that_is_not_what_its_digest_says_is_found(scene: Scene) -> None:
    alert = scene.record.streams("alerts/")[0]
    planned = next(one for one in scene.record.events(alert) if one.kind == streams.PLANNED)
    scene.reseal(alert, planned.sequence, lambda raw: raw["body"]["targets"][0].update(reason="because"))
    assert scene.record.verify(alert) == []
    assert ("plan", f"{alert} {planned.sequence}") in rules(scene.record)


def test_forged_plans_of_any_shape_are_told_and_do_not_end_the_audit(scene: Scene) -> None:
    alert = scene.record.streams("alerts/")[0]
    bodies: list[dict[str, object]] = [{}, {"targets": "x", "digest": 1}, {"targets": [1], "opt_in": {}, "run": None}]
    for body in bodies:
        scene.record.append(alert, "planned", body, NOW)
    assert "plan" in {rule for rule, _ in rules(scene.record)}


def test_a_recorded_plan_gives_its_digest_again(scene: Scene) -> None:
    events = scene.record.events(scene.record.streams("alerts/")[0])
    received, planned = events[0], next(one for one in events if one.kind == streams.PLANNED)
    assert recomputed(planned.body, received.body) == planned.body["digest"]


def approved(record: Record) -> tuple[Guarded, list[Message]]:
    world = Guarded(record, under(rule(approval=timedelta(hours=24))), machine("a"))
    world.plan()
    approval.decide(record, world.run, world.last("digest"), "approve", by="Kim", reason="", now=world.now)
    return world, world.plan()


def test_an_approved_plan_is_whole_and_its_approval_is_missed_when_it_is_another_s(
    record: Record, store: FolderStore
) -> None:
    world, orders = approved(record)
    world.carry_out(orders)
    assert rules(record, NOW + timedelta(hours=2)) == set()
    scene = Scene.of(store)
    decision = next(one for one in world.events() if one.kind == streams.APPROVED)
    scene.reseal(decision.stream, decision.sequence, lambda raw: raw["body"].update(plan="0" * 64))
    assert "plan" in {rule for rule, _ in rules(record, NOW + timedelta(hours=2))}


def test_a_proposed_plan_that_is_carried_out_without_its_approval_is_missed(record: Record) -> None:
    world = Guarded(record, under(rule(approval=timedelta(hours=24))), machine("a"))
    world.plan()
    body = {name: value for name, value in world.events()[-1].body.items() if name not in ("due", "expires")}
    record.append(streams.alert_stream(world.run), streams.PLANNED, body, world.now)
    world.carry_out(world.plan())
    (found,) = audited(record, NOW + timedelta(hours=2)).problems
    assert (found.rule, found.place) == ("plan", f"alerts/{world.run} 4") and "nobody approved plan" in found.what


def test_a_call_of_which_nothing_came_is_named_after_its_time(control: Control, record: Record) -> None:
    order = control.first()
    control.fleet.faults["begin_stop"].append(KeyboardInterrupt())  # type: ignore[arg-type]  # dies in the call
    with pytest.raises(KeyboardInterrupt):
        control.order(order)
    assert rules(record, NOW + timedelta(hours=1)) == set()
    (found,) = audited(record, NOW + timedelta(hours=25)).problems
    assert found.rule == "end" and "a call was begun at 2026-11-12 16:05Z" in found.what
    assert found.place == f"{streams.order_stream(str(order.body['order']))} 2"


def test_an_order_left_waiting_is_named_after_its_time(control: Control, record: Record) -> None:
    order = control.first()
    assert audited(record, NOW + timedelta(hours=3), hours=2).problems[0].rule == "end"
    control.settle(control.order(order))
    assert audited(record, NOW + timedelta(hours=3), hours=2).problems == ()


def test_an_undo_is_whole_and_a_start_that_nobody_asked_for_is_found(record: Record) -> None:
    story = Story(record, StartingFleet(machine("a"), machine("b")))
    run = story.run()
    story.undo(run)
    assert len(record.streams("starts/")) == 2
    assert rules(record, story.now) == set()
    first = record.events(record.streams("starts/")[0])[0]
    forged = streams.start_stream("f" * 64)
    record.append(forged, "planned", {**first.body, "undo": "x"}, NOW)
    assert rules(record, story.now) == {("order", f"{forged} 1")}


def test_the_plans_and_orders_of_drills_are_audited_too(record: Record, store: FolderStore) -> None:
    key, queue = "k" * 40, ListQueue()
    rule_of = drill_alert.stops(DOLLAR)
    assert rule_of
    body = drill_alert.body(DOLLAR, rule_of, NOW)
    signed = drill_alert.signature(body, key, NOW)
    assert drill.on_drill(body, signed, key=key, budgets=[DOLLAR], record=record, queue=queue, now=NOW).status == 202
    fleet: Any = MemoryFleet(machine("a"), machine("b"))
    given = {"budgets": [DOLLAR], "record": record, "fleet": fleet, "now": NOW, "live": True}
    flow.on_plan(queue.sent[0].body, **given)
    (alert,), (order,) = record.streams("drills/"), record.streams("drill-orders/")
    assert ("end", f"{order} 1") in rules(record, NOW + 2 * DAY)
    assert "plan" not in {rule for rule, _ in rules(record, NOW + 2 * DAY)}
    planned = next(one for one in record.events(alert) if one.kind == streams.PLANNED)
    Scene.of(store).reseal(alert, planned.sequence, lambda raw: raw["body"].update(population=9))
    assert ("plan", f"{alert} {planned.sequence}") in rules(record, NOW)


def test_one_anchor_a_day_and_only_of_what_grew(scene: Scene) -> None:
    assert anchors.anchor(scene.record, NOW + timedelta(hours=3)) is None
    scene.record.append("switches/pause", "paused", {}, NOW)
    second = anchors.anchor(scene.record, NOW + DAY)
    assert second and set(second.body["heads"]) == {"switches/pause"}  # type: ignore[call-overload]  # a mapping
    third = anchors.anchor(scene.record, NOW + 30 * DAY)
    assert third and third.stream == "anchors/2026-12"
    assert list(third.body["heads"]) == ["anchors/2026-11"]  # type: ignore[call-overload]  # a mapping
    assert rules(scene.record, NOW + 30 * DAY) == set()


def test_last_month_s_anchors_cannot_lose_their_tail(scene: Scene) -> None:
    anchors.anchor(scene.record, NOW + DAY)
    anchors.anchor(scene.record, NOW + 30 * DAY)
    scene.file(2, "anchors/2026-11").unlink()
    assert ("anchor", "anchors/2026-11") in rules(scene.record, NOW + 30 * DAY)


def test_what_no_anchor_saw_and_an_old_anchor_are_told(scene: Scene) -> None:
    scene.record.append("switches/pause", "paused", {}, NOW)
    notes = audited(scene.record, NOW + 3 * DAY).notes
    assert any("1 streams have events that no anchor has seen" in note for note in notes)
    assert any("newest anchor is of 2026-11-12" in note for note in notes)


def test_a_damaged_stream_neither_stops_the_anchor_nor_is_anchored(scene: Scene) -> None:
    scene.record.append(scene.stream(), "x", {}, NOW)
    scene.file(len(list(scene.file(1).parent.iterdir()))).write_bytes(b"{}")
    event = anchors.anchor(scene.record, NOW + DAY)
    assert event and scene.stream() not in event.body["heads"]  # type: ignore[operator]  # a mapping


def test_a_fault_of_the_storage_surfaces(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    def down(_: object, _name: str) -> bytes:
        raise Transient("down")

    monkeypatch.setattr(FolderStore, "read", down)
    with pytest.raises(Transient):
        audited(scene.record)


def test_streams_are_read_side_by_side_by_whoever_wants(scene: Scene) -> None:
    calls: list[str] = []

    def each(read: Callable[[str], tuple[list[Event], list[str]]], names: Any) -> Any:
        calls.extend(names)
        return map(read, names)

    found = audit.audit(scene.record, NOW, unfinished_after=DAY, each=each)
    assert len(calls) == found.streams and found.problems == ()
