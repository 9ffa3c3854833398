"""The gate before a commit: mapped rows against FOCUS 1.3, and whose fault each broken rule is. Pure but for SQL.

A rule with MUST is inherited on a row when every column it asks about holds, unchanged, what one raw column of that
row holds (the mapping's SQL says which raw columns those can be), or is null because another rule demands null there.
Whatever is not inherited is ours.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

from focus.conformance import Question, Rows, check
from focus.culprits import Culprits, culprits, nulls_demanded
from focus.fields import Field
from focus.profile import COPIED_FROM
from focus.report import Report, Verdict
from focus.rules import SHOULD, rules
from ingest.kinds import collect
from ingest.lineage import origins
from ingest.mapping import focus_select, literal, quoted
from ingest.shapes import Shape
from ingest.validation import commitment_rows, own_question, own_rows
from ledger.faults import Fault

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

RAW = "#raw "
# Of nothing, of what is not told, or of a quantity whose sign is not the money's no price can be true. Snowflake rounds
# usage to thousandths and money to hundredths; Azure gives back money for what was used.
UNPRICED = """(EffectiveCost <> 0 OR BilledCost <> 0) AND (coalesce(PricingQuantity, 0) = 0
    OR sign(PricingQuantity) <> sign(CASE WHEN EffectiveCost <> 0 THEN EffectiveCost ELSE BilledCost END))"""
# A credit whose money is in another bill, a marketplace's or that of what was bought in advance, is worth what it is.
BILLED_ELSEWHERE = "x_Provider = 'Snowflake' AND ChargeCategory = 'Credit' AND BilledCost = 0"
# What a row says of itself: its effective cost is what was billed, because the amortised half was not given; it has no
# price, or no quantity; it is billed elsewhere.
STATED = {
    "CAU-EffectiveCost-C-005-C": "x_EffectiveCostBasis = 'actual'",
    "CAU-PricingQuantity-C-005-C": f"({UNPRICED}) AND PricingQuantity IS NULL",
    "CAU-ConsumedQuantity-C-006-C": f"({UNPRICED}) AND PricingQuantity IS NULL",
    **{
        f"CAU-{column}-{rule}-C": f"({UNPRICED}) AND {column} IS NULL"
        for column, rules_of_null in {
            "ListUnitPrice": ("C-005", "C-013"),
            "ContractedUnitPrice": ("C-006", "C-015"),
            "PricingCurrencyListUnitPrice": ("C-005", "C-012"),
            "PricingCurrencyContractedUnitPrice": ("C-005", "C-012"),
        }.items()
        for rule in rules_of_null
    },
    **dict.fromkeys(
        ("CAU-EffectiveCost-C-010-M", "CAU-ContractedCost-C-008-M", "CAU-ListCost-C-008-M"), BILLED_ELSEWHERE
    ),
}
# Columns of ContractCommitment that hold what the bill says.
COPIED_TERMS = (
    *("BillingCurrency", "ContractCommitmentId", "ContractId"),
    *("ContractCommitmentPeriodStart", "ContractCommitmentPeriodEnd", "ContractPeriodStart", "ContractPeriodEnd"),
)
Tell = Callable[[str, Mapping[str, object]], None]


@dataclass(frozen=True, slots=True)
class Broken:
    """A broken rule and how many of its violations are ours, inherited, or stated by the rows themselves."""

    rule: str
    keyword: str
    column: str
    violations: int
    ours: int = 0
    stated: int = 0

    @property
    def inherited(self) -> int:
        return self.violations - self.ours - self.stated


@dataclass(frozen=True, slots=True)
class Conformance:
    """What the gate found on one delivery; kept with its run."""

    policy: str = "off"
    evaluated: int = 0
    not_checkable: int = 0
    broken: tuple[Broken, ...] = ()
    warnings: Mapping[str, int] = field(default_factory=dict)

    def __add__(self, other: Conformance) -> Conformance:
        """Of the same delivery's other dataset."""
        counts = (self.evaluated + other.evaluated, self.not_checkable + other.not_checkable)
        return Conformance(self.policy, *counts, self.broken + other.broken, {**self.warnings, **other.warnings})

    def as_json(self) -> dict[str, object]:
        told = [
            {"rule": one.rule, "keyword": one.keyword, "violations": one.violations, "ours": one.ours}
            | {"inherited": one.inherited, "stated": one.stated}
            for one in self.broken
        ]
        counts = {"policy": self.policy, "evaluated": self.evaluated, "not_checkable": self.not_checkable}
        return {**counts, "broken": told, "warnings": dict(self.warnings)}

    def told(self) -> Iterator[str]:
        """Lines for a person; none when nothing was checked."""
        if self.policy == "off":
            return
        warned = f", {len(self.warnings)} warnings" if self.warnings else ""
        yield f"FOCUS 1.3: {self.evaluated} rules evaluated, {len(self.broken)} with MUST broken{warned}"
        for one in self.broken:
            kinds = {"inherited from the bill": one.inherited, "stated by the rows": one.stated, "ours": one.ours}
            yield f"  {one.rule}: {', '.join(f'{count} {kind}' for kind, count in kinds.items() if count)}"


@contextmanager
def less_memory(connection: DuckDBPyConnection) -> Iterator[None]:
    """What the engine holds of the mapping is still in memory: the gate takes four fifths, so that the peak stays."""
    row = connection.execute("SELECT current_setting('memory_limit')").fetchone()
    amount, unit = str(row[0] if row else "").split()
    connection.execute(f"SET memory_limit = '{Decimal(amount) * 4 / 5} {unit}'")
    try:
        yield
    finally:
        # The engine shows one decimal, cut off: half of it more, or the limit would shrink with every delivery.
        connection.execute(f"SET memory_limit = '{Decimal(amount) + Decimal('0.05')} {unit}'")


@dataclass(frozen=True, slots=True)
class Case:
    """A mapped delivery before the gate: its located ledger rows, and its raw rows unit by unit.

    `each_unit` puts one unit after the other behind the views `raw` and `rows`.
    """

    connection: DuckDBPyConnection
    shape: Shape
    relation: str
    label: str
    each_unit: Callable[[], Iterable[None]]


def judge(case: Case, policy: str, tell: Tell) -> tuple[Conformance, list[Fault]]:
    """What was found, and the faults that keep the delivery out."""
    rows = own_rows(case.connection, case.relation, case.label)
    question = own_question(case.connection, case.relation, Question(applicability="all", max_examples=1))
    report = check(case.connection, rows, question, tell)
    broken = _judged(case, rows, question, report.violated(), tell)
    found = _conformance(report, policy, broken)
    ours = [(one, verdict) for one, verdict in zip(broken, report.violated(), strict=True) if one.ours]
    return found, [_fault(one, verdict, case.label) for one, verdict in ours] if policy == "block" else []


def judge_commitments(
    connection: DuckDBPyConnection, relation: str, label: str, policy: str, tell: Tell
) -> tuple[Conformance, list[Fault]]:
    """The same for a delivery's ContractCommitment rows, which are few: what is null or copied there is the bill's."""
    rows = commitment_rows(connection, relation, f"{label} ContractCommitment")
    question = Question(dataset="ContractCommitment", applicability="all", max_examples=1)
    report = check(connection, rows, question, tell)
    untold = {one.id for one in rules(question.version, question.dataset) if one.kind.startswith("not_null")}
    verdicts = report.violated()
    broken = [
        Broken(one.rule, one.keyword, one.column, one.violations, 0 if _is_told(one, untold) else one.violations)
        for one in verdicts
    ]
    faults = [_fault(one, verdict, label) for one, verdict in zip(broken, verdicts, strict=True) if one.ours]
    return _conformance(report, policy, broken), faults if policy == "block" else []


def _is_told(verdict: Verdict, untold: Collection[str]) -> bool:
    return verdict.rule in untold or verdict.column in COPIED_TERMS


def _conformance(report: Report, policy: str, broken: Sequence[Broken]) -> Conformance:
    coverage = report.coverage()
    warnings = {one.rule: one.violations for one in report.violated(SHOULD)}
    return Conformance(policy, coverage["evaluated"], coverage["not checkable"], tuple(broken), warnings)


def _judged(case: Case, rows: Rows, question: Question, verdicts: Sequence[Verdict], tell: Tell) -> list[Broken]:
    """The mapping is run once more for the rows that break a rule, with the raw columns beside them."""
    if not verdicts:
        return []
    by_id = {one.id: one for one in rules(question.version, question.dataset)}
    found = [list(culprits(by_id[verdict.rule], rows, question)) for verdict in verdicts]
    counts = [(0, 0) for _ in verdicts]
    for _ in case.each_unit():
        here = _in_unit(case, rows, question, verdicts, found, tell)
        counts = [(ours + more, told + said) for (ours, told), (more, said) in zip(counts, here, strict=True)]
    return [
        Broken(one.rule, one.keyword, one.column, one.violations, ours if rule else one.violations, told)
        for one, rule, (ours, told) in zip(verdicts, found, counts, strict=True)
    ]


def _in_unit(
    case: Case,
    rows: Rows,
    question: Question,
    verdicts: Sequence[Verdict],
    found: Sequence[Sequence[Culprits]],
    tell: Tell,
) -> list[tuple[int, int]]:
    """(ours, stated) per rule, of the unit that the views show."""
    collect(case.connection, case.shape)
    behind = with_ladder(origins(case.connection, case.shape))
    beside = own_rows(case.connection, beside_raw(case.shape, behind), case.shape.label, also=_raw_names(behind))
    kinds, demanded = {one.name: one for one in beside.fields}, nulls_demanded(rows, question)
    counts = []
    for verdict, rule in zip(verdicts, found, strict=True):
        tell("judge", {"rule": verdict.rule, "violations": verdict.violations})
        stated = STATED.get(verdict.rule, "false")
        pairs = [
            _counts(case.connection, beside.sql, one, _copied(one, behind, kinds, demanded), stated) for one in rule
        ]
        counts.append((sum(ours for ours, _ in pairs), sum(told for _, told in pairs)))
    return counts


def with_ladder(behind: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """The raw columns of those from which the profile copies what is missing count for the filled column too."""
    more = {name: [raw for other in others for raw in behind.get(other, ())] for name, others in COPIED_FROM.items()}
    return {name: tuple(dict.fromkeys((*raws, *more.get(name, ())))) for name, raws in behind.items()}


def _counts(
    connection: DuckDBPyConnection, relation: str, found: Culprits, copied: str, stated: str
) -> tuple[int, int]:
    """(ours, stated) among the rows that break the rule."""
    sql = f"""SELECT count(*) FILTER (WHERE NOT ({copied}) AND ({stated}) IS NOT TRUE),
        count(*) FILTER (WHERE {stated}) FROM ({relation}) WHERE {found.where}"""
    row = connection.execute(sql).fetchone()
    return (int(row[0]), int(row[1])) if row else (0, 0)


def beside_raw(shape: Shape, behind: Mapping[str, Sequence[str]]) -> str:
    """The ledger's rows of the views, located, with the raw columns that their values may come from."""
    names = _raw_names(behind)
    passed = ", ".join(f"{quoted(name.removeprefix(RAW))} AS {quoted(name)}" for name in names)
    place = "'' AS \"#file\", 0 AS \"#row\", '' AS x_SourceName"
    return focus_select(shape, also=(f"{passed}, {place}", [*names, "#file", "#row", "x_SourceName"]))


def _raw_names(behind: Mapping[str, Sequence[str]]) -> list[str]:
    return [RAW + name for name in sorted({name for found in behind.values() for name in found})]


def _copied(
    found: Culprits, behind: Mapping[str, Sequence[str]], kinds: Mapping[str, Field], demanded: Mapping[str, str]
) -> str:
    """Whether every column of the rule holds what one raw column holds, or nothing because a rule says so."""
    parts = []
    for name in found.columns:
        same = [_same(kinds[name], kinds[RAW + raw]) for raw in behind.get(name, ())]
        null = [f"{quoted(name)} IS NULL AND ({demanded[name]})"] if name in demanded else []
        parts.append(f"({' OR '.join([*same, *null]) or 'false'})")
    return " AND ".join(parts) or "false"


def _same(column: Field, raw: Field) -> str:
    """The raw value read as the column's type; a blank text is null."""
    name, value = quoted(column.name), quoted(raw.name)
    shown = f"nullif(trim(CAST({f'to_json({value})' if raw.kind == 'nested' else value} AS VARCHAR)), '')"
    types = {"decimal": "DECIMAL(38, 24)", "instant": "TIMESTAMPTZ"}
    given = f"TRY_CAST({shown} AS {types[column.kind]})" if column.kind in types else shown
    return f"{name if column.kind in types else f'CAST({name} AS VARCHAR)'} IS NOT DISTINCT FROM {given}"


def _fault(one: Broken, verdict: Verdict, label: str) -> Fault:
    values = ", ".join(f"{name} = {value}" for example in verdict.examples for name, value in example.values.items())
    return Fault(
        f"{one.ours} mapped rows would break a rule of FOCUS 1.3 that the bill's own values do not: {verdict.text}"
        f" (first: {values:.300})",
        'Nothing was committed. Check these rows in the bill; [conformance] gate = "report" in ledger.toml commits them'
        " all the same and keeps the finding with the run.",
        one.rule,
        label,
        column=one.column,
    )


def located(files: Sequence[str], source: str) -> str:
    """The rows of written parts with their place and their source."""
    listed = ", ".join(literal(name) for name in files)
    place = f'filename AS "#file", file_row_number + 1 AS "#row", {literal(source)} AS x_SourceName'
    return f"SELECT *, {place} FROM read_parquet([{listed}], filename=true, file_row_number=true)"
