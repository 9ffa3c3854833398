"""Bills of Snowflake with the views beside them, as files, and their rows once split."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from tests.ingest.test_snowflake_usage import LINE
from tests.mapped import Row, focus_rows, write_csv

DAY = "2026-01-24"
COMPUTE = LINE | {"USAGE": "70.000", "USAGE_IN_CURRENCY": "210.00", "EFFECTIVE_RATE": "3.00", "USAGE_DATE": DAY}
CLOUD = COMPUTE | {"USAGE_TYPE": "CLOUD SERVICES", "USAGE": "22.000", "USAGE_IN_CURRENCY": "66.00"}
INCLUDED = COMPUTE | {
    "USAGE_TYPE": "ADJ FOR INCL CLOUD SERVICES",
    "USAGE": "-7.000",
    "USAGE_IN_CURRENCY": "-21.00",
    "IS_ADJUSTMENT": "TRUE",
}
STORAGE = COMPUTE | {
    "USAGE_TYPE": "STORAGE",
    "RATING_TYPE": "STORAGE",
    "SERVICE_TYPE": "STORAGE",
    "USAGE": "0.138",
    "USAGE_IN_CURRENCY": "5.50",
    "EFFECTIVE_RATE": "",
}
HEADERS = {
    "warehouses": "START_TIME,END_TIME,WAREHOUSE_ID,WAREHOUSE_NAME,CREDITS_USED,CREDITS_USED_COMPUTE,"
    "CREDITS_USED_CLOUD_SERVICES,ACCOUNT_LOCATOR,REGION",
    "queries": "QUERY_ID,START_TIME,WAREHOUSE_ID,WAREHOUSE_NAME,QUERY_TAG,USER_NAME,CREDITS_ATTRIBUTED_COMPUTE,"
    "ACCOUNT_LOCATOR,REGION",
    "tags": "TAG_DATABASE,TAG_SCHEMA,TAG_NAME,TAG_VALUE,OBJECT_ID,OBJECT_NAME,DOMAIN,ACCOUNT_LOCATOR,REGION",
    "storage": "USAGE_DATE,STORAGE_BYTES,STAGE_BYTES,FAILSAFE_BYTES,ACCOUNT_LOCATOR,REGION",
    "contracts": "ORGANIZATION_NAME,CONTRACT_NUMBER,START_DATE,END_DATE,EXPIRATION_DATE,CONTRACT_ITEM,CURRENCY,AMOUNT,"
    "CONTRACT_MODIFIED_DATE",
    "databases": "USAGE_DATE,DATABASE_ID,DATABASE_NAME,AVERAGE_DATABASE_BYTES,AVERAGE_FAILSAFE_BYTES,"
    "ACCOUNT_LOCATOR,REGION",
}
PLACE = ("XY1", "AWS_US_EAST_1")


@dataclass(frozen=True)
class Views:
    """What stands beside a bill; each line is a row of the view of that name but for its account."""

    warehouses: Sequence[tuple[str, ...]] = ()
    queries: Sequence[tuple[str, ...]] = ()
    tags: Sequence[tuple[str, ...]] = ()
    storage: Sequence[tuple[str, ...]] = ()
    databases: Sequence[tuple[str, ...]] = ()
    contracts: Sequence[tuple[str, ...]] = ()
    place: tuple[str, str] = field(default=PLACE)

    def write(self, folder: Path) -> list[Path]:
        """A file for each view that has rows."""
        return [self._file(folder, name) for name in HEADERS if getattr(self, name)]

    def _file(self, folder: Path, name: str) -> Path:
        path = folder / f"{name}.csv"
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(HEADERS[name].split(","))
            place = self.place if "REGION" in HEADERS[name] else ()
            writer.writerows((*row, *place) for row in getattr(self, name))
        return path


def metered(warehouse: str, name: str, compute: object, cloud: object = 0, day: str = DAY) -> tuple[str, ...]:
    return (f"{day} 10:00:00", f"{day} 11:00:00", warehouse, name, "0", str(compute), str(cloud))


def attributed(query: str, warehouse: str, tag: str, user: str, credits: object, day: str = DAY) -> tuple[str, ...]:
    return (query, f"{day} 10:30:00", warehouse, f"WH_{warehouse}", tag, user, str(credits))


def tagged(domain: str, id: str, name: str, tag: str, value: str) -> tuple[str, ...]:
    return ("GOVERNANCE", "PUBLIC", tag, value, id, name, domain)


def split(
    folder: Path, bill: Sequence[Mapping[str, str]], views: Views, allocation: str = "warehouse", **options: str
) -> list[Row]:
    """The bill's rows, split."""
    path = write_csv(folder / "usage.csv", [{"EFFECTIVE_RATE": "", **line} for line in bill])
    asked = {"allocation": allocation, **options}
    return focus_rows([(path, "")], folder, options=asked, companions=views.write(folder))


def by_resource(rows: Iterable[Row], figure: str = "BilledCost") -> dict[str | None, Decimal]:
    """The figure per resource that takes it; the last part of its id."""
    found: dict[str | None, Decimal] = {}
    for row in rows:
        id = row["AllocatedResourceId"]
        key = id and id.split(".", 2)[2]
        found[key] = found.get(key, Decimal(0)) + row[figure]
    return found


def element(row: Row) -> dict[str, object]:
    """The one element of its method's details, numbers as they are written."""
    (one,) = json.loads(row["AllocatedMethodDetails"], parse_float=Decimal, parse_int=Decimal)["Elements"]
    return dict(one)
