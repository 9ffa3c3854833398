"""A month of Cost Explorer as a file that is ingested like any other, for accounts that have no export."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from ingest.daily_rows import DIMENSIONS, HEADER, METRICS, lines
from ingest.daily_totals import RULE, asked_days
from ingest.sources.aws_faults import aws_faults
from ingest.sources.cost_explorer import CostExplorer
from ingest.sources.s3 import Clients
from ledger.delivery import Period
from ledger.faults import NotYet, reject


def account_of(clients: Clients, claimed: Sequence[str]) -> str:
    """Whose costs Cost Explorer tells: the one account that the settings claim, else the one that is signed in.

    Rejected where several are claimed and the signed-in one is none of them.
    """
    if len(claimed) == 1:
        return claimed[0]
    with aws_faults("whose account is signed in"):
        found = str(clients("sts", "").get_caller_identity()["Account"])
    if claimed and found not in claimed:
        advice = "Sign in to the payer account of the source, or claim its account alone: accounts in ledger.toml."
        raise reject(f"account {found} is signed in, which the source does not claim", advice, RULE)
    return found


def write_month(explorer: CostExplorer, account: str, period: Period, today: date, target: Path) -> Path:
    """`target` as CSV, whole or not at all; `account` is whose costs they are (the payer).

    Faults: Rejected (a month not kept, denied, unreadable), Transient (busy), NotYet (an open month without a cost).
    """
    days = asked_days(period, today)
    told = lines(explorer.daily(days, METRICS, DIMENSIONS), account, days)
    if not told and today < period.end.date():
        raise NotYet(f"Cost Explorer tells no costs of {period} yet, which means unknown, not zero")
    draft = target.with_name(f".{target.name}.part")
    with draft.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(HEADER)
        writer.writerows(told)
    draft.replace(target)
    return target
