"""Golden rows of the samples: the columns that are not null, one JSON object a line, in a stable order."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from tests.azure_bills import MADE, files_of
from tests.exports import export
from tests.mapped import Row, focus_rows
from tests.reports import EVERY_KIND, written
from tests.snowflake_lines import every_kind

HERE = Path(__file__).parent
SAMPLES = HERE.parents[1] / "samples"
AWS = SAMPLES / "aws/data/BILLING_PERIOD=2026-01/ledger-demo-00001.snappy.parquet"
SNOWFLAKE = SAMPLES / "snowflake/usage_in_currency_daily_2026-01.csv"
PAIR = [(SAMPLES / f"azure/{role}_2026-01.csv", role) for role in ("actual", "amortized")]
CASES = {"aws_cur2": [(AWS, "")], "azure_cost_details_ea": PAIR, "snowflake_usage_in_currency": [(SNOWFLAKE, "")]}
# FOCUS exports to be upgraded, made when asked for.
OLDER = ("aws_1_0", "aws_1_2", "azure_1_0r2", "azure_1_2_preview", "snowflake_1_3_view")
UPGRADES = {f"focus_{name}": name for name in OLDER}
# One AWS bill with every kind of line, in the shapes that the samples do not have.
REPORTS = ("aws_cur2_csv", "aws_cur_legacy", "aws_cur_legacy_csv")

# One month of every other Azure agreement with every kind of charge.
AGREEMENTS = {f"azure_cost_details_{name}": name for name in MADE}
# Snowflake with every kind of line, and the views beside it.
BESIDE = ("snowflake_every_kind",)


def golden(name: str) -> Path:
    return HERE / f"{name}.jsonl"


def rows(name: str) -> list[Row]:
    """All ledger rows of one sample or made export."""
    with tempfile.TemporaryDirectory() as workspace:
        folder = Path(workspace)
        if name in AGREEMENTS:
            return focus_rows(files_of(AGREEMENTS[name], folder), folder)
        if name in BESIDE:
            bill, views = every_kind(folder)
            return focus_rows([(bill, "")], folder, companions=views)
        if name in REPORTS:
            return focus_rows([(written(folder, name, EVERY_KIND), "")], folder, options={"split": "true"})
        made = [(export(folder / "made.parquet", UPGRADES[name]), "")] if name in UPGRADES else CASES[name]
        return focus_rows(made, folder)


def shown(found: list[Row]) -> list[str]:
    """The first and last day of every meter as text: enough to see each column's shape."""
    return sorted(_text(row) for key in {_meter(row) for row in found} for row in _ends(found, key))


def _meter(row: Row) -> tuple[str, str, str]:
    return str(row["SkuId"]), str(row["x_UsageType"]), str(row["x_Operation"])


def _ends(found: list[Row], key: tuple[str, str, str]) -> Iterator[Row]:
    days = sorted((row for row in found if _meter(row) == key), key=lambda row: (row["ChargePeriodStart"], _text(row)))
    yield days[0]
    if len(days) > 1:
        yield days[-1]


def _text(row: Row) -> str:
    return json.dumps({name: _plain(value) for name, value in row.items() if value is not None}, ensure_ascii=False)


def _plain(value: object) -> str:
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    return value.isoformat() if isinstance(value, datetime) else str(value)
