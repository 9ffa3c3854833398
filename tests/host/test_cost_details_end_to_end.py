"""From Azure's Cost Details to partitions on blob storage, by ledger.toml alone: timer, queue, worker."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

import pytest

from emulators.cloud import Cloud
from emulators.cost_reports import CostReports, reporting
from emulators.faults import denied
from tests.azure_reports import ACTUAL, AMORTIZED, ENROLLMENT, MAIN, MONTH, NOW, OPEN, ea, table
from tests.host.conftest import Start
from tests.host.ingestion import Ingestion

ALL = f'{MAIN}currency = "USD"\nsince = "{MONTH}"\nrestated_for = 40\n'


@dataclass(frozen=True)
class Running(Ingestion):
    reports: CostReports


@pytest.fixture
def running(start: Start) -> Iterator[Running]:
    with reporting(Cloud(NOW)) as (arm, reports), start(ALL, **arm.environment()) as service:
        service.pump.visibility = 0
        reports.give(ENROLLMENT, "ActualCost", str(MONTH), table(*ACTUAL))
        reports.give(ENROLLMENT, "AmortizedCost", str(MONTH), table(*AMORTIZED[:2]), table(*AMORTIZED[2:]))
        for metric in ("ActualCost", "AmortizedCost"):
            reports.give(ENROLLMENT, metric, str(OPEN), table(ea(OPEN)))
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
