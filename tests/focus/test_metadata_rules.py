"""Each metadata rule finds its fault and is silent without it; what only shows across documents is found too."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from focus.metadata_links import check_metadata
from focus.metadata_rules import rules
from tests.focus.metadata_document import COLUMNS, CONTRACTS, USAGE, document

GONE = object()
Place = tuple[str | int, ...]

# Rule: where in the sound document, and what stands there in the broken one.
FAULTS: dict[str, tuple[Place, object]] = {
    "META-DatasetInstance": (("DatasetInstance",), "one"),
    "META-DatasetInstance-DatasetInstanceId": (("DatasetInstance", 0, "DatasetInstanceId"), GONE),
    "META-DatasetInstance-DatasetInstanceName": (("DatasetInstance", 1, "DatasetInstanceName"), "  "),
    "META-DatasetInstance-FocusDatasetId": (("DatasetInstance", 0, "FocusDatasetId"), None),
    "META-Recency": (("Recency",), "none"),
    "META-Recency-DatasetInstanceId": (("Recency", 0, "DatasetInstanceId"), 7),
    "META-Recency-DatasetInstanceComplete": (("Recency", 1, "DatasetInstanceComplete"), GONE),
    "META-Recency-DatasetInstanceLastUpdated": (("Recency", 0, "DatasetInstanceLastUpdated"), "2026-02-10 12:00:00"),
    "META-Recency-RecencyLastUpdated": (("Recency", 0, "RecencyLastUpdated"), "2026-02-30T12:00:00Z"),
    "META-Recency-TimeSectors": (("Recency", 0, "TimeSectors"), []),
    "META-Recency-TimeSectors-TimeSectorStart": (("Recency", 0, "TimeSectors", 1, "TimeSectorStart"), "2026-01-02"),
    "META-Recency-TimeSectors-TimeSectorEnd": (("Recency", 0, "TimeSectors", 0, "TimeSectorEnd"), GONE),
    "META-Recency-TimeSectors-TimeSectorComplete": (("Recency", 0, "TimeSectors", 0, "TimeSectorComplete"), "true"),
    "META-Recency-TimeSectors-TimeSectorLastUpdated": (
        ("Recency", 0, "TimeSectors", 0, "TimeSectorLastUpdated"),
        "2026-02-10T12:00:00+01:00",
    ),
    "META-Schema": (("Schema",), []),
    "META-Schema-SchemaId": (("Schema", 0, "SchemaId"), ""),
    "META-Schema-FocusVersion": (("Schema", 0, "FocusVersion"), None),
    "META-Schema-CreationDate": (("Schema", 0, "CreationDate"), 20260210),
    "META-Schema-DatasetInstanceId": (("Schema", 1, "DatasetInstanceId"), None),
    "META-Schema-DataGeneratorVersion": (("Schema", 0, "DataGeneratorVersion"), 5),
    "META-Schema-ColumnDefinition-ColumnName": (("Schema", 0, "ColumnDefinition", 0, "ColumnName"), GONE),
    "META-Schema-ColumnDefinition-DataType": (("Schema", 0, "ColumnDefinition", 0, "DataType"), None),
    "META-Schema-ColumnDefinition-Deprecated": (("Schema", 0, "ColumnDefinition", 1, "Deprecated"), GONE),
    "META-Schema-ColumnDefinition-PreviousColumnName": (
        ("Schema", 0, "ColumnDefinition", 3, "PreviousColumnName"),
        None,
    ),
    "META-Schema-ColumnDefinition-NumericPrecision": (("Schema", 0, "ColumnDefinition", 0, "NumericPrecision"), GONE),
    "META-Schema-ColumnDefinition-NumberScale": (("Schema", 0, "ColumnDefinition", 0, "NumberScale"), True),
    "META-Schema-ColumnDefinition-StringMaxLength": (("Schema", 0, "ColumnDefinition", 1, "StringMaxLength"), "64"),
    "META-Schema-ColumnDefinition-StringEncoding": (("Schema", 0, "ColumnDefinition", 3, "StringEncoding"), GONE),
    "META-Schema-ColumnDefinition-ProviderTagPrefixes": (
        ("Schema", 0, "ColumnDefinition", 2, "ProviderTagPrefixes"),
        ["aws:", 5],
    ),
    "META-DataGenerator-DataGenerator": (("DataGenerator", "DataGenerator"), GONE),
}

# An instance that nobody describes is taken for a time series.
ALSO = {
    "META-DatasetInstance": {"META-Recency-TimeSectors"},
}

# Rule of our own: the same.
LINKS: dict[str, tuple[Place, object]] = {
    "META-LINK-INSTANCE": (("Schema", 0, "DatasetInstanceId"), USAGE.replace("a", "c")),
    "META-LINK-UNIQUE": (("Schema", 1, "SchemaId"), document()["Schema"][0]["SchemaId"]),
    "META-LINK-RECENCY-ONCE": (("Recency", 2), {**document()["Recency"][1]}),
    "META-LINK-DATASET": (("DatasetInstance", 0, "FocusDatasetId"), "CostAndUse"),
    "META-LINK-SECTOR-SPAN": (("Recency", 0, "TimeSectors", 1, "TimeSectorEnd"), "2026-01-02T00:00:00Z"),
    "META-LINK-SECTOR-ORDER": (("Recency", 0, "TimeSectors", 1, "TimeSectorStart"), "2026-01-01T23:00:00Z"),
    "META-LINK-COLUMN-ONCE": (("Schema", 1, "ColumnDefinition", 3, "ColumnName"), "BilledCost"),
}


def changed(place: Place, value: object) -> dict[str, Any]:
    """The sound document with one value replaced, added or taken away."""
    found = document()
    owner: Any = found
    for step in place[:-1]:
        owner = owner[step]
    if value is GONE:
        del owner[place[-1]]
    elif isinstance(owner, list) and place[-1] == len(owner):
        owner.append(value)
    else:
        owner[place[-1]] = value
    return found


def dotted(place: Place) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in place)[1:]


def test_sound_metadata_has_no_finding() -> None:
    assert check_metadata(document()) == []
    assert check_metadata(document(), header=COLUMNS) == []


def test_every_metadata_rule_of_the_specification_has_its_fault() -> None:
    assert [rule.id for rule in rules()] == list(FAULTS)
    assert len(FAULTS) == 30


@pytest.mark.parametrize("rule", FAULTS)
def test_a_rule_finds_its_fault_at_its_place(rule: str) -> None:
    place, value = FAULTS[rule]
    [finding] = [one for one in check_metadata(changed(place, value)) if one.rule == rule]
    assert finding.path == dotted(place)
    assert finding.keyword == next(one.keyword for one in rules() if one.id == rule)
    assert finding.message


@pytest.mark.parametrize("rule", FAULTS)
def test_no_rule_of_the_specification_fires_for_the_fault_of_another(rule: str) -> None:
    found = {one.rule for one in check_metadata(changed(*FAULTS[rule]))}
    assert {one for one in found - {rule} if not one.startswith("META-LINK")} <= ALSO.get(rule, set())


@pytest.mark.parametrize("rule", LINKS)
def test_what_only_shows_between_documents_is_found(rule: str) -> None:
    found = {one.rule for one in check_metadata(changed(*LINKS[rule]))}
    assert rule in found
    assert found == {rule}


@pytest.mark.parametrize("name", ["Recency", "DataGeneratorVersion"])
def test_what_may_be_left_out_may_be_left_out(name: str) -> None:
    found = document()
    for owner in (found, *found["Schema"]):
        owner.pop(name, None)
    assert check_metadata(found) == []


def test_a_dataset_that_is_no_time_series_has_no_sectors_and_a_time_series_no_flag() -> None:
    found = document()
    usage, contracts = found["Recency"]
    usage["DatasetInstanceId"], contracts["DatasetInstanceId"] = CONTRACTS, USAGE
    assert {(one.rule, one.path) for one in check_metadata(found)} == {
        ("META-Recency-DatasetInstanceComplete", "Recency[0].DatasetInstanceComplete"),
        ("META-Recency-TimeSectors", "Recency[1].TimeSectors"),
    }


def test_an_id_that_is_no_guid_is_advised_against() -> None:
    found = document()
    for owner in (*found["DatasetInstance"], *found["Schema"], *found["Recency"]):
        if owner["DatasetInstanceId"] == CONTRACTS:
            owner["DatasetInstanceId"] = "contracts"
    assert {(one.rule, one.keyword) for one in check_metadata(found)} == {
        ("META-DatasetInstance-DatasetInstanceId", "SHOULD"),
        ("META-Schema-DatasetInstanceId", "SHOULD"),
        ("META-Recency-DatasetInstanceId", "SHOULD"),
    }


def test_a_missing_document_is_one_finding_and_not_one_for_each_property() -> None:
    for name in ("Schema", "DatasetInstance"):
        found = document()
        del found[name]
        assert [one.rule for one in check_metadata(found) if "LINK" not in one.rule and "Recency" not in one.rule] == [
            f"META-{name}"
        ]


def test_a_schema_without_columns_lacks_their_names_and_types() -> None:
    for nothing in (GONE, []):
        found = check_metadata(changed(("Schema", 0, "ColumnDefinition"), nothing))
        assert {one.rule.rpartition("-")[2] for one in found} == {"ColumnName", "DataType"}


def test_the_header_of_the_data_is_that_of_a_schema() -> None:
    [finding] = check_metadata(document(), header=["BilledCost", "ProviderName", "Tags", "x_Other"])
    assert finding.rule == "META-LINK-HEADER"
    assert "x_New" in finding.message and "x_Other" in finding.message
    assert check_metadata(document(), header=[*reversed(COLUMNS)]) == []


def test_metadata_of_another_version_is_told() -> None:
    [finding] = [one for one in check_metadata(document(), "1.2") if one.rule == "META-LINK-VERSION"]
    assert "1.3" in finding.message


def test_metadata_of_1_2_has_no_instances_and_no_recency() -> None:
    found = document()
    del found["DatasetInstance"], found["Recency"]
    for schema in found["Schema"]:
        schema["FocusVersion"] = "1.2"
        del schema["DatasetInstanceId"], schema["ColumnDefinition"][1]["Deprecated"]
    assert check_metadata(found, "1.2") == []


NAMES = [*document(), "DatasetInstanceId", "TimeSectors", "ColumnDefinition", "ColumnName", "SchemaId"]
json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3) | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from([*document()]), json_values))
def test_any_json_is_judged_and_never_a_crash(found: dict[str, Any]) -> None:
    assert check_metadata(found, header=COLUMNS)
