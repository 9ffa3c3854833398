"""From an export in a bucket of AWS to partitions on blob storage, by ledger.toml alone: timer, queue, worker."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

from tests.bills import cur2
from tests.host.conftest import Start
from tests.host.ingestion import Ingestion
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
class Running(Ingestion):
    deliver: Callable[..., None]


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
