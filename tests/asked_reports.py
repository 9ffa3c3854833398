"""A source of Cost Details over emulated hosts, asked on a day of the test's own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from adapters.cost_management import cost_management
from emulators.arm import Arm
from emulators.cloud import Cloud
from emulators.cost_reports import BOM, CostReports, reporting
from ingest.azure_scopes import scope_of
from ingest.offers import Offer
from ingest.sources.azure_links import Links
from ingest.sources.azure_patience import Patience
from ingest.sources.cost_details import CostDetails
from ledger.delivery import Period

ENROLLMENT = "/providers/Microsoft.Billing/billingAccounts/70000042"
SUBSCRIPTION = "/subscriptions/11111111-1111-1111-1111-111111111111"
NOW = datetime(2026, 2, 10, 12, tzinfo=UTC)
JANUARY, FEBRUARY = Period(2026, 1), Period(2026, 2)
PARTS = {"ActualCost": [b"a,b\n1,2\n", b"a,b\n3,4\n"], "AmortizedCost": [b"a,b\n5,6\n"]}


@dataclass
class Asking:
    """What a source is asked on a day, with the seconds that it waited; `passing` goes by with each wait."""

    arm: Arm
    reports: CostReports
    folder: Path
    scope: str = ENROLLMENT
    now: datetime = NOW
    most: int = 1200
    passing: timedelta = timedelta()
    waited: list[int] = field(default_factory=list)

    def source(self, period: Period = JANUARY, basis: str = "amortized") -> CostDetails:
        patience = Patience(self.wait, self.most)
        client = cost_management(self.arm.environment(), patience)
        links = Links(self.wait, str(self.arm.ca_file))
        return CostDetails(client, scope_of(self.scope), period, lambda: self.now, patience, links, basis)

    def wait(self, seconds: int) -> None:
        self.waited.append(seconds)
        self.now += self.passing

    def offer(self, period: Period = JANUARY, basis: str = "amortized") -> Offer:
        [offer] = self.source(period, basis).offers()
        return offer

    def fetched(self, period: Period = JANUARY) -> list[tuple[str, bytes]]:
        """(role, bytes) of every part, and no draft beside them."""
        source, found = self.source(period), []
        for number, file in enumerate(source.offers()[0].files):
            target = self.folder / f"{number}.csv"
            source.download(file, target)
            found.append((file.role, target.read_bytes()))
        assert sorted(self.folder.iterdir()) == sorted(self.folder / f"{number}.csv" for number in range(len(found)))
        return found

    @property
    def whole(self) -> list[tuple[str, bytes]]:
        roles = {"ActualCost": "actual", "AmortizedCost": "amortized"}
        return [(roles[metric], BOM + part) for metric, parts in PARTS.items() for part in parts]


@contextmanager
def asked(folder: Path) -> Iterator[Asking]:
    """Reports of an enrollment and of a subscription, for two months; their parts are fetched into the folder."""
    with reporting(Cloud(NOW)) as (arm, reports):
        for month in ("2026-01", "2026-02"):
            for scope in (ENROLLMENT, SUBSCRIPTION):
                for metric, parts in PARTS.items():
                    reports.give(scope, metric, month, *parts)
        yield Asking(arm, reports, folder)
