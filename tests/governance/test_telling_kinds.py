"""What others record besides the plan of an alert: undos, machines that came back, drills; each told by its kind."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from adapters.folder import FolderStore
from governance import approval, drill, returned
from governance.letter import Letter
from governance.record import Record
from governance.undo import Wish
from ledger.faults import Rejected
from tests.governance.desk import Post, channel
from tests.governance.guarded import HOUR, Guarded, rule, under
from tests.governance.scene import DOLLAR, NOW, machine, payload
from tests.governance.test_drill import Probed
from tests.governance.test_drill import Story as Drilled
from tests.governance.undoing import DRY, StartingFleet, Story, staged


@pytest.fixture
def record(memory_folder: Path) -> Record:
    return Record(FolderStore(memory_folder))


def told(record: Record, *kinds: str, now: object = None) -> list[Letter]:
    """The letters of these kinds, in the order of their sending."""
    post = Post(record, [DOLLAR], channel(events=kinds))
    post.run(now)  # type: ignore[arg-type]  # an instant
    return [letter for _, letter, _ in post.kept.letters]


def known(letters: list[Letter]) -> list[Letter]:
    text = " ".join(text for letter in letters for text in (letter.title, *letter.lines))
    assert "unknown" not in text and "$" not in text, text
    assert {letter.budget for letter in letters} == {"dev-dollar"}
    return letters


def test_an_undo_is_told_when_it_is_asked_for_and_when_it_ends(record: Record) -> None:
    story = Story(record, StartingFleet(machine("a"), machine("b")), staged(1))
    run = story.run()
    story.undo(run, DRY)
    story.undo(run)
    letters = known(told(record, "undo-asked", "undo-finished", now=story.now))
    assert sorted(letter.kind for letter in letters) == ["undo-asked"] * 2 + ["undo-finished"] * 2
    asked = [letter.lines[0] for letter in letters if letter.kind == "undo-asked"]
    assert sorted(asked) == ["By kim, dry run: no. the demo needs them", "By kim, dry run: yes."]


def test_an_undo_that_halts_says_in_which_stage_and_why(record: Record) -> None:
    story = Story(record, StartingFleet(machine("a"), machine("b")), staged(1))
    run = story.run()
    story.fleet.deaf.add(machine("a").id)
    story.undo(run)
    (letter,) = known(told(record, "undo-halted", now=story.now))
    assert (
        letter.title == "Budget dev-dollar: the undo HALTED in stage 1" and "1 of stage 1 failed: a" in letter.lines[0]
    )


def test_an_undo_whose_last_stage_failed_is_told_as_halted(record: Record) -> None:
    story = Story(record, StartingFleet(machine("a"), machine("b")), staged(1))
    run = story.run()
    story.fleet.deaf.add(machine("b").id)
    story.undo(run)
    (letter,) = known(told(record, "undo-halted", "undo-finished", now=story.now))
    assert letter.title == "Budget dev-dollar: the undo HALTED in stage 2"
    assert "1 of 2 failed: b" in letter.lines[0]


def test_a_refused_undo_is_told(record: Record) -> None:
    story = Story(record, StartingFleet(machine("a")), staged(1))
    run = story.run()
    story.undo(run)
    with pytest.raises(Rejected):
        story.undo(run, Wish("kim", "again", dry_run=False))
    (letter,) = known(told(record, "undo-refused", now=story.now))
    assert letter.lines[0].startswith("Asked for by kim: nothing of that run is left to start")


def test_invariant_20_a_machine_that_somebody_started_again_is_one_notice(record: Record) -> None:
    story = Story(record, StartingFleet(machine("a"), machine("b")), replace(DOLLAR, live=True))
    story.run()
    story.later(hours=1)
    story.fleet.set(machine("a").id, power="running")
    post = Post(record, [DOLLAR], channel(events=("restarted",)))
    for _ in range(3):
        waiting = returned.should_be_off(record, story.now)
        returned.look(waiting, [DOLLAR], record, story.fleet, story.now)
        post.run(story.now)
        story.later(minutes=10)
    ((_, letter, _),) = post.kept.letters
    assert known([letter])[0].title == "Budget dev-dollar: a is on again after a stop"
    assert letter.lines[0].startswith("It started again after a stop, reads running,")


def test_a_dead_drill_is_told_and_a_drills_own_plan_is_not(record: Record) -> None:
    begun = drill.begin(DOLLAR, record, NOW)
    drill.answered(begun, 401, "", record, NOW)
    drill.check(record, NOW + HOUR, timedelta(minutes=20))
    (letter,) = known(told(record, now=NOW + HOUR))
    assert letter.kind == "drill-failed" and "the key in its address" in letter.lines[0]


def test_the_plan_of_a_drill_that_went_through_is_nobodys_news(record: Record) -> None:
    drilled = Drilled(record, Probed(machine("a")))
    drilled.through()
    post = Post(record, [DOLLAR], channel())
    post.run(NOW, drilled.begun.run)
    post.run(NOW)
    assert drilled.outcome(timedelta()) == (drill.PASSED, "") and post.kept.letters == []
    assert record.streams("outcomes/") == []


def test_a_plan_that_was_decided_meanwhile_gets_no_links_any_more(record: Record) -> None:
    run = Guarded(record, under(rule(approval=HOUR)), machine("a"))
    run.plan()
    post = Post(record, [DOLLAR], channel(approver="Kim"))
    post.links = lambda *_: {"Approve": "https://ledger.example/?token=x"}
    plan = str(run.last("digest"))
    approval.decide(record, run.run, plan, "reject", by="Kim", reason="no", now=run.now)
    post.run(run.now)
    assert {letter.kind: dict(letter.links) for _, letter, _ in post.kept.letters} == {"approval": {}, "rejected": {}}
    rejected = next(letter for _, letter, _ in post.kept.letters if letter.kind == "rejected")
    assert rejected.lines == ("Rejected by Kim: no",)


def test_an_approval_is_told_with_who_gave_it(record: Record) -> None:
    run = Guarded(record, under(rule(approval=HOUR)), machine("a"))
    run.plan()
    plan = str(run.last("digest"))
    approval.decide(record, run.run, plan, "approve", by="Kim", reason="go", now=run.now)
    (letter,) = known(told(record, "approved", now=run.now))
    assert letter.lines == (f"Approved by Kim: plan {plan[:12]} go",)


@pytest.mark.parametrize(("percent", "amount"), [(50, "$0.50"), (80, "$0.80"), (100, "$1.00")])
def test_a_rule_for_notices_tells_each_threshold_once_and_plans_nothing(
    record: Record, percent: int, amount: str
) -> None:
    body = payload("common-actual", NotificationThresholdAmount=amount, SpentAmount=amount)
    early = rule("early", threshold=Decimal("0.5"), action="notice")
    run = Guarded(record, under(early), machine("a"), body=body)
    run.fire()
    assert [event.kind for event in run.events()] == ["notice"]
    (letter,) = known(told(record, now=run.now))
    assert letter.title == f"Budget dev-dollar: {percent} % of 1.00 USD, nothing is stopped"
