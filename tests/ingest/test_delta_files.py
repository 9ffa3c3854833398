"""A Delta table is checked as it stands: its newest version's files, with the columns it is partitioned by."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb
import pytest

import cli

FIELDS = ("BilledCost", "ChargeCategory", "BillingCurrency")
SCHEMA = {"type": "struct", "fields": [{"name": n, "type": "string", "nullable": True, "metadata": {}} for n in FIELDS]}


def table(folder: Path) -> None:
    """An empty table partitioned by BillingCurrency, its log as the protocol of Delta Lake has it."""
    meta: dict[str, Any] = {
        "id": "t",
        "format": {"provider": "parquet", "options": {}},
        "schemaString": json.dumps(SCHEMA),
    }
    meta |= {"partitionColumns": ["BillingCurrency"], "configuration": {}, "createdTime": 0}
    commit(folder, 0, {"protocol": {"minReaderVersion": 1, "minWriterVersion": 2}}, {"metaData": meta})


def commit(folder: Path, version: int, *actions: dict[str, Any]) -> None:
    log = folder / "_delta_log" / f"{version:020d}.json"
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text("\n".join(json.dumps(action) for action in actions) + "\n", encoding="utf-8")


def added(folder: Path, name: str, category: str) -> dict[str, Any]:
    """The action for a new file of one row in euros."""
    path = f"BillingCurrency=EUR/{name}.parquet"
    (folder / path).parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect() as connection:
        row = f"SELECT '1.5' AS BilledCost, '{category}' AS ChargeCategory"
        connection.execute(f"COPY ({row}) TO '{folder / path}' (FORMAT parquet)")
    size, values = (folder / path).stat().st_size, {"BillingCurrency": "EUR"}
    told = {"path": path, "partitionValues": values, "size": size, "modificationTime": 0, "dataChange": True}
    return {"add": told}


def verdicts(folder: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    capsys.readouterr()
    cli.main(["validate", str(folder), "--format", "json"])
    [report] = json.loads(capsys.readouterr().out)["reports"]
    return {"rows": report["rows"]} | {one["rule"]: one for one in report["verdicts"]}


def test_only_the_newest_version_is_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table(tmp_path)
    commit(tmp_path, 1, added(tmp_path, "old", "Bogus"))
    assert verdicts(tmp_path, capsys)["CAU-ChargeCategory-C-003-M"]["violations"] == 1
    gone = {"path": "BillingCurrency=EUR/old.parquet", "deletionTimestamp": 1, "dataChange": True}
    commit(tmp_path, 2, added(tmp_path, "new", "Usage"), {"remove": gone})
    found = verdicts(tmp_path, capsys)
    assert (found["rows"], found["CAU-ChargeCategory-C-003-M"]["violations"]) == (1, 0)


def test_partition_values_are_columns(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table(tmp_path)
    commit(tmp_path, 1, added(tmp_path, "only", "Usage"))
    found = verdicts(tmp_path, capsys)
    assert found["CAU-CostAndUsage-D-035-M"]["status"] == "passed"
    assert found["CAU-BillingCurrency-C-006-M"]["rows_in_scope"] == 1


def test_a_table_whose_log_is_damaged_is_refused(tmp_path: Path) -> None:
    commit(tmp_path, 0, {"nothing": {}})
    assert cli.main(["validate", str(tmp_path), "--format", "json"]) == 2


def test_the_ledgers_own_table_can_be_read_as_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    samples = Path(__file__).parents[2] / "samples/snowflake"
    store, config = tmp_path / "store", tmp_path / "ledger.toml"
    config.write_text("", encoding="utf-8")
    assert cli.main(["ingest", str(samples), "--store", str(store), "--config", str(config)]) == 0
    assert verdicts(store / "cost_and_usage", capsys)["rows"] == 3
