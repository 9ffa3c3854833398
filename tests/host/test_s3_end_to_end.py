"""From an export in a bucket of AWS to partitions on blob storage, by ledger.toml alone: timer, queue, worker."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

import settings
import wiring
from tests.bills import cur2
from tests.host.conftest import Service, Start
from tests.servers.fixtures import bucket as bucket
from tests.servers.fixtures import moto as moto
from tests.servers.moto import Moto
from tests.servers.s3_exports import write_export

TOML = """
[sources.aws-main]
provider = "aws"
currency = "USD"
location = "s3://{bucket}/bills"
"""


@dataclass(frozen=True)
class Running:
    service: Service
    deliver: Callable[..., None]

    def plan(self) -> list[str]:
        outcome = self.service.host.timer("plan_ingest")
        assert outcome.succeeded, outcome.error
        return [str(queue) for queue in outcome.events()[-1]["sent"]]

    def carried(self, count: int = 1) -> list[str]:
        """Outcomes of the messages, once so many were handled."""
        self.service.pump.run(until=lambda: len(self.service.pump.of("ingest_partition")) >= count)
        return [one.outcome.events()[-1]["run"]["outcome"] for one in self.service.pump.of("ingest_partition")]

    def total(self) -> str:
        document = wiring.summary(settings.load(None, self.service.env), self.service.env)
        return str(document["currencies"]["USD"]["total"])  # type: ignore[index]  # a JSON document


@pytest.fixture
def running(start: Start, moto: Moto, bucket: str, tmp_path: Path) -> Iterator[Running]:
    def deliver(*costs: float, period: str = "2026-01") -> None:
        chunks = [_chunk(tmp_path, number, cost, period) for number, cost in enumerate(costs)]
        columns = [str(row[0]) for row in duckdb.execute(f"DESCRIBE FROM '{chunks[0]}'").fetchall()]
        write_export(moto.client("s3"), bucket, "bills", "main", period, chunks, columns=columns)

    with start(TOML.format(bucket=bucket), **moto.env) as service:
        service.pump.visibility = 0
        yield Running(service, deliver)


def _chunk(folder: Path, number: int, cost: float, period: str) -> Path:
    start = {"bill_billing_period_start_date": f"{period}-01", "line_item_resource_id": f"i-{number}"}
    return cur2(folder / f"{period}-{number}-{cost}.parquet", {"line_item_unblended_cost": cost, **start})


def test_an_export_becomes_partitions_and_then_nothing_is_due(running: Running) -> None:
    running.deliver(1.25, 2.5)
    running.deliver(4.0, period="2026-02")
    assert running.plan() == ["ingest-partition"] * 2
    assert running.carried(2) == ["committed", "committed"]
    assert (running.total(), running.plan()) == ("7.75", [])


def test_a_restated_month_is_due_again_and_replaced(running: Running) -> None:
    running.deliver(1.0, 2.0)
    running.plan(), running.carried()
    running.deliver(0.5)
    assert running.plan() == ["ingest-partition"]
    assert running.carried(2) == ["committed", "committed"]
    assert running.total() == "0.50"


def test_a_message_brought_twice_changes_nothing(running: Running) -> None:
    running.deliver(1.0)
    running.plan(), running.carried()
    again = running.service.host.queue("ingest_partition", running.service.pump.handled[0].text, attempt=2)
    assert again.events()[-1]["run"]["outcome"] == "unchanged"
