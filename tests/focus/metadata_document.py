"""Metadata in which every rule has something to look at: a time series, a dataset that is none, a renamed column."""

from __future__ import annotations

from typing import Any

USAGE, CONTRACTS = "00000000-0000-5000-8000-00000000000a", "00000000-0000-5000-8000-00000000000b"
NOON = "2026-02-10T12:00:00Z"
COLUMNS = ("BilledCost", "ProviderName", "Tags", "x_New")


def document() -> dict[str, Any]:
    return {
        "DatasetInstance": [_instance(USAGE, "CostAndUsage"), _instance(CONTRACTS, "ContractCommitment")],
        "Schema": [_schema(USAGE), _schema(CONTRACTS)],
        "Recency": [
            {
                **_recency(USAGE),
                "TimeSectors": [_sector("01", "02"), _sector("02", "03")],
            },
            {**_recency(CONTRACTS), "DatasetInstanceComplete": True},
        ],
        "DataGenerator": {"DataGenerator": "somebody"},
    }


def _instance(guid: str, dataset: str) -> dict[str, Any]:
    return {"DatasetInstanceId": guid, "DatasetInstanceName": f"all of {dataset}", "FocusDatasetId": dataset}


def _schema(instance: str) -> dict[str, Any]:
    return {
        "SchemaId": instance.replace("0000a", "000a1").replace("0000b", "000b1"),
        "FocusVersion": "1.3",
        "CreationDate": NOON,
        "DatasetInstanceId": instance,
        "DataGeneratorVersion": "1.0",
        "ColumnDefinition": [
            {"ColumnName": "BilledCost", "DataType": "DECIMAL", "NumericPrecision": 38, "NumberScale": 24},
            {**_text("ProviderName"), "Deprecated": True},
            {"ColumnName": "Tags", "DataType": "JSON", "ProviderTagPrefixes": ["aws:"]},
            {**_text("x_New"), "PreviousColumnName": "x_Old"},
        ],
    }


def _text(name: str) -> dict[str, Any]:
    return {"ColumnName": name, "DataType": "STRING", "StringMaxLength": 64, "StringEncoding": "UTF-8"}


def _recency(instance: str) -> dict[str, Any]:
    return {"DatasetInstanceId": instance, "DatasetInstanceLastUpdated": NOON, "RecencyLastUpdated": NOON}


def _sector(start: str, end: str) -> dict[str, Any]:
    return {
        "TimeSectorStart": f"2026-01-{start}T00:00:00Z",
        "TimeSectorEnd": f"2026-01-{end}T00:00:00Z",
        "TimeSectorComplete": False,
        "TimeSectorLastUpdated": NOON,
    }
