"""A contract of Snowflake from first day to last: items, usage drawn from them, what is left each day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.bills import SNOWFLAKE
from tests.mapped import write_csv
from tests.snowflake_views import VIEWS

ITEM: Mapping[str, str] = {
    **VIEWS["snowflake_contracts"],
    "START_DATE": "2026-01-01",
    "END_DATE": "2026-03-31",
    "EXPIRATION_DATE": "2026-04-30",
    "AMOUNT": "300.00",
    "CONTRACT_MODIFIED_DATE": "2025-12-20",
}
BALANCE: Mapping[str, str] = {**VIEWS["snowflake_balances"], "CAPACITY_BALANCE": "90.00"}


def bill(
    folder: Path,
    *lines: Mapping[str, str],
    items: Sequence[Mapping[str, str]] = (ITEM,),
    balances: Sequence[Mapping[str, str]] = (),
) -> Path:
    """A folder with usage and what lies beside it; each line, item and balance as changes of the usual one."""
    folder.mkdir(parents=True, exist_ok=True)
    write_csv(folder / "usage.csv", [{**SNOWFLAKE, **line} for line in lines or ({},)])
    if items:
        write_csv(folder / "contract_items.csv", [{**ITEM, **item} for item in items])
    if balances:
        write_csv(folder / "balances.csv", [{**BALANCE, **balance} for balance in balances])
    return folder


def used(day: str, amount: str, source: str = "CAPACITY", **more: str) -> dict[str, str]:
    return {"USAGE_DATE": day, "USAGE": amount, "USAGE_IN_CURRENCY": amount, "BALANCE_SOURCE": source, **more}
