"""Environment: account map, then tag keys in order, whole words only, and never Production by default."""

from __future__ import annotations

import json

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.classify import UNCLASSIFIED, Classification, environment_sql, tag_lists_sql


def environment(
    tags: dict[str, str] | None,
    account: str | None = "a-1",
    rules: Classification | None = None,
    allocated: dict[str, str] | None = None,
) -> str:
    own, taken = (None if one is None else json.dumps(one, ensure_ascii=False) for one in (tags, allocated))
    query = f"""WITH cell AS (
            SELECT CAST(? AS VARCHAR) AS Tags, CAST(? AS VARCHAR) AS AllocatedTags, CAST(? AS VARCHAR) AS SubAccountId
        ), tagged AS (SELECT *, {tag_lists_sql()} FROM cell)
        SELECT {environment_sql(rules or Classification())} FROM tagged"""
    [(found,)] = duckdb.execute(query, [own, taken, account]).fetchall()
    return str(found)


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        (None, UNCLASSIFIED),
        ({}, UNCLASSIFIED),
        ({"env": "prod"}, "Production"),
        ({"env": "preprod"}, "Staging"),
        ({"env": "prod-like"}, UNCLASSIFIED),
        ({"env": "nonprod"}, UNCLASSIFIED),
        ({"env": ""}, UNCLASSIFIED),
        ({"env": "whatever"}, UNCLASSIFIED),
        ({" ENV ": "  PrOd "}, "Production"),
        ({"Environment": "DEV"}, "Development"),
        ({"environments": "prod"}, UNCLASSIFIED),
        ({"env": "prod", "environment": "dev"}, "Development"),
        ({"stage": "prod", "env": "unknown"}, "Production"),
        ({"environment": "", "env": "test"}, "Test"),
        ({"name": "production"}, UNCLASSIFIED),
    ],
)
def test_tags(tags: dict[str, str] | None, expected: str) -> None:
    assert environment(tags) == expected


def test_the_account_map_comes_first_without_case() -> None:
    rules = Classification(accounts={"Team-A": "Production"})
    assert environment({"env": "dev"}, " TEAM-a ", rules) == "Production"
    assert environment({"env": "dev"}, "team-ab", rules) == "Development"
    assert environment({"env": "dev"}, None, rules) == "Development"


@pytest.mark.parametrize(
    ("tags", "allocated", "expected"),
    [
        (None, {"ENVIRONMENT": "Production"}, "Production"),
        ({"team": "data"}, {"env": "dev"}, "Development"),
        ({"stage": "test"}, {"environment": "prod"}, "Test"),
        ({"env": "whatever"}, {"env": "prod"}, "Production"),
        (None, {"snowflake:query_tag": "prod"}, UNCLASSIFIED),
    ],
)
def test_tags_of_what_takes_a_part_count_after_the_row_s_own(
    tags: dict[str, str] | None, allocated: dict[str, str], expected: str
) -> None:
    assert environment(tags, allocated=allocated) == expected
    assert environment(tags, "a-1", Classification(accounts={"a-1": "Sandbox"}), allocated) == "Sandbox"


def test_keys_and_words_come_from_the_settings_as_written() -> None:
    rules = Classification(tag_keys=(" It's ",), values={"O'Brien's": ("It''s",)})
    assert environment({"it's": "IT''S"}, rules=rules) == "O'Brien's"
    assert environment({"env": "prod"}, rules=rules) == UNCLASSIFIED


@given(st.dictionaries(st.text(max_size=12), st.text(max_size=12), max_size=4))
def test_hostile_tags_never_become_an_environment_they_do_not_name(tags: dict[str, str]) -> None:
    tags = {key.replace("\x00", ""): value.replace("\x00", "") for key, value in tags.items()}
    named = {key.strip().lower() for key in tags} & set(Classification().tag_keys)
    assert named or environment(tags) == UNCLASSIFIED


@pytest.mark.parametrize(
    "value", ["prod', 'x", 'prod"', "prod\n--", "prod\\", "p\u200brod", "ｐｒｏｄ", '"},{"env":"prod', "prod prod"]
)
def test_words_that_only_look_alike_are_unknown(value: str) -> None:
    assert environment({"env": value}) == UNCLASSIFIED
