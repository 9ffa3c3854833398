"""What is wrong with raw values, and what a file holds: SQL over the raw view and its reading. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from focus.schema import columns
from ingest.mapping import literal, quoted
from ingest.row_refusals import Refusal
from ingest.shapes import RawColumn, Shape, Unknown
from ledger.faults import Fault

Member = tuple[str, ...]  # an account within a billing account: its locator and its region, blank where not told
Check = tuple[RawColumn, str, str]  # column, rule, condition that a bad value meets
SHOWN = 3  # example rows per column in an error

LIMIT = "1e14"  # the ledger's money type has 14 digits before the point

# NaN is above every number here, so one comparison finds it, the infinities and what is too large.
_BAD = {
    ("number", "DOUBLE"): f"{{column}} IS NOT NULL AND NOT abs({{column}}) < {LIMIT}",
    ("number", "VARCHAR"): "blank_to_null({column}) IS NOT NULL"
    f" AND NOT coalesce(is_number({{column}}) AND abs(TRY_CAST({{column}} AS DOUBLE)) < {LIMIT}, false)",
    # The calendar's first day stands for one that is not known yet; other years before 1900 have lost their century.
    # Bytes have no fraction to keep, and a petabyte more digits than money has.
    ("bytes", "VARCHAR"): "{column} IS NOT NULL"
    " AND NOT coalesce(is_number({column}) AND TRY_CAST({column} AS DOUBLE) BETWEEN 0 AND 1e24, false)",
    ("date", "VARCHAR"): "blank_to_null({column}) IS NOT NULL"
    " AND coalesce(year(date_of({column})) BETWEEN 2 AND 1899, true)",
    ("instant", "VARCHAR"): "{column} IS NOT NULL AND instant_of({column}) IS NULL",
    ("json", "JSON"): "{column} IS NOT NULL AND NOT json_valid({column})",
    ("map", "JSON"): "{column} IS NOT NULL AND map_of({column}) IS NULL",
    ("value", "VARCHAR"): "{column} IS NOT NULL AND trim({column}) NOT IN ({allowed})",
}
_MISSING = {"DOUBLE": "{column} IS NULL", "TIMESTAMP": "{column} IS NULL"}
# Prices are written by the provider's own machine: looked at only once a mapping has stumbled.
_LATE = {("price", "VARCHAR"): "blank_to_null({column}) IS NOT NULL AND TRY_CAST({column} AS DECIMAL(38, 24)) IS NULL"}
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
_COMMA = re.compile(r"[+-]?\d[\d.\s]*,\d[\d,.]*([eE][+-]?\d{1,3})?")
_ADVICE = {
    "number": "Amounts are plain or scientific numbers with a point; export the file again rather than editing it.",
    "date": "Dates are MM/DD/YYYY or YYYY-MM-DD; export the file again rather than editing it.",
    "comma": "A comma may stand for a point or for thousands, so it is not guessed. The provider writes points: give"
    " its own file, from an export or the API, not one that a spreadsheet has saved.",
    "price": "Prices are plain numbers with a point; export the file again rather than editing it.",
    "order": "A price ends on the day it begins or later; download the price sheet again rather than editing it.",
    "negative": "A price is 0 or more; download the price sheet again rather than editing it.",
    "range": "Amounts have at most 14 digits before the point; check the file for a corrupted row.",
    "missing": "Nothing is taken as 0 here; export the file again.",
    "bytes": "Bytes are plain or scientific numbers of 0 or more; export the file again rather than editing it.",
    "instant": "Date-times are ISO 8601, such as 2026-01-31T00:00:00Z; those without a zone are read as UTC.",
    "json": "The column holds JSON text, or a map in Parquet; export the file again rather than editing it.",
    "map": "The column holds one JSON object, each key once; export the file again rather than editing it.",
    "value": "The FOCUS specification has a closed list for this column; export the file again.",
    "provider": "Its rows name no known cloud; say whose name it is under [entities] or [resellers] in ledger.toml.",
}
_NAMES = {
    "order": "dates-turned",
    "negative": "negative-price",
    "missing": "missing-value",
    "comma": "decimal-comma",
    "range": "out-of-range",
    "bytes": "not-a-number",
    "instant": "not-a-date-time",
    "json": "not-json",
    "map": "not-json",
    "value": "not-allowed",
    "provider": "unknown-provider",
}
_WORDS = {
    "bytes": "a number of bytes",
    "instant": "a date-time",
    "json": "JSON text",
    "map": "a JSON object",
    "value": "a value that this column may have",
    "provider": "a known provider",
    "order": "a day after the first one",
    "negative": "a price",
}


def bad_value_sql(checked: Sequence[Check]) -> str | None:
    """One row with a count of bad values per checked column; None when nothing is to check."""
    counts = [f"count(*) FILTER (WHERE {condition})" for _, _, condition in checked]
    return f"SELECT {', '.join(counts)} FROM raw" if counts else None


def checks(shape: Shape) -> list[Check]:
    """For every column the mapping computes with."""
    found = []
    for column in shape.columns:
        if template := _BAD.get((column.check, column.type)):
            names = {"column": quoted(column.name), "allowed": _allowed(column.name)}
            found.append((column, column.check, template.format(**names)))
        if column.required and not column.blank:
            template = _MISSING.get(column.type, "blank_to_null({column}) IS NULL")
            found.append((column, "missing", template.format(column=quoted(column.name))))
    if shape.provider_sql:
        named = next(column for column in shape.columns if column.name == "ProviderName")
        found.append((named, "provider", f"{shape.provider_sql} = ''"))
    return found


def _allowed(name: str) -> str:
    """The closed list of a FOCUS column as SQL, empty where it has none."""
    return ", ".join(literal(value) for column in columns() if column.name == name for value in column.allowed_values)


def late_checks(shape: Shape) -> list[Check]:
    """Like checks: where to look once a value has not fitted its column."""
    late = [(column, _LATE.get((column.check, column.type))) for column in shape.columns]
    return [(column, column.check, found.format(column=quoted(column.name))) for column, found in late if found]


def wrong_type_sql() -> str:
    """(column, type) of the raw view."""
    return "SELECT column_name, column_type FROM (DESCRIBE raw)"


def wrong_types(shape: Shape, kinds: Mapping[str, str], label: str) -> list[Fault]:
    """Columns that should be DOUBLE and are not; a decimal among doubles would lose digits."""
    numeric = re.compile(r"DOUBLE|U?(TINY|SMALL|BIG)?INT(EGER)?")
    wrong = [c.name for c in shape.columns if c.type == "DOUBLE" and not numeric.fullmatch(kinds[c.name])]
    advice = "Give the provider's own file, where amounts are doubles, not a copy that another tool has rewritten."
    return [
        Fault(f"the column holds {kinds[name]}, not numbers", advice, "wrong-type", label, column=name)
        for name in wrong
    ]


def examples_sql(column: RawColumn, condition: str) -> str:
    """The first bad rows: (file, row from 1, value)."""
    name = quoted(column.name)
    return f"""SELECT x_RawFile, x_RawRow + 1, CAST({name} AS VARCHAR) FROM raw
        WHERE {condition} ORDER BY x_RawFile, x_RawRow LIMIT {SHOWN}"""


def value_fault(column: RawColumn, rule: str, file: str, row: int, value: str | None) -> Fault:
    """`rule` is the check that failed; a number that is one, yet refused, is too large."""
    text = (value or "").strip()
    kind = "range" if rule == "number" and _NUMBER.fullmatch(text) else rule
    kind = "comma" if rule in ("number", "price") and _COMMA.fullmatch(text) else kind
    messages = {
        "missing": "the value is missing",
        "range": f"{value!r:.60} has more than 14 digits before the point",
        "comma": f"{value!r:.60} is written with a comma",
    }
    message = messages.get(kind, f"{value!r:.60} is not {_WORDS.get(kind, f'a {kind}')}")
    name = _NAMES.get(kind, f"not-a-{kind}")
    return Fault(message, _ADVICE[kind], name, file, row, column.name)


def contents_sql(shape: Shape) -> str:
    """Per (account, month, currency, provider) of the raw view: rows, scopes, rows that hint at each role, facts."""
    provider = shape.provider_sql or literal(shape.provider)
    hints = "".join(f", count(*) FILTER (WHERE {condition})" for condition in shape.roles.values())
    hints += "".join(f", CAST({aggregate} AS VARCHAR)" for aggregate in shape.facts.values())
    return f"""SELECT {shape.account}, strftime({shape.period}, '%Y-%m'), {shape.currency}, count(*),
        list(DISTINCT {shape.scope or "NULL"}), {provider}, list(DISTINCT {_members(shape)}){hints}
        FROM raw GROUP BY ALL ORDER BY 1, 2, 3, 6"""


def _members(shape: Shape) -> str:
    return f"[{', '.join(shape.members)}]" if shape.members else "NULL"


def owners_sql(shape: Shape) -> str:
    """(billing account, member) pairs of a companion in view `raw`; null where its rows name neither."""
    return f"SELECT DISTINCT {shape.account}, {_members(shape)} FROM raw"


def _key(shape: Shape, whole: Mapping[Member, Member]) -> str:
    """What tells rows apart, however they spell it: moments, days, names, and accounts as `whole` completes them."""
    own = [name for name in shape.key if not any(name in told for told in shape.members)]
    moments = {column.name for column in shape.columns if column.check == "instant"}
    return ", ".join([*(_compared(name, name in moments) for name in own), *_places(shape, whole)])


def _compared(name: str, is_moment: bool) -> str:
    if not is_moment:
        return f"upper(coalesce(trim({quoted(name)}), ''))"
    if name.endswith("DATE"):
        return f"day_of({quoted(name)})"
    return f"coalesce(plain_moment({quoted(name)}), instant_of({quoted(name)}))"


def _places(shape: Shape, whole: Mapping[Member, Member]) -> list[str]:
    """The account's locator and region, each as SQL."""
    if not whole:
        return list(shape.members)
    told = [
        " AND ".join(f"{name} = {literal(value)}" for name, value in zip(shape.members, one, strict=True))
        for one in whole
    ]
    return [
        f"CASE {' '.join(f'WHEN {when} THEN {literal(to[at])}' for when, to in zip(told, whole.values(), strict=True))}"
        f" ELSE {name} END"
        for at, name in enumerate(shape.members)
    ]


def places_sql(shape: Shape) -> str:
    """The members that rows of view `companion` name, or leave blank."""
    return f"SELECT DISTINCT {', '.join(shape.members)} FROM companion"


def may_be_doubled_sql(shape: Shape, whole: Mapping[Member, Member]) -> str:
    """Whether any two rows of view `companion` may be the same by the shape's key: soon told where none are."""
    key = _key(shape, whole)
    return f"SELECT count(*) > count(DISTINCT hash({key})) FROM companion WHERE {quoted(shape.key[0])} IS NOT NULL"


def doubled_sql(shape: Shape, whole: Mapping[Member, Member]) -> str:
    """(file, row, file, row) of the first rows of view `companion` that are the same by its key.

    Rows that lack its first column cannot be told apart.
    """
    key = _key(shape, whole)
    return f"""SELECT arg_min(x_RawFile, place), arg_min(x_RawRow, place) + 1, arg_max(x_RawFile, place),
        arg_max(x_RawRow, place) + 1 FROM (SELECT *, struct_pack(f := x_RawFile, r := x_RawRow) AS place FROM companion
        WHERE {quoted(shape.key[0])} IS NOT NULL) GROUP BY {key} HAVING count(*) > 1 ORDER BY 1, 2 LIMIT {SHOWN}"""


def rows_of(shape: Shape, role: str) -> str:
    """The raw rows of files of that role, as a relation; a shape without roles has one kind of file."""
    return f"(SELECT * FROM raw WHERE x_RawRole = {literal(role)})" if shape.roles else "raw"


# Money that no raw line tells, but a list of contracts beside the bill.
BOUGHT_BESIDE = "(SELECT * FROM rows WHERE x_RowKind = 'contract-purchase')"


def rule_totals_sql(shape: Shape, also: str) -> str:
    """Raw money and rows per (currency, rule, also) of the rows that a rule drops or zeroes."""
    return f"""SELECT {shape.currency}, x_Rule, sum({_amount(shape)}), count(*), {also} FROM rows
        WHERE x_RowKind = 'charge' AND x_Rule <> '' GROUP BY 1, 2, 5"""


def assumptions_sql(shape: Shape) -> str:
    """(assumption, raw rows) of those that occur."""
    counts = [
        f"({literal(name)}, count(*) FILTER (WHERE {condition}))" for name, condition in shape.assumptions.items()
    ]
    occur = f"list_filter([{', '.join(counts)}], lambda pair: pair[2] > 0)"
    return f"SELECT unnest({occur}, recursive := true) FROM {shape.assumed_in}"


def _amount(shape: Shape) -> str:
    """Its cost as money: what view `typed` holds, or text."""
    seen = shape.formats == ("parquet",) or any(column.typed for column in shape.columns)
    return f"{'amount' if seen else 'money'}({shape.cost})"


def unknown_sql(entry: Unknown, shape: Shape) -> str:
    """(value, raw rows, currency, money) of the values that the table does not know; no money where none is told."""
    known = f"SELECT {entry.key} FROM {entry.table}"
    if entry.worth:
        over = ", ".join(entry.over)
        same = " AND ".join(f"raw.{name} IS NOT DISTINCT FROM strange.{name}" for name in entry.over)
        # Most bills hold nothing strange: then what their lines are worth need not be read.
        return f"""WITH strange AS (
                SELECT {over}, coalesce({entry.column}, '') AS value FROM (SELECT DISTINCT {over} FROM raw)
                WHERE {entry.where} AND value NOT IN ({known})
            )
            SELECT value, count(*), {shape.currency} AS currency, sum({_amount(shape)})
            FROM raw JOIN strange ON {same} GROUP BY ALL"""
    told = f"(SELECT {', '.join(entry.over)}, count(*) AS raw_rows FROM raw GROUP BY ALL)" if entry.over else "raw"
    counted = "sum(raw_rows)" if entry.over else "count(*)"
    values = f"SELECT {entry.column} AS value, {counted} AS rows FROM {told} WHERE {entry.where} GROUP BY 1"
    return f"SELECT coalesce(value, ''), rows, '', NULL FROM ({values}) WHERE coalesce(value, '') NOT IN ({known})"


def refusals_sql(refusals: Sequence[Refusal]) -> str:
    """One row: whether each of them is met."""
    distinct = [f"SELECT DISTINCT {', '.join(map(quoted, one.over))} FROM raw" for one in refusals]
    found = [f"(SELECT {one.when} FROM ({rows}))" for one, rows in zip(refusals, distinct, strict=True)]
    return f"SELECT {', '.join(found)}"


def part_facts_sql(pattern: str) -> str:
    """Per written file and currency: rows, billed, effective, first and last charge period start, rows with no cost."""
    return f"""SELECT filename, BillingCurrency, count(*), sum(BilledCost), sum(EffectiveCost),
        min(ChargePeriodStart)::TIMESTAMPTZ, max(ChargePeriodStart)::TIMESTAMPTZ,
        count(*) FILTER (WHERE BilledCost IS NULL OR EffectiveCost IS NULL)
        FROM read_parquet({literal(pattern)}, filename=true) GROUP BY 1, 2 ORDER BY 1, 2"""
