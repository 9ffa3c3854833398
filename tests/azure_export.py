"""Exports of Cost Management in a container of the storage emulator, and a ledger that takes them in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from azure.storage.blob import BlobServiceClient, ContainerClient

from tests.bills import Ledger, azure
from tests.exports import changed
from tests.exports import export as focus_file
from tests.servers.azure_runs import write_run
from tests.servers.azurite import Azurite

ORDER = "/providers/Microsoft.Capacity/reservationOrders/o-1/reservations/R-1"
COMMITTED = {"PricingModel": "Reservation", "benefitId": ORDER}


@dataclass(frozen=True)
class AzureExport:
    """A container of its own, with exports below `bills`, and the ledger that takes them in."""

    container: ContainerClient
    folder: Path
    ledger: Ledger

    @property
    def location(self) -> str:
        return f"az://{self.container.container_name}/bills"

    def lines(self, *lines: Mapping[str, str], month: str = "2026-01") -> Path:
        """A cost details file of an Enterprise Agreement with lines that differ by their machine."""
        year, number = month.split("-")
        dated = {"BillingPeriodStartDate": f"{number}/01/{year}", "Date": f"{number}/05/{year}"}
        found = [{**dated, "ResourceName": f"VM{index}", **line} for index, line in enumerate(lines)]
        known = len(list(self.folder.glob("lines-*.csv")))
        return azure(self.folder / f"lines-{known}.csv", *found)

    def costs(self, *costs: str, month: str = "2026-01") -> Path:
        return self.lines(*({"CostInBillingCurrency": cost} for cost in costs), month=month)

    def actual(self, *chunks: Path | bytes, period: str = "2026-01", **options: Any) -> str:
        return self.run("actual", "ActualCost", *chunks, period=period, **options)

    def amortized(self, *chunks: Path | bytes, period: str = "2026-01", **options: Any) -> str:
        return self.run("amortized", "AmortizedCost", *chunks, period=period, **options)

    def pair(self, *chunks: Path | bytes, period: str = "2026-01", **options: Any) -> None:
        """A month without commitments: both reports tell the same."""
        self.actual(*chunks, period=period, **options)
        self.amortized(*chunks, period=period, **options)

    def focus(self, *costs: str, period: str = "2026-01", name: str = "focus", **options: Any) -> str:
        return self.run(name, "FocusCost", *(self.focus_file(cost, period) for cost in costs), period=period, **options)

    def focus_file(self, cost: str, period: str = "2026-01", suffix: str = ".parquet") -> Path:
        """Azure's own FOCUS rows, of which the first costs so much."""
        from ledger.delivery import Period

        month = Period.parse(period)
        days = {
            "BillingPeriodStart": f"{month.start:%Y-%m-%dT00:00:00Z}",
            "BillingPeriodEnd": f"{month.end:%Y-%m-%dT00:00:00Z}",
        }
        days |= {"ChargePeriodStart": f"{period}-05T00:00:00Z", "ChargePeriodEnd": f"{period}-06T00:00:00Z"}
        first, *_ = changed("azure_1_2_preview", {"BilledCost": cost, "EffectiveCost": cost})
        return focus_file(self.folder / f"focus-{period}-{cost}{suffix}", "azure_1_2_preview", [{**first, **days}])

    def run(self, name: str, kind: str, *chunks: Path | bytes, period: str = "2026-01", **options: Any) -> str:
        return write_run(self.container, options.pop("root", "bills"), name, kind, period, chunks, **options)

    def put(self, name: str, body: bytes) -> None:
        self.container.upload_blob(name, body, overwrite=True)


@pytest.fixture
def container(azurite: Azurite, unique_name: str) -> ContainerClient:
    """An empty container that no other test uses."""
    service = BlobServiceClient.from_connection_string(azurite.connection_string)
    return service.create_container(unique_name)


@pytest.fixture
def azure_export(
    azurite: Azurite, container: ContainerClient, ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AzureExport:
    for name, value in azurite.env.items():
        monkeypatch.setenv(name, value)
    return AzureExport(container, tmp_path, ledger)
