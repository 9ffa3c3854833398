"""From Azure's Cost Details to partitions on blob storage, by ledger.toml alone: timer, queue, worker."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

import pytest

from emulators.cloud import Cloud
from emulators.cost_reports import CostReports, reporting
from emulators.faults import denied
from tests.azure_reports import ENROLLMENT, MAIN, NOW, actual, amortized, ea, table
from tests.clock import WATCHED, months_due
from tests.host.conftest import Start
from tests.host.ingestion import Ingestion

ALL = f'{MAIN}currency = "USD"\nrestated_for = {WATCHED}\nsince = '


@dataclass(frozen=True)
class Running(Ingestion):
    reports: CostReports


@pytest.fixture
def running(start: Start) -> Iterator[Running]:
    older, newer = months_due()
    with reporting(Cloud(NOW)) as (arm, reports), start(f'{ALL}"{older}"', **arm.environment()) as service:
        service.pump.visibility = 0
        used = amortized(older)
        reports.give(ENROLLMENT, "ActualCost", str(older), table(*actual(older)))
        reports.give(ENROLLMENT, "AmortizedCost", str(older), table(*used[:2]), table(*used[2:]))
        for metric in ("ActualCost", "AmortizedCost"):
            reports.give(ENROLLMENT, metric, str(newer), table(ea(newer)))
        yield Running(service, reports)


def test_a_scope_becomes_partitions_and_is_asked_once_a_day(running: Running) -> None:
    assert (running.plan(), running.reports.questions) == (["ingest-partition"] * 2, [])
    assert running.carried(2) == ["committed", "committed"]
    assert Decimal(running.total()) == 20
    assert (running.plan(), len(running.reports.questions)) == ([], 4)


def test_a_month_that_is_refused_for_now_is_brought_back_and_the_other_is_not_held_up(running: Running) -> None:
    running.reports.faults.add(denied("generatecostdetailsreport", times=1))
    running.plan()
    assert sorted(running.carried(3)) == ["committed", "committed", "failed"]
    assert Decimal(running.total()) == 20
    assert not any("sig=" in line for one in running.service.pump.handled for line in map(str, one.outcome.logs))
