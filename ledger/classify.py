"""Environment of a row: account map first, then its tags, then those of what takes a part, else Unclassified.

Pure: renders SQL.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

UNCLASSIFIED = "Unclassified"
DEFAULT_TAG_KEYS = ("environment", "env", "stage", "workload_type", "cost_env", "deployment-environment", "lifecycle")
DEFAULT_VALUES: Mapping[str, tuple[str, ...]] = {
    "Production": ("production", "prod", "prd", "live"),
    "Development": ("development", "dev"),
    "Test": ("test", "tst", "qa", "uat", "sit"),
    "Staging": ("staging", "stage", "stg", "preprod", "pre-prod"),
    "Sandbox": ("sandbox", "sbx", "lab", "poc", "demo"),
}


@dataclass(frozen=True, slots=True)
class Classification:
    """Rules of ledger.toml; keys and values match trimmed and without case, whole words only."""

    accounts: Mapping[str, str] = field(default_factory=dict)
    tag_keys: tuple[str, ...] = DEFAULT_TAG_KEYS
    values: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: dict(DEFAULT_VALUES))


def environment_sql(rules: Classification) -> str:
    """SQL expression over SubAccountId, tag_list and allocated_list; never null, never a default of Production."""
    by_account = _case("lower(trim(SubAccountId))", {account.lower(): name for account, name in rules.accounts.items()})
    lists = ("tag_list", "allocated_list")
    by_tag = [_case(_tag_value(tags, key), _words(rules)) for tags in lists for key in rules.tag_keys]
    return f"coalesce({', '.join([by_account, *by_tag, _literal(UNCLASSIFIED)])})"


def tag_lists_sql() -> str:
    """Columns tag_list and allocated_list: Tags and AllocatedTags as folded (key, value), worked out once per row."""
    return f"{_folded('Tags')} AS tag_list, {_folded('AllocatedTags')} AS allocated_list"


def _folded(column: str) -> str:
    folded = "{'key': lower(trim(tag.key)), 'value': lower(trim(tag.value))}"
    return f"""list_transform(map_entries(from_json({column}, '"MAP(VARCHAR, VARCHAR)"')), lambda tag: {folded})"""


def _tag_value(tags: str, key: str) -> str:
    return f"list_filter({tags}, lambda tag: tag.key = {_literal(key.strip().lower())} AND tag.value <> '')[1].value"


def _words(rules: Classification) -> dict[str, str]:
    return {word.strip().lower(): name for name, words in rules.values.items() for word in words}


def _case(subject: str, names: Mapping[str, str]) -> str:
    branches = " ".join(f"WHEN {_literal(key)} THEN {_literal(name)}" for key, name in names.items())
    return f"CASE {subject} {branches} END" if branches else "NULL"


def _literal(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
