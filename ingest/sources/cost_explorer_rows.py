"""A month of Cost Explorer as a file that is ingested like any other, for accounts that have no export."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path

from ingest.daily_rows import DIMENSIONS, HEADER, METRICS, lines
from ingest.daily_totals import asked_days
from ingest.sources.cost_explorer import CostExplorer
from ledger.delivery import Period


def write_month(explorer: CostExplorer, account: str, period: Period, today: date, target: Path) -> Path:
    """`target` as CSV, whole or not at all; `account` is whose costs they are (the payer).

    Faults: Rejected (a month that is not kept, denied, unreadable), Transient.
    """
    days = asked_days(period, today)
    told = lines(explorer.daily(days, METRICS, DIMENSIONS), account, days)
    draft = target.with_name(f".{target.name}.part")
    with draft.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(HEADER)
        writer.writerows(told)
    draft.replace(target)
    return target
