"""1.2 is 1.3 less what came with it, plus what it dropped."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from focus import versions
from focus.data import load
from focus.schema import columns

KEYS = {"id", "column", "keyword", "kind", "scope", "condition", "check", "applicability", "machine_evaluable"}


def names(version: str) -> list[str]:
    return [entry["id"] for entry in versions.column_entries(version)]


def rule(name: str) -> versions.Entry:
    return next(entry for entry in versions.rule_entries("1.2") if entry["id"] == name)


def newer() -> set[str]:
    return set(names("1.3")) - set(names("1.2"))


def test_the_written_version_is_given_as_it_is() -> None:
    assert list(versions.rule_entries("1.3")) == load("rules-1.3.json")["rules"]
    assert len(names("1.3")) == 65
    assert versions.dataset_names("1.3") == ("CostAndUsage", "ContractCommitment")


def test_the_57_columns_of_1_2_are_those_of_1_3_without_the_new_ones_in_the_same_order() -> None:
    assert len(names("1.2")) == 57
    assert names("1.2") == [name for name in names("1.3") if name not in newer()]
    assert {"AllocatedTags", "ContractApplied", "HostProviderName", "ServiceProviderName"} < newer()
    assert [entry["ordinal"] for entry in versions.column_entries("1.2")] == list(range(1, 58))
    assert [column.name for column in columns("CostAndUsage", "1.2")] == names("1.2")


def test_nothing_is_deprecated_in_1_2() -> None:
    assert [entry["id"] for entry in versions.column_entries("1.2") if entry["deprecated_in"]] == []
    assert [entry["id"] for entry in versions.column_entries("1.3") if entry["deprecated_in"]]


def test_1_2_has_no_other_dataset_and_no_criterion_of_1_3() -> None:
    assert versions.dataset_names("1.2") == ("CostAndUsage",)
    assert not any("CONTRACT_COMMITMENTS" in name for name in versions.applicability_criteria("1.2"))
    with pytest.raises(KeyError):
        versions.column_entries("1.2", "ContractCommitment")


def test_a_rule_has_the_same_parts_in_either_version_and_an_id_of_its_own() -> None:
    for version in versions.VERSIONS:
        entries = versions.rule_entries(version)
        assert all(entry.keys() >= {*KEYS, "dataset", "provenance"} for entry in entries)
        ids = Counter(entry["id"] for entry in (*entries, *versions.unchecked_entries(version)))
        assert [name for name, count in ids.items() if count > 1] == []


def test_no_rule_of_1_2_has_a_prefix_or_speaks_of_what_came_later() -> None:
    late = re.compile(rf"\b({'|'.join(newer())}|CONTRACT_COMMITMENTS\w+)\b")
    entries = versions.rule_entries("1.2")
    texts = {entry["id"]: f"{entry['column']} {entry['condition']} {entry['check']}" for entry in entries}
    assert [name for name in texts if name.startswith(("CAU-", "CCT-", "JsonObjectFormat"))] == []
    assert [name for name, text in texts.items() if late.search(text)] == []


def test_every_rule_that_1_3_removed_is_back_in_1_2_except_the_one_that_only_joins_others() -> None:
    known = {entry["id"] for entry in (*versions.rule_entries("1.2"), *versions.unchecked_entries("1.2"))}
    removed = {entry["id"].removeprefix("CAU-") for entry in load("rules-1.3.json")["removed_in_1_3"]}
    assert removed - known == {"PricingQuantity-C-007-C"}


def test_products_may_differ_on_corrections_in_1_2_only() -> None:
    assert "Correction" in rule("ListCost-C-009-C")["condition"]
    products = [entry for entry in versions.rule_entries("1.3") if entry["kind"] == "product"]
    assert products
    assert not any("Correction" in entry["condition"] for entry in products)


def test_in_1_2_the_row_says_who_is_paid() -> None:
    assert rule("BilledCost-C-005-C")["condition"] == "ProviderName <> InvoiceIssuerName"
    assert rule("BilledCost-C-005-C")["machine_evaluable"]
    assert not rule("InvoiceId-C-004-C")["machine_evaluable"]


def test_every_recorded_difference_names_a_rule_that_1_3_has() -> None:
    found = load("differences-1.2.json")
    entries = (*versions.rule_entries("1.3"), *versions.unchecked_entries("1.3"))
    known = {entry["id"].removeprefix("CAU-") for entry in entries}
    groups = (*found["dropped"], *found["changed"])
    assert {name for group in groups for name in group["ids"]} | set(found["renamed"]) <= known


def test_the_digest_is_of_the_rules_themselves() -> None:
    assert versions.rules_digest("1.2") == versions.rules_digest("1.2") != versions.rules_digest("1.3")


def test_an_unknown_version_is_named_with_those_that_are_known() -> None:
    with pytest.raises(ValueError, match=r"FOCUS 1\.4 is not known here; known are 1\.2, 1\.3"):
        versions.rule_entries("1.4")
