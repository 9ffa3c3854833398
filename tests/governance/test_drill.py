"""A drill's alert is one that the real reader takes, its signature is good for minutes, and it never calls anything."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance import drill, drill_alert, flow, links, streams
from governance.alert import parse
from governance.model import Alert, Budget, Message
from governance.record import Record
from governance.rules import Ceilings, Policy
from ledger.faults import Rejected, Transient
from tests.governance.scene import BUDGETS, NOW, ListQueue, MemoryFleet, machine

KEY = "a drill key of the test, 32 characters"
BUDGET = next(one for one in BUDGETS if drill_alert.stops(one))
HOUR = timedelta(hours=1)


class Probed(MemoryFleet):
    """Tells which rights are missing."""

    missing: tuple[str, ...] = ()

    def missing_rights(self, id: str) -> tuple[str, ...]:  # noqa: ARG002  # the same for all
        return self.missing


def rule(budget: Budget) -> Policy:
    found = drill_alert.stops(budget)
    assert found
    return found


@given(
    st.decimals("0.01", "1000000", places=4),
    st.decimals("0.001", "5", places=6),
    st.sampled_from(["USD", "EUR", "JPY", "INR"]),
    st.sampled_from(["actual", "forecast"]),
)
def test_the_real_reader_takes_it_and_reaches_the_rule(
    amount: Decimal, threshold: Decimal, currency: str, kind: str
) -> None:
    wanted = Policy("guard", (BUDGET.name,), threshold=threshold, alerts=(kind,))
    budget = replace(BUDGET, amount=amount, currency=currency, policies=(wanted,))
    found = parse(drill_alert.body(budget, wanted, NOW), budgets=[budget], now=NOW)
    assert isinstance(found, Alert), found
    assert (found.notice_only, found.policies, found.kind) == ("", ("guard",), kind)


@given(st.binary(max_size=200), st.integers(0, 10**9), st.integers(-3600, 3600))
def test_a_signature_is_for_this_body_this_key_and_these_minutes(body: bytes, at: int, later: int) -> None:
    then = datetime.fromtimestamp(at, UTC)
    given = drill_alert.signature(body, KEY, then)
    now = then + timedelta(seconds=later)
    assert drill_alert.is_signed(body, given, KEY, now) is (abs(later) <= drill_alert.VALID.total_seconds())
    assert not drill_alert.is_signed(body + b" ", given, KEY, then)
    assert not drill_alert.is_signed(body, given, KEY[::-1], then)
    assert not drill_alert.is_signed(body, given.replace(f"t={at}", f"t={at + 1}"), KEY, then)


@pytest.mark.parametrize("key", ["", "short", "x" * 31])
def test_without_a_long_key_nothing_is_signed_and_nothing_believed(key: str) -> None:
    with pytest.raises(Rejected, match="no key for drills"):
        drill_alert.signature(b"", key, NOW)
    with pytest.raises(Rejected, match="no key for drills"):
        drill_alert.is_signed(b"", "t=1,v1=" + "0" * 64, key, NOW)


class Story:
    """One drill over the flows, with every switch on; its steps are those of the triggers."""

    def __init__(self, record: Record, fleet: Probed, budget: Budget = BUDGET) -> None:
        self.record, self.fleet, self.queue = record, fleet, ListQueue()
        self.budget = replace(budget, live=True)
        self.begun = drill.begin(self.budget, record, NOW)

    def send(self) -> int:
        body = self.begun.body
        given = drill_alert.signature(body, KEY, NOW)
        answer = flow.on_drill(
            body, given, key=KEY, budgets=[self.budget], record=self.record, queue=self.queue, now=NOW
        )
        drill.answered(self.begun, answer.status, str(answer.body.get("refused", "")), self.record, NOW)
        return answer.status

    def plan(self) -> list[Message]:
        return flow.on_plan(
            {"alert": self.begun.run},
            budgets=[self.budget],
            record=self.record,
            fleet=self.fleet,
            now=NOW,
            live=True,
        )

    def order(self, message: Message) -> None:
        flow.on_order(message.body, budgets=[self.budget], record=self.record, fleet=self.fleet, now=NOW, live=True)
        (look,) = flow.after_order(message.body)
        flow.on_probe(look.body, record=self.record, fleet=self.fleet, now=NOW)

    def through(self) -> None:
        assert self.send() == 202
        for message in self.plan():
            self.order(message)

    def outcome(self, after: timedelta = HOUR) -> tuple[str, str]:
        (event,) = drill.check(self.record, NOW + after, timedelta(minutes=20))
        return event.kind, str(event.body.get("link", ""))


def test_invariant_23_24_a_drill_never_calls_whatever_is_live(record: Record) -> None:
    story = Story(record, Probed(machine("a"), machine("b")))
    story.through()
    assert (story.fleet.stops, story.fleet.starts) == ([], [])
    assert story.outcome(timedelta()) == (drill.PASSED, "")


def test_invariant_4_an_order_of_a_drill_is_dry_though_its_record_were_not(record: Record) -> None:
    """The key alone decides: a plan that somebody made live in the record calls nothing either."""
    fleet = Probed(machine("a"))
    order = streams.order_key("0" * 64 + streams.DRILL, machine("a").id)
    told = {"alert": "0" * 64 + streams.DRILL, "budget_id": BUDGET.id, "target": machine("a").id}
    planned = {**told, "kind": "azure_vm", "why": "", "power": "running", "plan": "", "dry_run": False}
    record.append(streams.order_stream(order), "planned", planned, NOW)
    live = [replace(BUDGET, live=True)]
    flow.on_order({**told, "order": order}, budgets=live, record=record, fleet=fleet, now=NOW, live=True)
    assert fleet.stops == []
    assert record.events(streams.order_stream(order))[-1].kind == "dry-run"


def test_one_machine_of_each_kind_is_enough(record: Record) -> None:
    others = [replace(machine(name), kind="aws_ec2") for name in ("x", "y")]
    story = Story(record, Probed(*(machine(name) for name in "abc"), *others))
    story.send()
    assert len(story.plan()) == 2


def test_a_ceiling_a_pause_and_an_approval_do_not_hold_a_drill(record: Record) -> None:
    held = Policy("guard", (BUDGET.name,), approval=HOUR, notice=HOUR, ceilings=Ceilings(per_hour=Decimal("0.01")))
    paused = replace(BUDGET, policies=(held,), safeguards=replace(BUDGET.safeguards, paused=True))
    story = Story(record, Probed(machine("a")), paused)
    story.through()
    assert story.outcome(timedelta()) == (drill.PASSED, "")


def test_where_nothing_is_on_the_order_is_untried_and_that_is_told(record: Record) -> None:
    story = Story(record, Probed())
    story.through()
    (event,) = drill.check(record, NOW, HOUR)
    assert event.kind == drill.PASSED
    assert {one["link"]: one["state"] for one in event.body["links"]}["order"] == links.UNTRIED  # type: ignore[attr-defined]  # a list of objects, as written


def test_a_drill_twice_at_the_webhook_is_one(record: Record) -> None:
    story = Story(record, Probed(machine("a")))
    assert (story.send(), story.send(), len(story.queue.sent)) == (202, 202, 1)


def test_a_missing_right_is_named_and_one_that_cannot_be_asked_for_comes_again(record: Record) -> None:
    class Throttled(Probed):
        def missing_rights(self, id: str) -> tuple[str, ...]:
            raise Transient(f"{id}: 429")

    story = Story(record, Throttled(machine("a")))
    story.send()
    (message,) = story.plan()
    with pytest.raises(Transient):
        story.order(message)
    story.fleet = Probed(machine("a"))
    story.fleet.missing = ("stop",)
    story.order(message)
    assert story.outcome() == (drill.FAILED, "rights")


@pytest.mark.parametrize("days", [0, 1])
def test_a_drill_before_midnight_is_settled_after_it(record: Record, days: int) -> None:
    story = Story(record, Probed(machine("a")))
    story.through()
    late = NOW.replace(hour=23, minute=59) - NOW if not days else timedelta(days=1)
    assert story.outcome(late) == (drill.PASSED, "")


def test_life_is_the_last_that_passed_and_the_last_word(record: Record) -> None:
    Story(record, Probed(machine("a"))).through()
    drill.check(record, NOW, HOUR)
    (alive,) = drill.lives(record, [BUDGET])
    assert alive.passed is not None
    assert alive.last == alive.passed
    drill.begin(BUDGET, record, NOW + timedelta(days=40))
    drill.check(record, NOW + timedelta(days=40, hours=2), HOUR)
    (dead,) = drill.lives(record, [BUDGET])
    assert dead.passed == alive.passed
    assert dead.last is not None
    assert (dead.last.kind, dead.last.body["link"]) == (drill.FAILED, "webhook")
    assert "FAILED" in drill.lines([dead], NOW + timedelta(days=41))[0]


def test_those_that_are_marked_are_drilled_or_all() -> None:
    plain, marked = replace(BUDGET, name="a"), replace(BUDGET, name="b", drill=True)
    notices = replace(BUDGET, policies=(Policy("n", (BUDGET.name,), action="notice"),))
    assert drill.chosen([plain, marked]) == [marked]
    assert drill.chosen([plain, notices]) == [plain]


def test_the_sweep_sends_nothing_of_a_drill_again(record: Record) -> None:
    """A message that was lost is a dead link, and must not be healed before it is told."""
    Story(record, Probed(machine("a"))).send()
    assert flow.on_sweep(record=record, now=NOW + timedelta(hours=3)) == []
