"""The metadata documents: what they say follows from the data, and their own rules find nothing in them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import pytest

from focus.metadata import Generator, Instance, Metadata, Sector, bound, definitions, deprecated, documents
from focus.metadata_links import check_metadata
from focus.schema import Column, columns

NOW, EARLIER = datetime(2026, 2, 10, 12, tzinfo=UTC), datetime(2026, 2, 1, 6, 30, tzinfo=UTC)
DAY = Sector(datetime(2026, 1, 5, tzinfo=UTC), datetime(2026, 1, 6, tzinfo=UTC), True, EARLIER)
OURS = Generator("ledger", "0.1.0")
TEXT = Column("x_Own", "String", "Custom", "true", ())


def guid(text: str) -> str:
    return str(uuid5(NAMESPACE_URL, text))


def instance(*more: Column, longest: dict[str, int] | None = None, version: str = "1.3") -> Instance:
    named = definitions([*columns(), *more], longest or {}, ["aws:"], version)
    return Instance(guid("one"), "one: CostAndUsage", "CostAndUsage", EARLIER, (DAY,), named)


def made(one: Instance, version: str = "1.3", created: dict[str, str] | None = None, by: Generator = OURS) -> Metadata:
    return documents([one], by, version, NOW, guid, created or {})


def schema(found: Metadata) -> dict[str, Any]:
    listed = found["Schema"]
    assert isinstance(listed, list)
    return dict(listed[0])


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_the_documents_pass_their_own_rules(version: str) -> None:
    found = made(instance(TEXT, version=version), version)
    assert check_metadata(found, version, [column.name for column in (*columns(), TEXT)]) == []
    assert list(found) == ["DatasetInstance", "Schema", "Recency", "DataGenerator"]


def test_a_column_is_described_by_its_type() -> None:
    found = {one["ColumnName"]: one for one in schema(made(instance(longest={"RegionId": 65})))["ColumnDefinition"]}
    assert found["BilledCost"] == {
        **{"ColumnName": "BilledCost", "DataType": "DECIMAL", "NumericPrecision": 38, "NumberScale": 24}
    }
    assert found["ChargePeriodStart"] == {"ColumnName": "ChargePeriodStart", "DataType": "DATETIME"}
    assert found["RegionId"] == {
        **{"ColumnName": "RegionId", "DataType": "STRING", "StringMaxLength": 256, "StringEncoding": "UTF-8"}
    }
    assert (found["Tags"]["DataType"], found["Tags"]["ProviderTagPrefixes"]) == ("JSON", ["aws:"])
    assert [name for name, one in found.items() if "Deprecated" in one] == ["ProviderName", "PublisherName"]


def test_nothing_was_deprecated_in_1_2() -> None:
    assert [sorted(deprecated(version)) for version in ("1.2", "1.3")] == [[], ["ProviderName", "PublisherName"]]


def test_recency_tells_each_sector() -> None:
    found = made(instance())["Recency"]
    assert found == [
        {
            "DatasetInstanceId": guid("one"),
            "DatasetInstanceLastUpdated": "2026-02-01T06:30:00Z",
            "RecencyLastUpdated": "2026-02-10T12:00:00Z",
            "TimeSectors": [
                {
                    "TimeSectorStart": "2026-01-05T00:00:00Z",
                    "TimeSectorEnd": "2026-01-06T00:00:00Z",
                    "TimeSectorComplete": True,
                    "TimeSectorLastUpdated": "2026-02-01T06:30:00Z",
                }
            ],
        }
    ]


def test_a_schema_keeps_its_id_and_its_date_as_long_as_nothing_changes() -> None:
    first = schema(made(instance()))
    again = schema(made(instance(longest={"RegionId": 60}), created={first["SchemaId"]: "2025-12-31T00:00:00Z"}))
    assert again["SchemaId"] == first["SchemaId"]
    assert (first["CreationDate"], again["CreationDate"]) == ("2026-02-10T12:00:00Z", "2025-12-31T00:00:00Z")


def test_a_schema_is_new_when_anything_it_says_is() -> None:
    reordered = replace(instance(), definitions=tuple(reversed(instance().definitions)))
    found = [
        made(instance()),
        made(instance(TEXT)),
        made(instance(longest={"RegionId": 65})),
        made(instance(version="1.2"), "1.2"),
        made(instance(), by=Generator("ledger", "0.2.0")),
        made(replace(instance(), id=guid("two"))),
        made(reordered),
    ]
    assert len({schema(one)["SchemaId"] for one in found}) == len(found)


def test_a_generator_may_not_know_its_version() -> None:
    assert "DataGeneratorVersion" not in schema(made(instance(), by=Generator("ledger", "")))


@pytest.mark.parametrize(("length", "limit"), [(0, 64), (64, 64), (65, 256), (257, 1024), (70_000, 262_144)])
def test_a_bound_holds_what_is_below_it(length: int, limit: int) -> None:
    assert bound(length) == limit
