"""Every rule that can be evaluated has data that passes it in scope, and data that breaks it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache

import pytest

from focus.conformance import Question, check
from focus.expression import Call
from focus.fields import Facts, quoted
from focus.predicate import Writer
from focus.report import PASSED, Example, Report, Verdict
from focus.rules import COLUMN_RULES, REFERENTIAL, Check, Rule, rules
from focus.tolerance import Relative
from tests.focus.focus_table import Row, conformant, connection, described_rows, report, table
from tests.focus.violating import changes

USAGE, CONTRACTS = "CostAndUsage", "ContractCommitment"
KINDS = [("1.3", USAGE), ("1.3", CONTRACTS), ("1.2", USAGE)]

# Rows that are in a rule's scope where no generated row is: they break others, but not this one.
ALSO_IN_SCOPE: Mapping[str, Row] = {
    "BillingAccountType-C-004-C": {"BillingAccountId": None, "BillingAccountType": None},
    "ContractAppliedObject-O-039-C": {
        "ChargeCategory": "Purchase",
        "ResourceId": "a",
        "ContractApplied": '{"Elements":[{"ContractCommitmentId":"a"}]}',
    },
}
# A column's type decides these; the value does not.
PARTS = 4
BY_TYPE = ("IS_STRING", "FMT_STRING")

# Group rule: what to look for in a first row, and what its second, otherwise equal row has instead.
GROUPS: Mapping[str, tuple[str, Row]] = {
    "BillingAccountId-C-004-M": ("BillingAccountName IS NOT NULL", {"BillingAccountName": "another"}),
    "SkuMeter-C-006-O": ("SkuId IS NOT NULL", {"SkuMeter": "another"}),
    "SkuPriceId-C-008-M": ("SkuPriceId IS NOT NULL", {"SkuId": "another"}),
    "SkuPriceId-C-009-M": ("SkuPriceId IS NOT NULL", {"SkuPriceDetails": '{"CoreCount":77}'}),
    "CommitmentDiscountUnit-C-008-M": ("CommitmentDiscountUnit IS NOT NULL", {"CommitmentDiscountUnit": "GB"}),
    "ServiceName-C-005-C": ("true", {"ServiceCategory": "Other"}),
    "ServiceName-C-008-C": ("true", {"ServiceSubcategory": "Bots"}),
    "EffectiveCost-C-013-C": ("CommitmentDiscountStatus = 'Used'", {"CommitmentDiscountStatus": None}),
    "AllocatedResourceId-C-008-O": ("AllocatedResourceId IS NOT NULL", {}),
    "ContractAppliedObject-O-038-M": (
        "ContractApplied IS NOT NULL",
        {"ContractApplied": '{"Elements":[{"ContractId":"other","ContractCommitmentId":"commitment-000"}]}'},
    ),
    "OWN-Sku-001": ("SkuPriceId IS NOT NULL", {"ListUnitPrice": "99"}),
    "OWN-Sku-002": ("SkuId IS NOT NULL", {"ServiceName": "another"}),
    "OWN-Region-001": ("RegionId IS NOT NULL", {"RegionName": "another"}),
    "CCT-ContractCommitmentId-C-007-M": ("true", {"ContractId": "another"}),
    "CCT-ContractCommitmentId-C-009-M": ("true", {}),
}


def plain(rule: str) -> str:
    return rule.removeprefix("CAU-")


def evaluable(version: str, dataset: str) -> list[Rule]:
    """Rules with data to be judged on; a rule over a whole term has other tests."""
    return [one for one in rules(version, dataset) if not one.reason and not (one.grouping and one.grouping.term)]


@cache
def sound(version: str, dataset: str) -> dict[str, Verdict]:
    """Verdicts on the conformant rows, and where none is in scope on a row that is."""
    rows = conformant(dataset, version)
    found = verdicts(_report(rows, "sound", version, dataset))
    also = [{**rows[0], **row} for row in ALSO_IN_SCOPE.values()] if dataset == USAGE else []
    more = verdicts(_report(also, "also", version, dataset)) if also else {}
    return {rule: more[rule] if plain(rule) in ALSO_IN_SCOPE and rule in more else one for rule, one in found.items()}


def verdicts(found: Report) -> dict[str, Verdict]:
    return {one.rule: one for one in found.verdicts}


def _report(rows: Sequence[Row], name: str, version: str, dataset: str) -> Report:
    commitments = table("commitments", conformant(CONTRACTS)).sql if dataset == USAGE else ""
    return report(table(name, rows), dataset, version, commitments=commitments)


@cache
def broken_examples(version: str, dataset: str) -> dict[str, list[tuple[Example, ...]]]:
    """Rule to the examples found for each of its checks, or for its one group, header or join."""
    found: dict[str, list[tuple[Example, ...]]] = {}
    for part in (by_row, by_type, by_header, by_group, by_reference):
        for rule, examples in part(version, dataset):
            found.setdefault(rule, []).append(examples)
    return found


Found = Iterator[tuple[str, tuple[Example, ...]]]


def by_row(version: str, dataset: str) -> Found:
    """One changed row a check, all in one table; a finding has to be at that row."""
    planted = list(_mutants(version, dataset))
    found = verdicts(_report([row for _, row in planted], "mutants", version, dataset))
    for place, (rule, _) in enumerate(planted, 1):
        yield rule, tuple(one for one in found[rule].examples if one.row == place)


def _mutants(version: str, dataset: str) -> Iterator[tuple[str, Row]]:
    base = conformant(dataset, version)
    rows = table("base", base)
    writer = Writer(Facts(version, dataset, rows.fields), Relative())
    for rule in evaluable(version, dataset):
        for one in (one for one in rule.checks if not _by_type(rule, one)):
            row = base[_passing(writer, one)] if plain(rule.id) not in ALSO_IN_SCOPE else _also(base, rule)
            yield rule.id, {**row, **_changes(rule, one, row)}


def _changes(rule: Rule, one: Check, row: Row) -> Row:
    """An attribute rule has its change by the column that this check is about."""
    fixed = "JsonObjectFormat" in rule.id and rule.id[-7:] in ("A-008-M", "A-011-O", "A-003-M")
    if not fixed:
        return changes(plain_key(rule), one.check, row)
    texts = {"A-008-M": '{"Elements":[null]}', "A-011-O": '{"Elements":[{"a":{}}]}', "A-003-M": '{"a":1,"a":2}'}
    assert one.condition
    return {one.condition.value.path[0]: texts[rule.id[-7:]]}  # type: ignore[attr-defined]  # every such condition asks of one column


def plain_key(rule: Rule) -> str:
    return rule.id if rule.id.startswith(("CAU-", "CCT-")) or "-A-" in rule.id else f"CAU-{rule.id}"


def _also(base: tuple[Row, ...], rule: Rule) -> Row:
    return {**base[0], **ALSO_IN_SCOPE[plain(rule.id)]}


def _passing(writer: Writer, one: Check) -> int:
    """The first generated row that is in scope and passes, from 0."""
    scope = f"({writer.sql(one.condition)}) IS TRUE AND " if one.condition else ""
    sql = f'SELECT "#row" FROM base WHERE {scope}({writer.sql(one.check)}) IS TRUE ORDER BY 1 LIMIT 1'
    found = connection().execute(sql).fetchone()
    assert found, f"no row passes {one}"
    return int(found[0]) - 1


def _by_type(rule: Rule, one: Check) -> bool:
    return rule.id == "OWN-Zone-001" or (isinstance(one.check, Call) and one.check.name in BY_TYPE)


def by_type(version: str, dataset: str) -> Found:
    """Every text column as bytes that are no Unicode, every instant without a zone."""
    names = [one.name for one in table("base", conformant(dataset, version)).fields]
    found = [_typed(names, {*names[start::PARTS]}, version, dataset) for start in range(PARTS)]
    for rule in evaluable(version, dataset):
        for one in (one for one in rule.checks if _by_type(rule, one)):
            yield rule.id, tuple(e for part in found for e in part[rule.id].examples if _names(one, e))


def _typed(names: list[str], spoilt: set[str], version: str, dataset: str) -> dict[str, Verdict]:
    """A part of the columns at a time: the engine below fails on comparisons of many columns of bytes."""
    selected = ", ".join(f"{_mistyped(one) if one in spoilt else quoted(one)} AS {quoted(one)}" for one in names)
    connection().execute(f'CREATE OR REPLACE TEMP TABLE typed AS SELECT "#file", "#row", {selected} FROM base LIMIT 3')
    return verdicts(report(described_rows("typed"), dataset, version))


def _names(one: Check, example: Example) -> bool:
    return str(one.check.arguments[0].path[0]) in example.values  # type: ignore[attr-defined]  # a call on a column


def _mistyped(name: str) -> str:
    instant = name.endswith(("Start", "End"))
    return f"CAST(TRY_CAST({name} AS TIMESTAMPTZ) AS TIMESTAMP)" if instant else "'\\xC3\\x28'::BLOB"


def by_header(version: str, dataset: str) -> Found:
    """A table of one strange column before an ill-cased one: every presence rule names its column."""
    row = {"Strange": "a", "invoiceId" if dataset == USAGE else "contractId": "b"}
    row["InvoiceIssuerName" if dataset == USAGE else "ContractPeriodEnd"] = "c"
    gone = verdicts(report(table("gone", [{"Strange": "a"}]), dataset, version))
    ill = verdicts(report(table("ill", [row]), dataset, version))
    for rule in evaluable(version, dataset):
        if rule.present:
            named = {one.values["column"] for one in gone[rule.id].examples}
            assert named == set(rule.present)
            yield rule.id, gone[rule.id].examples
        elif rule.kind in COLUMN_RULES:
            yield rule.id, ill[rule.id].examples


def by_group(version: str, dataset: str) -> Found:
    """Two rows alike but for the planted difference are a group that breaks the rule."""
    table("base", conformant(dataset, version))
    for rule in evaluable(version, dataset):
        if rule.grouping:
            where, change = GROUPS[plain(rule.id)]
            [place] = connection().execute(f'SELECT min("#row") FROM base WHERE {where}').fetchone() or (0,)
            first = conformant(dataset, version)[place - 1]
            yield rule.id, verdicts(_report([first, {**first, **change}], "pair", version, dataset))[rule.id].examples


def by_reference(version: str, dataset: str) -> Found:
    """Charges that draw on a commitment when none is there."""
    for rule in evaluable(version, dataset):
        if rule.id == REFERENTIAL:
            rows = table("base", conformant(dataset, version))
            none = f"FROM ({table('commitments', conformant(CONTRACTS)).sql}) WHERE false"
            asked = Question(version, dataset, "all", commitments=f"(SELECT * {none})")
            yield rule.id, verdicts(check(connection(), rows, asked))[rule.id].examples


@pytest.mark.parametrize(("version", "dataset"), KINDS)
def test_every_rule_passes_on_a_row_that_is_in_its_scope(version: str, dataset: str) -> None:
    found = sound(version, dataset)
    assert [
        one.id
        for one in evaluable(version, dataset)
        if (one.id != REFERENTIAL or dataset == USAGE) and (found[one.id].status != PASSED or found[one.id].scope == 0)
    ] == []


@pytest.mark.parametrize(("version", "dataset"), KINDS)
def test_every_rule_finds_what_breaks_each_of_its_checks(version: str, dataset: str) -> None:
    found = broken_examples(version, dataset)
    unproved = [one.id for one in evaluable(version, dataset) if not all(found.get(one.id, [()]))]
    assert unproved == []


@pytest.mark.parametrize(("version", "dataset"), KINDS)
def test_each_check_of_a_rule_about_many_columns_has_its_own_failing_row(version: str, dataset: str) -> None:
    found = broken_examples(version, dataset)
    assert {one.id: len(one.checks) for one in evaluable(version, dataset) if one.checks} == {
        one.id: len(found[one.id]) for one in evaluable(version, dataset) if one.checks
    }


def test_so_many_rules_of_1_3_are_proved() -> None:
    counted = [len(evaluable(version, dataset)) for version, dataset in KINDS[:2]]
    assert sum(counted) >= 480
