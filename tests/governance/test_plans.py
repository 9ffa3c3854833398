"""Plans as a person finds and reads them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from adapters.folder import FolderStore
from governance import approval
from governance.plans import details, found, lines, listed
from governance.record import Record
from governance.rules import Price
from ledger.faults import Rejected
from tests.governance.guarded import HOUR, TIGHT, Guarded, rule, under
from tests.governance.scene import NOW, machine


class Known:
    """A price for the machine called a."""

    def of(self, machines: Any, _currency: str, _now: object, /) -> dict[str, Price]:
        return {one.id: Price(Decimal("0.5"), "USD", "price sheet x.csv") for one in machines if one.name == "a"}


def proposed(record: Record) -> Guarded:
    machines = [machine("a"), machine("b"), machine("c", ledger_exempt="yes")]
    world = Guarded(record, under(rule(approval=HOUR)), *machines, prices=Known())
    world.plan()
    return world


def test_the_list_says_where_each_plan_stands(record: Record) -> None:
    assert lines(listed(record)) == ["no plans in the record"]
    world = proposed(record)
    (one,) = listed(record)
    (line,) = lines([one])
    assert line.startswith(f"{one.id[:12]}  2026-11-12 16:05  dev-dollar  awaiting approval: 2 to stop")
    assert line.endswith(", 0.5 USD/h, 1 of unknown price")
    approval.decide(record, world.run, one.id, "approve", by="Kim", reason="", now=NOW)
    assert listed(record)[0].standing == "approved"
    world.plan()
    (one,) = listed(record)
    assert (one.standing, one.event.kind) == ("carried out", "proposed")


@pytest.mark.parametrize(
    ("budget", "live", "standing"),
    [
        (under(rule()), True, "carried out"),
        (under(rule()), False, "dry run"),
        (under(rule(ceilings=TIGHT)), True, "above a ceiling"),
        (under(rule(), paused=True), True, "paused"),
        (under(rule(notice=HOUR)), True, "notice given"),
    ],
)
def test_standings(record: Record, budget: Any, live: bool, standing: str) -> None:
    Guarded(record, budget, machine("a"), machine("b"), live=live).plan()
    assert [one.standing for one in listed(record)] == [standing]


def test_a_plan_that_was_made_anew_says_so(record: Record) -> None:
    world = Guarded(record, under(rule(notice=HOUR)), machine("a"))
    world.plan()
    world.fleet.set(machine("a").id, power="stopped")
    world.plan(HOUR)
    assert [one.standing for one in listed(record)] == ["carried out", "made anew"]


def test_every_machine_is_told_with_reason_state_price_and_saving(record: Record) -> None:
    proposed(record)
    text = "\n".join(details(listed(record)[0]))
    assert "a (azure_vm, running) by rule r: opted in by ledger-stop=dev-dollar" in text
    assert "0.5 USD/h by price sheet x.csv; stopping saves 0.5 USD/h, 219.9583 until the period ends" in text
    assert "b (azure_vm, running) by rule r" in text and "price unknown" in text
    assert "spare  /subscriptions/" in text and "'yes' is no day" in text
    assert "population of the scope: 3; period ends 2026-12-01" in text


def test_a_plan_is_found_by_the_beginning_of_its_id(record: Record) -> None:
    proposed(record)
    (one,) = listed(record)
    assert found(record, one.id[:8]).id == found(record, one.id).id == one.id


@pytest.mark.parametrize("id", ["", "abc", "ABCDEF12", "../../../x", "0" * 65, "00000000"])
def test_what_finds_no_plan_is_refused(record: Record, id: str) -> None:
    proposed(record)
    with pytest.raises(Rejected):
        found(record, id)


def test_a_damaged_stream_does_not_hide_the_others(record: Record, store: FolderStore) -> None:
    proposed(record)
    store.create(f"record/alerts/{'0' * 64}/000001.json", b"junk")
    assert len(listed(record)) == 1
