"""The rules of 1.2 are those that were compared with the official model, and where it is installed they still agree."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench import official
from focus import versions
from focus.data import load
from tests.focus import cross_check


@pytest.fixture(scope="module")
def model_file() -> Path:
    found = official.model()
    if found is None:
        pytest.skip(official.SET_UP)
    return found


def test_the_comparison_on_record_is_of_todays_rules() -> None:
    assert versions.cross_checked("1.2"), "rules changed since: python -m tests.focus.cross_check"


@pytest.mark.optional
def test_the_official_model_deviates_only_where_a_reason_says_why(model_file: Path) -> None:
    found = cross_check.deviations(json.loads(model_file.read_text(encoding="utf-8")))
    assert found == cross_check.explained(found)


@pytest.mark.optional
def test_the_record_says_what_the_comparison_finds(model_file: Path) -> None:
    recorded = load("cross-check-1.2.json")
    assert cross_check.record(model_file) == {name: recorded[name] for name in recorded if name != "date"}


@pytest.mark.optional
@pytest.mark.parametrize(
    ("difference", "changed"),
    [
        ("keyword", {"ValidationCriteria": {"Keyword": "MAY", "Requirement": {}}}),
        ("column", {"Reference": "Elsewhere"}),
        ("applicability", {"ApplicabilityCriteria": ["TAGGING_SUPPORTED"]}),
    ],
)
def test_a_rule_that_the_model_has_otherwise_is_found(
    model_file: Path, difference: str, changed: dict[str, object]
) -> None:
    model = json.loads(model_file.read_text(encoding="utf-8"))
    model["ModelRules"]["BilledCost-C-003-M"].update(changed)
    found = cross_check.deviations(model)
    assert cross_check.Deviation(difference, "BilledCost-C-003-M") in found - cross_check.explained(found)


@pytest.mark.optional
def test_a_subcategory_that_the_model_puts_elsewhere_is_found(model_file: Path) -> None:
    model = json.loads(model_file.read_text(encoding="utf-8"))
    [first, *_] = model["ModelRules"][cross_check.PARENTS]["ValidationCriteria"]["Requirement"]["Items"]
    first["Items"][1]["Value"] = "Elsewhere"
    assert cross_check.Deviation("parents", cross_check.PARENTS) in cross_check.deviations(model)
