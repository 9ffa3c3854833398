"""Small bills of every provider and a ledger to take them in, for tests of the money story."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

import cli
from ingest.shapes import shape_named
from tests.mapped import write_csv

CUR2: Mapping[str, Any] = {
    "bill_bill_type": "Anniversary",
    "bill_billing_entity": "AWS",
    "bill_billing_period_start_date": datetime(2026, 1, 1),
    "bill_invoicing_entity": "Amazon Web Services, Inc.",
    "bill_payer_account_id": "111122223333",
    "line_item_currency_code": "USD",
    "line_item_line_item_type": "Usage",
    "line_item_operation": "RunInstances",
    "line_item_product_code": "AmazonEC2",
    "line_item_unblended_cost": 1.0,
    "line_item_unblended_rate": "0.5",
    "line_item_usage_account_id": "444455556666",
    "line_item_usage_amount": 2.0,
    "line_item_usage_start_date": datetime(2026, 1, 5),
    "line_item_usage_end_date": datetime(2026, 1, 6),
    "line_item_usage_type": "BoxUsage:t3.micro",
    "pricing_unit": "Hrs",
    "product": {},
    "resource_tags": {},
}
AZURE: Mapping[str, str] = {
    "AccountOwnerId": "owner@example.com",
    "BillingAccountId": "70000042",
    "BillingCurrencyCode": "USD",
    "BillingPeriodStartDate": "01/01/2026",
    "SubscriptionId": "sub-1",
    "SubscriptionName": "shop",
    "Date": "01/05/2026",
    "MeterCategory": "Virtual Machines",
    "MeterName": "B2s",
    "PartNumber": "P-1",
    "ResourceName": "VM1",
    "ConsumedService": "Microsoft.Compute",
    "UnitOfMeasure": "1 Hour",
    "Quantity": "10",
    "UnitPrice": "0.5",
    "CostInBillingCurrency": "5",
    "ChargeType": "Usage",
    "PricingModel": "OnDemand",
    "Frequency": "UsageBased",
    "Tags": "",
    "benefitId": "",
}
SNOWFLAKE: Mapping[str, str] = {
    "ORGANIZATION_NAME": "EXAMPLE",
    "CONTRACT_NUMBER": "9",
    "ACCOUNT_NAME": "PRODUCTION",
    "ACCOUNT_LOCATOR": "XY12345",
    "REGION": "AWS_US_EAST_1",
    "SERVICE_LEVEL": "ENTERPRISE",
    "USAGE_DATE": "2026-01-24",
    "USAGE_TYPE": "COMPUTE",
    "USAGE": "70",
    "CURRENCY": "USD",
    "USAGE_IN_CURRENCY": "210.00",
    "BALANCE_SOURCE": "CAPACITY",
    "BILLING_TYPE": "CONSUMPTION",
    "RATING_TYPE": "COMPUTE",
    "SERVICE_TYPE": "WAREHOUSE_METERING",
    "IS_ADJUSTMENT": "FALSE",
}


def cur2(path: Path, *lines: Mapping[str, Any], without: Sequence[str] = (), **types: str) -> Path:
    """A CUR 2.0 Parquet file; `without` leaves columns out, `types` changes a column's type."""
    columns = [column for column in shape_named("aws_cur2").columns if column.name not in without]
    kinds = {column.name: types.get(column.name, column.type) for column in columns}
    with duckdb.connect() as connection:
        connection.execute(f"CREATE TABLE bill ({', '.join(f'{name} {kind}' for name, kind in kinds.items())})")
        rows = [[{**CUR2, **line}.get(name) for name in kinds] for line in lines or ({},)]
        connection.executemany(f"INSERT INTO bill VALUES ({', '.join('?' * len(kinds))})", rows)
        connection.execute(f"COPY bill TO '{str(path).replace(chr(39), chr(39) * 2)}' (FORMAT parquet)")
    return path


def azure(path: Path, *lines: Mapping[str, str], encoding: str = "utf-8") -> Path:
    return write_csv(path, [{**AZURE, **line} for line in lines or ({},)], encoding)


def snowflake(path: Path, *lines: Mapping[str, str], encoding: str = "utf-8") -> Path:
    return write_csv(path, [{**SNOWFLAKE, **line} for line in lines or ({},)], encoding)


@dataclass(frozen=True)
class Outcome:
    """What a command answered: exit code, its JSON document, standard error."""

    code: int
    document: dict[str, Any]
    errors: str

    @property
    def fault(self) -> dict[str, Any]:
        """The one fault of a refusal."""
        [found] = self.document["faults"]
        return dict(found)

    @property
    def outcomes(self) -> list[str]:
        return [run["outcome"] for run in self.document["runs"]]


@dataclass(frozen=True)
class Ledger:
    """A ledger of its own in a folder, driven through the terminal's own entry point."""

    store: str
    config: Path
    capsys: pytest.CaptureFixture[str]

    def ingest(self, *arguments: str | Path) -> Outcome:
        return self._run("ingest", *map(str, arguments))

    def figures(self) -> dict[str, Any]:
        """Version and totals: what a refusal must leave as it was."""
        return self._run("summary").document

    def broken_rules(self) -> dict[str, int]:
        """Rules of FOCUS 1.3 with MUST that the ledger's rows break, with the number of violations."""
        reports = self._run("validate", "--ledger").document["reports"]
        verdicts = [verdict for report in reports for verdict in report["verdicts"] if "MUST" in verdict["keyword"]]
        return {verdict["rule"]: verdict["violations"] for verdict in verdicts if verdict["violations"]}

    def total(self, currency: str = "USD") -> str:
        return str(self.figures()["currencies"][currency]["total"])

    def _run(self, *arguments: str) -> Outcome:
        self.capsys.readouterr()
        code = cli.main([*arguments, "--store", self.store, "--config", str(self.config), "--json"])
        out, errors = self.capsys.readouterr()
        return Outcome(code, json.loads(out), errors)
