"""The budget's watch: late sight, one alert per threshold and month, and a body the product can read."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from emulators.budget import BudgetWatch, MonthlyBudget, payload, shown
from emulators.cloud import MACHINE, Cloud, resource_id
from emulators.rehearsal import registered
from emulators.scenario import Setup
from governance.alert import parse
from governance.model import Alert

SHAPE = Path(__file__).parent.parent / "governance" / "payloads" / "common-actual.json"
SCOPE = "/subscriptions/s"
HOUR = timedelta(hours=1)


def watched(latency_hours: int = 0, start: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> tuple[Cloud, BudgetWatch]:
    """One tagged machine at 1.00 an hour under a budget of 10 with thresholds at 50 and 80 %."""
    cloud = Cloud(start)
    cloud.add_machine(resource_id("s", "rg", MACHINE, "vm"), tariff=Decimal(1), tags={"Stop": "b"})
    cloud.add_machine(resource_id("s", "rg", MACHINE, "other"), tariff=Decimal(1), tags={"stop": "B"})
    shares = (Decimal("0.8"), Decimal("0.5"))
    return cloud, BudgetWatch(
        MonthlyBudget("b", SCOPE, Decimal(10), shares, ("stop", "b"), latency=latency_hours * HOUR)
    )


def hours_of_alerts(cloud: Cloud, watch: BudgetWatch, hours: int) -> list[int]:
    found: list[int] = []
    for hour in range(1, hours + 1):
        cloud.advance(HOUR)
        found += [hour] * len(watch.evaluate(cloud))
    return found


def test_each_threshold_is_told_once_when_it_is_reached() -> None:
    assert hours_of_alerts(*watched(), hours=30) == [5, 8]


@given(st.integers(0, 60))
@settings(max_examples=20, deadline=None)
def test_latency_delays_every_alert_by_itself(latency: int) -> None:
    assert hours_of_alerts(*watched(latency), hours=100) == [5 + latency, 8 + latency]


def test_both_thresholds_passed_between_two_looks_are_both_told() -> None:
    cloud, watch = watched()
    cloud.advance(20 * HOUR)
    assert [json.loads(body)["data"]["alertContext"]["AlertData"]["SpentAmount"] for body in watch.evaluate(cloud)] == [
        "$20.00",
        "$20.00",
    ]


def test_a_new_month_starts_at_nothing_and_tells_again() -> None:
    cloud, watch = watched(start=datetime(2026, 1, 31, tzinfo=UTC))
    assert hours_of_alerts(cloud, watch, 24 + 9) == [5, 8, 24 + 5, 24 + 8]


def test_only_the_very_tag_in_the_scope_counts() -> None:
    cloud, watch = watched()
    cloud.add_machine(resource_id("s2", "rg", MACHINE, "far"), tariff=Decimal(1), tags={"stop": "b"})
    cloud.advance(HOUR)
    assert watch.reported(cloud) == 1


def test_without_a_filter_everything_in_scope_counts() -> None:
    cloud, _ = watched()
    cloud.advance(HOUR)
    assert BudgetWatch(MonthlyBudget("b", SCOPE, Decimal(10), (Decimal(1),))).reported(cloud) == 2


def test_the_body_has_the_fields_of_a_real_one() -> None:
    ours = payload(Setup().budget(), Decimal("0.8"), Decimal("0.8125"), datetime(2026, 1, 2, 16, tzinfo=UTC))
    assert fields(ours) == fields(json.loads(SHAPE.read_text()))


def fields(value: object) -> object:
    return {key: fields(inner) for key, inner in value.items()} if isinstance(value, dict) else None


def test_the_product_reads_the_body_as_an_alert_that_may_act() -> None:
    setup, fired = Setup(), datetime(2026, 1, 2, 16, tzinfo=UTC)
    body = json.dumps(payload(setup.budget(), setup.threshold, Decimal("0.8125"), fired)).encode()
    alert = parse(body, budgets=[registered(setup)], now=fired)
    assert isinstance(alert, Alert)
    assert (alert.threshold, alert.spent, alert.notice_only) == (Decimal("0.8"), Decimal("0.81"), "")


def test_amounts_are_shown_as_the_service_prints_them() -> None:
    assert shown(Decimal("11111"), "USD") == "$11,111.00"
