"""A split bill on its way into the ledger: money conserved, the gate content, what was left whole told."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.bills import Ledger
from tests.ingest.split_bills import CLOUD, COMPUTE, INCLUDED, STORAGE, Views, attributed, metered, tagged
from tests.mapped import write_csv

BILL = (
    *(
        COMPUTE | {"EFFECTIVE_RATE": rate, "USAGE_TYPE": f"COMPUTE {rate}"}
        for rate in ("", "3.00", "3.123456789012345")
    ),
    *(CLOUD, INCLUDED, STORAGE),
    COMPUTE | {"USAGE_DATE": "2026-01-25", "USAGE_IN_CURRENCY": "0.07", "USAGE": "0.023"},
    COMPUTE | {"USAGE_DATE": "2026-01-26", "USAGE_IN_CURRENCY": "0.00", "USAGE": "0"},
)
VIEWS = Views(
    warehouses=[
        metered("1", "LOAD", "1", "1"),
        metered("2", "BI", "2", "0.5"),
        metered("0", "CLOUD_SERVICES_ONLY", "0", "1"),
        metered("1", "LOAD", "0.000000001", day="2026-01-26"),
    ],
    queries=[
        attributed("q1", "1", '{"app":"dbt"}', "ANNA", "0.7"),
        attributed("q2", "2", "", "BEN", "3"),
        attributed("q3", "8", "", "BEN", "3"),
    ],
    tags=[tagged("WAREHOUSE", "1", "LOAD", "ENVIRONMENT", "Production"), tagged("USER", "5", "BEN", "ENV", "dev")],
    storage=[("2026-01-24", "600", "200", "200")],
    databases=[("2026-01-24", "5", "SALES", "400", "100")],
)


def ingested(ledger: Ledger, folder: Path, allocation: str) -> dict[str, Any]:
    lines = ["[sources.snow]", 'provider = "snowflake"', 'accounts = ["EXAMPLE"]', f'allocation = "{allocation}"']
    ledger.config.write_text("\n".join(lines))
    folder.mkdir()
    write_csv(folder / "usage.csv", list(BILL))
    VIEWS.write(folder)
    [run] = ledger.ingest(folder).document["runs"]
    return dict(run)


@pytest.mark.parametrize("allocation", ["warehouse", "query-tag", "user"])
def test_money_is_conserved_and_no_rule_is_broken(allocation: str, ledger: Ledger, tmp_path: Path) -> None:
    run = ingested(ledger, tmp_path / "bill", allocation)
    [line] = run["balances"]
    assert Decimal(line["raw"]) == Decimal(line["mapped"]) == Decimal("680.57")
    assert run["mapped_rows"] > run["raw_rows"] == len(BILL)
    assert ledger.broken_rules() == {}


def test_what_was_left_whole_and_what_does_not_fit_is_told(ledger: Ledger, tmp_path: Path) -> None:
    run = ingested(ledger, tmp_path / "bill", "user")
    told = {what.split(",")[0].split(":")[0]: count for what, count in run["assumed"].items()}
    assert told["rows left whole"] == 1
    assert told["warehouses on a day with more credits of queries than metered ones"] == 1
    assert told["warehouses on a day with credits of queries and no metering"] == 1


def test_environments_come_with_the_tags_of_warehouses_and_users(ledger: Ledger, tmp_path: Path) -> None:
    ingested(ledger, tmp_path / "bill", "user")
    [block] = ledger.figures()["currencies"].values()
    found = {line["name"]: Decimal(line["cost"]) for line in block["by_environment"]}
    # A third of three times 210.00 is LOAD's, and so are two fifths of 66.00 less 21.00; BEN ran all that BI took.
    assert round(found["Production"], 10) == 210 + 18
    assert round(found["Development"], 10) == 420


def test_another_allocation_is_another_version(ledger: Ledger, tmp_path: Path) -> None:
    asked = ("warehouse", "warehouse", "query-tag")
    runs = [ingested(ledger, tmp_path / str(number), allocation) for number, allocation in enumerate(asked)]
    assert [run["outcome"] for run in runs] == ["committed", "unchanged", "committed"]
