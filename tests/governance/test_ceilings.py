"""Ceilings hold whatever starts a run: above one nothing is stopped, and it is told why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.folder import FolderStore
from adapters.queue import MemoryQueue
from governance import approval, streams
from governance.ceilings import Load, Run, claim, exceeded
from governance.model import Budget, Machine
from governance.record import Record
from governance.rules import Ceilings, Price
from governance.terminal import run_alert
from tests.governance.guarded import HOUR, TIGHT, Guarded, rule, under
from tests.governance.scene import DOLLAR, NOW, MemoryFleet, machine, payload

THREE = [machine(name) for name in "abc"]


class Fixed:
    """A price for every machine, or for some."""

    def __init__(self, per_hour: str, currency: str = "USD", known: Sequence[Machine] = THREE) -> None:
        self.price, self.known = Price(Decimal(per_hour), currency, "a test"), {one.id for one in known}

    def of(self, machines: Sequence[Machine], _currency: str, _now: datetime, /) -> Mapping[str, Price]:
        return {one.id: self.price for one in machines if one.id in self.known}


def load(id: str, per_hour: str | None = "1", policy: str = "r", currency: str = "USD") -> Load:
    return Load(id, policy, None if per_hour is None else Decimal(per_hour), currency)


def a_run(budget: Budget, *loads: Load, run: str = "1", population: int = 10) -> Run:
    return Run(run, budget, budget.policies, loads, population)


def shared(**ceilings: object) -> Budget:
    return under(rule(), ceilings=Ceilings(**ceilings))  # type: ignore[arg-type]  # any of its fields


@pytest.mark.parametrize(("most", "allowed"), [(1, False), (2, False), (3, True), (4, True)])
@pytest.mark.parametrize("where", ["all budgets", "rule r"])
def test_invariant_6_n_is_allowed_and_one_more_stops_nothing(
    record: Record, most: int, allowed: bool, where: str
) -> None:
    ceilings = Ceilings(count=most)
    of = under(rule(ceilings=ceilings)) if where == "rule r" else under(rule(), ceilings=ceilings)
    world = Guarded(record, of, *THREE)
    world.carry_out(world.plan())
    assert len(world.fleet.stops) == (3 if allowed else 0)
    if not allowed:
        assert world.kinds() == ["above-ceiling"]
        assert world.last("reasons") == [f"{where}, per run: 3 machines, at most {most} may be stopped"]
        assert len(world.last("targets")) == 3
        assert record.streams("orders/") == record.streams("days/") == []


def test_invariant_6_the_share_of_a_day_is_of_the_scope_whichever_budget_stopped_there(record: Record) -> None:
    half = shared(day_percent=Decimal("0.5"))
    other = replace(half, name="dev-two", id=half.id.replace("dev-dollar", "dev-two"))
    elsewhere = replace(other, scope="/subscriptions/3")
    a, b, c = (load(one.id) for one in THREE)
    assert claim(a_run(half, a, b, population=4), record, NOW) == []
    (reason,) = exceeded(a_run(other, c, run="2", population=4), record, NOW)
    assert reason == "all budgets, per day: 3 of 4 machines, 50 % of them are 2"
    assert exceeded(a_run(elsewhere, load("/subscriptions/3/x"), run="3", population=4), record, NOW) == []


@pytest.mark.parametrize(
    ("population", "percent", "room"),
    [(1, "0.01", 1), (1, "1", 1), (2, "0.5", 1), (2, "0.99", 1), (10, "0.2", 2), (10, "0.29", 2), (10, "1", 10)],
)
def test_invariant_6_a_percentage_leaves_room_for_one(record: Record, population: int, percent: str, room: int) -> None:
    of = shared(percent=Decimal(percent))
    loads = [load(str(number)) for number in range(room + 1)]
    assert exceeded(a_run(of, *loads[:room], population=population), record, NOW) == []
    if room < population:
        assert "% of them are" in exceeded(a_run(of, *loads, population=population), record, NOW)[0]


@pytest.mark.parametrize(
    ("prices", "reason"),
    [
        (Fixed("1"), ""),
        (Fixed("1.01"), "3.03 USD an hour, at most 3"),
        (Fixed("0.1", "EUR"), "3 machines without a price in USD"),
        (Fixed("0.1", known=THREE[:2]), "1 machines without a price in USD"),
    ],
    ids=["at", "above", "other-currency", "unknown"],
)
def test_invariant_6_money_is_held_and_an_unknown_price_is_above_it(record: Record, prices: Fixed, reason: str) -> None:
    world = Guarded(record, shared(per_hour=Decimal(3)), *THREE, prices=prices)
    world.plan()
    assert world.kinds() == (["above-ceiling"] if reason else ["planned"])
    if reason:
        assert reason in world.last("reasons")[0]


def test_without_a_ceiling_on_money_an_unknown_price_holds_nothing(record: Record) -> None:
    world = Guarded(record, shared(count=3), *THREE)
    assert len(world.plan()) == 3


def test_a_day_is_what_all_runs_take_together(record: Record) -> None:
    of = shared(day_count=3, day_per_hour=Decimal(3))
    assert claim(a_run(of, load("a"), load("b")), record, NOW) == []
    assert claim(a_run(of, load("C"), load("A"), run="2"), record, NOW) == []  # a, again, counts once
    over = a_run(of, load("d"), run="3")
    assert [text.split(":")[0] for text in claim(over, record, NOW)] == ["all budgets, per day"] * 2
    assert claim(over, record, NOW + timedelta(days=1)) == []


def test_a_run_takes_its_place_once(record: Record) -> None:
    of = shared(day_count=1)
    for _ in range(3):
        assert claim(a_run(of, load("a")), record, NOW) == []
    assert len(record.events(streams.day_stream(NOW))) == 1


def test_another_budget_uses_the_same_day_and_a_rule_counts_its_own(record: Record) -> None:
    other = replace(shared(day_count=2), id="other")
    assert claim(a_run(other, load("a"), load("b")), record, NOW) == []
    assert exceeded(a_run(shared(day_count=2), load("c"), run="2"), record, NOW)
    narrow = under(rule("s", ceilings=Ceilings(day_count=1, day_percent=Decimal("0.1"))))
    assert exceeded(a_run(narrow, load("c", policy="s"), run="2"), record, NOW) == []


@given(
    st.lists(
        st.tuples(st.integers(0, 4), st.lists(st.integers(0, 9), min_size=1, max_size=4, unique=True)), max_size=12
    ),
    st.integers(1, 8),
)
def test_law_no_order_of_runs_gets_more_out_of_a_day(runs: list[tuple[int, list[int]]], most: int) -> None:
    with TemporaryDirectory() as folder:
        record, of, stopped = Record(FolderStore(Path(folder))), shared(day_count=most), set[int]()
        for run, ids in runs:
            if not claim(a_run(of, *(load(str(id)) for id in ids), run=str(run)), record, NOW):
                stopped |= set(ids)
        assert len(stopped) <= most


def test_two_runs_at_once_do_not_share_the_last_place(record: Record) -> None:
    of = shared(day_count=1)

    class Racing(Record):
        def events(self, stream: str) -> list:  # type: ignore[type-arg]  # as the parent's
            found = super().events(stream)
            if not found:
                claim(a_run(of, load("b"), run="2"), record, NOW)
            return found

    assert claim(a_run(of, load("a")), Racing(record._store), NOW)
    assert len(record.events(streams.day_stream(NOW))) == 1


def held(record: Record) -> bool:
    kinds = [event.kind for stream in record.streams("alerts/") for event in record.events(stream)]
    return "above-ceiling" in kinds and not record.streams("orders/")


def test_invariant_7_webhook_and_queue(record: Record) -> None:
    Guarded(record, under(rule(ceilings=TIGHT)), *THREE).plan()
    assert held(record)


def test_invariant_7_timer(record: Record) -> None:
    world = Guarded(record, under(rule(ceilings=TIGHT)), *THREE)
    (message,) = world.sweep(HOUR)
    assert message == world.again()
    world.plan()
    assert held(record)
    assert world.sweep(HOUR) == []


@pytest.mark.parametrize("live", [True, False], ids=["live", "drill"])
def test_invariant_7_terminal_and_drill(record: Record, live: bool) -> None:
    fleet = MemoryFleet(*THREE)
    played = run_alert(
        payload("common-actual"),
        budgets=[under(rule(ceilings=TIGHT))],
        record=record,
        queue=MemoryQueue(lambda: NOW),
        fleet=fleet,
        now=NOW,
        live=live,
        wait=lambda until: until,
    )
    assert held(record) and not fleet.stops
    assert "ABOVE A CEILING, nothing is stopped" in "\n".join(played.lines)


def test_invariant_7_a_plan_that_was_approved(record: Record) -> None:
    """The day was used up between the proposal and the approval."""
    world = Guarded(record, under(rule(approval=4 * HOUR), ceilings=Ceilings(day_count=3)), *THREE)
    world.plan()
    proposal = approval.proposed(world.events())
    assert proposal is not None
    claim(a_run(world.budget, load("x"), run="other"), record, NOW)
    plan = str(proposal.body["digest"])
    approval.decide(record, world.run, plan, "approve", by="Kim", reason="", now=NOW)
    assert world.plan() == []
    assert held(record)


def test_invariant_7_a_plan_made_anew_at_the_opening_or_after_notice(record: Record) -> None:
    world = Guarded(record, under(rule(notice=HOUR, ceilings=Ceilings(count=2))), *THREE[:2])
    world.plan()
    world.budget = under(rule(notice=HOUR, ceilings=TIGHT))
    assert world.plan(HOUR) == []
    assert held(record)


def test_above_a_ceiling_only_the_alert_sent_again_starts_anew(record: Record) -> None:
    world = Guarded(record, under(rule(ceilings=TIGHT)), *THREE)
    world.plan()
    assert world.plan() == world.sweep(timedelta(hours=5)) == []
    assert world.fire()["revived"] is True
    world.budget = under(rule())
    assert len(world.plan()) == 3
    assert world.kinds() == ["above-ceiling", "revived", "enqueued", "planned"]


def test_there_is_a_ceiling_where_nobody_set_one(record: Record) -> None:
    world = Guarded(record, DOLLAR, *(machine(f"m{number}") for number in range(26)))
    assert world.plan() == []
    assert world.kinds() == ["above-ceiling"]
