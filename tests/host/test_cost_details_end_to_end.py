"""From Azure's Cost Details to partitions on blob storage, by ledger.toml alone: timer, queue, worker."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

import pytest

import settings
import wiring
from emulators.cloud import Cloud
from emulators.cost_reports import CostReports, reporting
from emulators.faults import denied
from tests.azure_reports import ACTUAL, AMORTIZED, ENROLLMENT, MAIN, MONTH, NOW, OPEN, ea, table
from tests.host.conftest import Service, Start

ALL = f'{MAIN}currency = "USD"\nsince = "{MONTH}"\nrestated_for = 40\n'


@dataclass(frozen=True)
class Running:
    service: Service
    reports: CostReports

    def plan(self) -> list[str]:
        outcome = self.service.host.timer("plan_ingest")
        assert outcome.succeeded, outcome.error
        return [str(queue) for queue in outcome.events()[-1]["sent"]]

    def handled(self, count: int) -> list[str]:
        """What became of the messages, once so many were handled."""
        self.service.pump.run(until=lambda: len(self.service.pump.of("ingest_partition")) >= count)
        outcomes = [one.outcome for one in self.service.pump.of("ingest_partition")]
        return [one.events()[-1]["run"]["outcome"] if one.succeeded else "failed" for one in outcomes]

    def total(self) -> Decimal:
        document = wiring.summary(settings.load(None, self.service.env), self.service.env)
        return Decimal(document["currencies"]["USD"]["total"])  # type: ignore[index]  # a JSON document


@pytest.fixture
def running(start: Start) -> Iterator[Running]:
    with reporting(Cloud(NOW)) as (arm, reports), start(ALL, **arm.environment()) as service:
        service.pump.visibility = 0
        reports.give(ENROLLMENT, "ActualCost", str(MONTH), table(*ACTUAL))
        reports.give(ENROLLMENT, "AmortizedCost", str(MONTH), table(*AMORTIZED[:2]), table(*AMORTIZED[2:]))
        for metric in ("ActualCost", "AmortizedCost"):
            reports.give(ENROLLMENT, metric, str(OPEN), table(ea(OPEN)))
        yield Running(service, reports)


def test_a_scope_becomes_partitions_and_asked_again_it_is_unchanged(running: Running) -> None:
    assert (running.plan(), running.reports.questions) == (["ingest-partition"] * 2, [])
    assert running.handled(2) == ["committed", "committed"]
    assert running.total() == 20
    running.plan()
    assert running.handled(4)[2:] == ["unchanged", "unchanged"]


def test_a_month_that_is_refused_for_now_is_brought_back_and_the_other_is_not_held_up(running: Running) -> None:
    running.reports.faults.add(denied("generatecostdetailsreport", times=1))
    running.plan()
    assert sorted(running.handled(3)) == ["committed", "committed", "failed"]
    assert running.total() == 20
    assert not any("sig=" in line for one in running.service.pump.handled for line in map(str, one.outcome.logs))
