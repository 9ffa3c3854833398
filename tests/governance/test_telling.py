"""From the record to people: each event once per channel, whatever is repeated, lost, refused or cut off."""

from __future__ import annotations

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from governance import notices, pause, streams
from governance.model import Budget, Machine
from governance.record import Record
from governance.rescue import STALE, on_poison
from governance.rules import Ceilings
from governance.templates import kinds
from ledger.faults import Rejected, Transient, reject
from tests.channels import inbox
from tests.governance.desk import Post, channel, sender
from tests.governance.guarded import HOUR, Guarded, rule, under
from tests.governance.scene import BUDGETS, DOLLAR, NOW, Crash, CrashingStore, machine, payload

OWNED = machine("a", owner="Kim@Example.com")


def world(record: Record, *rules: object, machines: tuple[Machine, ...] = (machine("a"),), **more: object) -> Guarded:
    return Guarded(record, under(*rules), *machines, **more)  # type: ignore[arg-type]  # handed on as they are


def stopped(record: Record, *names: str) -> Guarded:
    """A run that is over: planned, carried out and read back."""
    found = world(record, machines=tuple(machine(name) for name in names or ("a",)))
    finish(found)
    return found


def finish(found: Guarded) -> None:
    from governance import flow

    found.carry_out(found.plan())
    for stream in found.record.streams("orders/"):
        order = stream.removeprefix("orders/")
        looks = [streams.look(order, found.record.events(stream)[0].body)]
        while looks:
            found.now += timedelta(minutes=1)
            looks = flow.on_verify(
                looks[0].body, budgets=[found.budget], record=found.record, fleet=found.fleet, now=found.now
            )


def test_a_run_that_is_over_is_told_once_with_every_machine(record: Record) -> None:
    run = stopped(record, "a", "b")
    post = Post(record, BUDGETS, channel())
    for _ in range(3):
        post.run(run.now, run.run)
        post.run(run.now)
    ((_, letter, _),) = post.kept.letters
    assert (letter.kind, letter.title) == ("stopped", "Budget dev-dollar: 2 machines stopped and read back")
    assert [line.partition(":")[0] for line in letter.lines[2:]] == ["a", "b"]
    assert post.told() == {"queued": 1, "trying": 1, "sent": 1}


def test_nothing_is_told_of_a_run_while_an_order_is_not_over(record: Record) -> None:
    run = world(record, machines=(machine("a"), machine("b")))
    run.carry_out(run.plan())
    post = Post(record, BUDGETS, channel())
    post.run(run.now)
    assert post.kept.letters == []


def test_one_that_was_not_stopped_makes_the_whole_not_green_and_says_why(record: Record) -> None:
    run = world(record, machines=(machine("a"), machine("b")))
    messages = run.plan()
    run.fleet.faults["begin_stop"].append(reject("a lock forbids it", "Remove it.", "locked"))
    run.carry_out(messages)
    finish(run)
    post = Post(record, BUDGETS, channel())
    post.run(run.now)
    ((_, letter, _),) = post.kept.letters
    assert letter.title == "Budget dev-dollar: NOT ALL STOPPED, 1 of 2 machines failed"
    assert any(line.startswith("NOT STOPPED: ") and "a lock forbids it" in line for line in letter.lines)


@pytest.mark.parametrize(
    ("kind", "rules", "more"),
    [
        ("approval", (rule(approval=HOUR),), {}),
        ("above-ceiling", (rule(ceilings=Ceilings(count=1)),), {"machines": (machine("a"), machine("b"))}),
        ("notice-period", (rule(notice=HOUR),), {}),
        ("dry-run", (rule(),), {"live": False}),
        ("nothing-to-stop", (rule(),), {"machines": ()}),
        ("threshold", (rule(action="notice"),), {}),
    ],
)
def test_each_turn_of_a_plan_is_told_and_every_word_of_it_is_known(
    record: Record, kind: str, rules: tuple[object, ...], more: dict[str, object]
) -> None:
    run = world(record, *rules, **more)  # type: ignore[arg-type]  # handed on as they are
    if kind != "threshold":
        run.carry_out([one for one in run.plan() if one.queue == streams.CARRY_OUT_ORDER])
    post = Post(record, BUDGETS, channel())
    post.run(run.now)
    (letter,) = (one for _, one, _ in post.kept.letters if one.kind != "taken-dry")
    assert letter.kind == kind and letter.budget == "dev-dollar"
    text = " ".join((letter.title, *letter.lines)).replace("an unknown amount", "").replace("price unknown", "")
    assert "unknown" not in text and "$" not in text, text


def test_a_pause_is_told_when_it_is_turned_and_when_it_holds_a_plan(record: Record) -> None:
    run = world(record)
    pause.turn(record, on=True, by="Kim", reason="release", now=run.now)
    run.plan()
    pause.turn(record, on=False, by="Kim", reason="done", now=run.now)
    post = Post(record, BUDGETS, channel())
    post.run(run.now)
    assert post.kept.count() == {("ops", "paused"): 1, ("ops", "pause-on"): 1, ("ops", "pause-off"): 1}


def test_channels_get_only_what_they_asked_for(record: Record) -> None:
    run = world(record, rule(approval=HOUR))
    run.plan()
    post = Post(
        record,
        BUDGETS,
        channel("all"),
        channel("approvals", events=("approval",)),
        channel("outcomes", events=("stopped",)),
        channel("mine", budgets=("dev-dollar",)),
        channel("lab", budgets=("lab-monthly",)),
    )
    post.run(run.now)
    assert post.kept.count() == {(name, "approval"): 1 for name in ("all", "approvals", "mine")}


def test_invariant_26_owners_are_warned_of_their_machines_alone_in_domains_of_the_settings(record: Record) -> None:
    machines = (
        OWNED,
        machine("b", owner="eve@evil.example"),
        machine("c", owner="x@example.com\r\nBcc: y@example.com"),
    )
    run = world(record, rule(notice=HOUR), machines=machines)
    run.plan()
    mail = channel(medium="email", sender="l@example.com", owner_tag="Owner", owner_domains=("example.com",))
    post = Post(record, BUDGETS, mail)
    post.run(run.now)
    ((_, letter, to),) = post.kept.letters
    assert to == ("kim@example.com",) and [line for line in letter.lines if line.startswith("a: ")]
    assert not [line for line in letter.lines if line.startswith(("b:", "c:"))]


def test_links_are_made_when_sent_for_whom_the_channel_names_and_are_in_no_record(record: Record) -> None:
    run = world(record, rule(approval=HOUR))
    run.plan()
    post = Post(record, BUDGETS, channel(approver="Kim"), channel("plain"))
    post.links = lambda _, who: {"Approve": f"https://ledger.example/?token=secret-of-{who}"}
    post.run(run.now)
    links = {name: dict(letter.links) for name, letter, _ in post.kept.letters}
    assert links == {"ops": {"Approve": "https://ledger.example/?token=secret-of-Kim"}, "plain": {}}
    assert not [event for event in post.events() if "token" in str(event.body)]
    assert "token" not in repr(post.kept.letters[0][1])


def test_what_is_older_than_two_days_is_history(record: Record) -> None:
    run = stopped(record)
    post = Post(record, BUDGETS, channel())
    post.run(run.now + notices.FRESH + HOUR)
    assert (post.kept.letters, post.told()) == ([], {})


def test_many_handlers_at_once_send_one(record: Record) -> None:
    run = stopped(record)
    post = Post(record, BUDGETS, channel(), channel("fin"))
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: post.run(run.now, run.run), range(24)))
    post.run(run.now)
    assert post.kept.count() == {("ops", "stopped"): 1, ("fin", "stopped"): 1}


def test_a_message_that_comes_twice_while_it_is_tried_is_left_to_the_first(record: Record) -> None:
    run = stopped(record)
    post = Post(record, BUDGETS, channel())
    (message,) = post.handle(notices.news(run.run), run.now)
    again: list[object] = []

    class Slow:
        def send(self, *_: object) -> dict[str, object]:
            again.append(post.handle(message, run.now))
            return {"status": 202}

    post.sender = Slow()
    post.handle(message, run.now)
    assert again == [[]]
    assert post.told() == {"queued": 1, "trying": 1, "sent": 1}


def test_a_channel_that_does_not_answer_is_tried_again_as_it_asks_and_then_given_up_in_the_record(
    record: Record,
) -> None:
    run = stopped(record)
    post = Post(record, BUDGETS, channel())
    post.kept.faults = [Transient("busy", timedelta(minutes=3)), Transient("busy")]
    end = post.run(run.now)
    assert end - run.now == timedelta(minutes=3, seconds=30) and len(post.kept.letters) == 1
    other = Post(record, BUDGETS, channel("dead"))
    other.kept.faults = [Transient("gone")] * 99
    end = other.run(run.now)
    given_up = [event for event in other.events() if event.kind == "given-up"]
    assert [event.body["reason"] for event in given_up] == ["not taken in 6 tries: gone"]
    assert 99 - len(other.kept.faults) == 6
    other.run(end + STALE + HOUR)
    assert 99 - len(other.kept.faults) == 6


def test_a_refused_notice_is_given_up_at_once_and_no_other_waits_for_it(record: Record) -> None:
    run = stopped(record)
    post = Post(record, BUDGETS, channel(), channel("other"))
    post.kept.faults = [reject("the channel answered 404", "Check its address.", "notice-refused")]
    post.run(run.now)
    assert post.told() == {"queued": 2, "trying": 2, "given-up": 1, "sent": 1}


def test_a_lost_message_is_found_by_the_sweep_and_a_poisoned_one_is_over(record: Record) -> None:
    run = stopped(record)
    post = Post(record, BUDGETS, channel())
    (lost,) = post.handle(notices.news(run.run), run.now)
    assert post.handle(notices.news(), run.now + STALE) == []
    assert post.handle(notices.news(), run.now + STALE + timedelta(seconds=1)) == [lost]
    on_poison("send-notice-poison", dict(lost.body), record=record, now=run.now)
    assert post.told() == {"queued": 1, "abandoned": 1}
    assert post.handle(notices.news(), run.now + HOUR) == post.handle(lost, run.now + HOUR) == []


def test_a_channel_that_left_the_settings_gets_nothing(record: Record) -> None:
    run = stopped(record)
    (message,) = Post(record, BUDGETS, channel()).handle(notices.news(run.run), run.now)
    post = Post(record, BUDGETS, channel("other"))
    assert post.handle(message, run.now) == []
    assert post.told() == {"queued": 1, "given-up": 1}


@pytest.mark.parametrize("body", [{}, {"notice": "../x"}, {"notice": "a" * 64}, {"news": 1}, {"news": "x"}])
def test_a_message_nobody_sent_is_refused_and_starts_nothing(record: Record, body: dict[str, object]) -> None:
    post = Post(record, BUDGETS, channel())
    with pytest.raises(Rejected):
        post.handle(replace(notices.news(), body=body), NOW)
    assert record.streams() == []


def test_a_damaged_stream_is_told_and_holds_up_no_other(record: Record, tmp_path: Path) -> None:
    run = stopped(record)
    damaged = tmp_path / "store" / "record" / "alerts" / ("b" * 64)
    damaged.mkdir(parents=True)
    (damaged / "000001.json").write_text("{")
    post = Post(record, BUDGETS, channel())
    post.run(run.now)
    post.run(run.now)
    assert post.kept.count() == {("ops", "stopped"): 1, ("ops", "record-damaged"): 1}


def test_invariant_16_a_word_that_was_changed_in_the_record_is_told(record: Record, tmp_path: Path) -> None:
    run = stopped(record)
    place = tmp_path / "store" / "record" / "alerts" / run.run / "000001.json"
    place.write_text(place.read_text().replace('"spent":"0.81"', '"spent":"0.18"'))
    post = Post(record, BUDGETS, channel(events=("record-damaged",)))
    post.run(run.now)
    post.run(run.now)
    ((_, letter, _),) = post.kept.letters
    assert letter.title == "The record is damaged in alerts/" + run.run
    assert "its content was changed" in letter.lines[0]


def _writes(folder: Path) -> int:
    return sum(1 for _ in (folder / "record").rglob("*.json"))


@pytest.mark.parametrize("after", [False, True])
def test_a_crash_at_any_write_loses_no_notice_and_sends_none_twice_but_for_the_one_it_was_sending(
    memory_folder: Path, after: bool
) -> None:
    """Every write of the notices' part in turn; then a sweep each quarter of an hour, as the service has it."""
    whole = memory_folder / "whole"
    from adapters.folder import FolderStore

    run = stopped(Record(FolderStore(whole)), "a")
    before = _writes(whole)
    Post(Record(FolderStore(whole)), BUDGETS, channel(), channel("fin")).run(run.now)
    total = _writes(whole) - before
    assert total == 1 + 2 * 3  # the outcome; queued, trying and sent of each
    for at in range(1, total + 1):
        folder = memory_folder / f"{at}"
        run = stopped(Record(FolderStore(folder)), "a")
        post = Post(Record(CrashingStore(folder, at, after=after)), BUDGETS, channel(), channel("fin"))
        with pytest.raises(Crash):
            post.run(run.now)
        sent = post.kept.letters
        again = Post(Record(FolderStore(folder)), BUDGETS, channel(), channel("fin"))
        again.kept.letters = sent
        for quarter in range(1, 5):
            again.run(run.now + quarter * timedelta(minutes=15))
        assert {name for name, _ in again.kept.count()} == {"ops", "fin"}
        assert sorted(again.kept.ids().values()) in ([1, 1], [1, 2])
        assert again.told()["sent"] == 2


def test_invariant_25_a_hanging_channel_delays_nothing_and_its_notice_waits(record: Record) -> None:
    """The action is over before anybody is told; a try at a channel that hangs ends, and the next comes later."""
    with inbox() as box:
        box.hold = threading.Event()
        run = stopped(record)
        assert record.events(streams.order_stream(streams.order_key(run.run, machine("a").id)))[-1].kind == "verified"
        post = Post(record, BUDGETS, channel("slow", "teams"), to=sender(box.url, 0.3))
        (message,) = post.handle(notices.news(run.run), run.now)
        start = time.monotonic()
        (later,) = post.handle(message, run.now)
        assert time.monotonic() - start < 3
        assert later.delay > timedelta() and post.told() == {"queued": 1, "trying": 1, "deferred": 1}
        box.hold.set()
        box.hold = None
        assert post.handle(later, run.now + later.delay) == []
    assert post.told()["sent"] == 1
    assert "stopped and read back" in json.dumps(json.loads(box.bodies()[-1]))


def test_every_kind_has_a_name_of_its_own_and_says_something() -> None:
    found = kinds()
    assert len({kind.name for kind in found}) == len(found) > 15
    assert all(kind.title and kind.lines for kind in found)
    assert len({(kind.stream, kind.event) for kind in found}) == len(found)


def test_a_budget_that_left_the_settings_is_told_by_its_id(record: Record) -> None:
    run = stopped(record)
    others: tuple[Budget, ...] = (replace(DOLLAR, id="/another"),)
    post = Post(record, others, channel())
    post.run(run.now)
    assert post.kept.letters[0][1].budget == "dev-dollar"


def test_a_forecast_below_the_action_is_told_as_what_it_is(record: Record) -> None:
    run = Guarded(record, under(rule()), machine("a"), body=payload("common-forecast"))
    post = Post(record, BUDGETS, channel())
    post.run(run.now)
    ((_, letter, _),) = post.kept.letters
    assert letter.kind == "threshold" and "forecast threshold" in " ".join(letter.lines)
