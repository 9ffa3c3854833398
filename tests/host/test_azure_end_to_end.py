"""From exports in a container of Azure to partitions on blob storage, by ledger.toml alone: timer, queue, worker."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from azure.storage.blob import BlobServiceClient

from tests.bills import azure
from tests.host.conftest import Start
from tests.host.ingestion import Ingestion
from tests.servers.azure_runs import packed, write_run
from tests.servers.azurite import Azurite

TOML = """
[sources.azure-main]
provider = "azure"
currency = "USD"
accounts = ["70000042"]
location = "az://{name}-costs/bills"
"""


@dataclass(frozen=True)
class Running(Ingestion):
    deliver: Callable[..., None]


@pytest.fixture
def running(start: Start, storage: Azurite, unique_name: str, tmp_path: Path) -> Iterator[Running]:
    service = BlobServiceClient.from_connection_string(storage.connection_string)
    container = service.create_container(f"{unique_name}-costs")

    def deliver(*costs: str, period: str = "2026-01", kinds: str = "ActualCost AmortizedCost") -> None:
        chunks = [packed(_chunk(tmp_path, cost, period)) for cost in costs]
        for kind in kinds.split():
            write_run(container, "bills", kind.lower(), kind, period, chunks)

    with start(TOML.format(name=unique_name)) as running:
        running.pump.visibility = 0
        yield Running(running, deliver)


def _chunk(folder: Path, cost: str, period: str) -> Path:
    year, month = period.split("-")
    dated = {"BillingPeriodStartDate": f"{month}/01/{year}", "Date": f"{month}/05/{year}", "ResourceName": f"VM{cost}"}
    return azure(folder / f"{period}-{cost}.csv", {"CostInBillingCurrency": cost, **dated})


def test_a_pair_of_exports_becomes_partitions_and_then_nothing_is_due(running: Running) -> None:
    running.deliver("1.25", "2.5")
    running.deliver("4", period="2026-02")
    assert running.plan() == ["ingest-partition"] * 2
    assert running.carried(2) == ["committed", "committed"]
    assert (running.total(), running.plan()) == ("7.75", [])


def test_a_half_waits_and_a_restated_month_is_replaced(running: Running) -> None:
    running.deliver("1", "2", kinds="ActualCost")
    assert running.plan() == []
    running.deliver("1", "2")
    assert running.plan() == ["ingest-partition"]
    assert running.carried() == ["committed"]
    running.deliver("0.5")
    assert running.plan() == ["ingest-partition"]
    assert running.carried(2) == ["committed", "committed"]
    assert running.total() == "0.50"
