"""The SQL text of an export: a profile's columns, in FOCUS text formats for CSV, and reading back what was written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from focus.profile import profile_columns, profile_sql
from focus.schema import Column, columns

CARRIED = "x_SourceColumns"  # a JSON object of the source's own columns, spread out in an export
FORMATS = ("parquet", "csv", "csv.gz")
LONGEST_LINE = 16_777_216
READ_BUFFER = 2 * LONGEST_LINE  # the engine would take 16 lines, times its threads
TEXTS = ("String", "JSON")
COSTS = "CostAndUsage"
# What a dataset is read back by: two sums, and the columns whose first and last instants span it.
MEASURED = {
    COSTS: (("BilledCost", "EffectiveCost"), ("ChargePeriodStart", "ChargePeriodEnd")),
    "ContractCommitment": (
        ("ContractCommitmentCost", "ContractCommitmentQuantity"),
        ("ContractCommitmentPeriodStart", "ContractCommitmentPeriodEnd"),
    ),
}
INSTANT = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True, slots=True)
class Output:
    """The columns of every file of an export; `spread` gives the key in x_SourceColumns per column taken from it."""

    version: str
    format: str
    columns: tuple[Column, ...]
    spread: Mapping[str, str]
    dataset: str = COSTS

    @property
    def header(self) -> list[str]:
        return [column.name for column in self.columns]

    @property
    def is_text(self) -> bool:
        return self.format != "parquet"


def output(version: str, form: str, keys: Iterable[str], *, custom: bool) -> Output:
    """FOCUS columns in the version's order; with `custom` the ledger's own, its partition, and the source's own."""
    profile = profile_columns(version)
    if not custom:
        return Output(version, form, tuple(one for one in profile if not one.name.startswith("x_")), {})
    own = [one for one in profile if one.name != CARRIED] + [_text("x_SourceName"), _text("x_BillingPeriod")]
    spread = spread_names(keys, [one.name for one in own])
    return Output(version, form, (*own, *map(_text, spread)), spread)


def commitment_output(version: str, form: str, *, custom: bool) -> Output:
    """The same of ContractCommitment, of which the ledger keeps no columns of its own but where a row is from."""
    more = (_text("x_SourceName"), _text("x_BillingPeriod")) if custom else ()
    return Output(version, form, (*columns("ContractCommitment", version), *more), {}, "ContractCommitment")


def newest_sql(relation: str) -> str:
    """One row per commitment of many bills' rows: the newest that tells its term, or the newest."""
    return f"""SELECT * FROM ({relation}) QUALIFY row_number() OVER (
        PARTITION BY ContractCommitmentId
        ORDER BY ContractCommitmentPeriodStart IS NULL, x_BillingPeriod DESC, x_SourceName) = 1"""


def commitments_of(relation: str, source: str) -> str:
    """The source's rows among the newest of all: an id has one row in a dataset, whoever bills it."""
    return f"SELECT * FROM ({newest_sql(relation)}) WHERE x_SourceName = {literal(source)}"


def spread_names(keys: Iterable[str], taken: Sequence[str]) -> dict[str, str]:
    """A column name per key: with the prefix x_, and numbered where the name is taken, case apart."""
    seen, names = {name.lower() for name in taken}, {}
    for key in sorted(set(keys)):
        stem = key if key.startswith("x_") else f"x_{key}"
        name, number = stem, 1
        while name.lower() in seen:
            number += 1
            name = f"{stem}_{number}"
        seen.add(name.lower())
        names[name] = key
    return names


def keys_sql(relation: str) -> str:
    """Every key of x_SourceColumns, one per row."""
    return f"SELECT DISTINCT unnest(json_keys({CARRIED})) FROM ({relation}) WHERE {CARRIED} IS NOT NULL"


def rows_sql(relation: str, out: Output, source: str, period: str) -> str:
    """The rows of one (source, billing period) as they are delivered, or of one source's commitments."""
    if out.dataset != COSTS:
        shown = [f"{_shown(column, quoted(column.name), out)} AS {quoted(column.name)}" for column in out.columns]
        return f"SELECT {', '.join(shown)} FROM ({relation})"
    own = {"x_SourceName": literal(source), "x_BillingPeriod": literal(period)}
    own |= {name: f"json_extract_string({CARRIED}, {literal(pointer(key))})" for name, key in out.spread.items()}
    chosen = [(column, own.get(column.name, quoted(column.name))) for column in out.columns]
    shown = [f"{_shown(column, value, out)} AS {quoted(column.name)}" for column, value in chosen]
    return f"SELECT {', '.join(shown)} FROM ({profile_sql(relation, out.version)})"


def copy_sql(rows: str, folder: str, out: Output, size: tuple[int, str], labels: Mapping[str, str]) -> str:
    """Streams the rows into files of a new folder; Parquet files carry `labels` in their footers.

    `size` is the rows of a Parquet row group, and the bytes (as text) after which the next file begins.
    """
    told = ", ".join(f"{quoted(name)}: {literal(value)}" for name, value in labels.items())
    options = {
        "parquet": f"FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {size[0]}, KV_METADATA {{{told}}}",
        "csv": "FORMAT csv, HEADER true",
        "csv.gz": "FORMAT csv, HEADER true, COMPRESSION gzip",
    }[out.format]
    names = f"FILENAME_PATTERN 'part-{{i}}', FILE_EXTENSION {literal(out.format)}"
    return f"COPY ({rows}) TO {literal(folder)} ({options}, FILE_SIZE_BYTES '{size[1]}', {names})"


def written_sql(path: str, out: Output) -> str:
    """Reads a file back: name, currency, rows, two sums, first start, last end, a length per text column."""
    lengths = [f"max(length({quoted(name)}))" for name in text_columns(out)]
    sums, (start, end) = MEASURED[out.dataset]
    return f"""
        SELECT filename, BillingCurrency, count(*), {", ".join(map(_sum, sums))},
            min(CAST({start} AS TIMESTAMP WITH TIME ZONE)),
            max(CAST({end} AS TIMESTAMP WITH TIME ZONE)), {", ".join(lengths)}
        FROM {_file(path, out)} GROUP BY ALL ORDER BY ALL
    """


def header_sql(path: str, out: Output) -> str:
    """DESCRIBE of one file as its own bytes say, its columns first in each row."""
    if out.is_text:
        return f"DESCRIBE SELECT * FROM read_csv({literal(path)}, header = true, all_varchar = true, {_dialect()})"
    return f"DESCRIBE SELECT * FROM read_parquet({literal(path)}, hive_partitioning = false)"


def totals_sql(relation: str, dataset: str = COSTS) -> str:
    """Provider (none of commitments), currency, rows and the dataset's two sums of the ledger's rows."""
    provider = "x_Provider" if dataset == COSTS else "''"
    sums = ", ".join(map(_sum, MEASURED[dataset][0]))
    return f"SELECT {provider}, BillingCurrency, count(*), {sums} FROM ({relation}) GROUP BY ALL ORDER BY ALL"


def text_columns(out: Output) -> list[str]:
    return [column.name for column in out.columns if column.data_type in TEXTS]


def pointer(key: str) -> str:
    """JSON pointer to a key of the top level."""
    return "/" + key.replace("~", "~0").replace("/", "~1")


def literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _shown(column: Column, value: str, out: Output) -> str:
    """FOCUS asks numbers to be plain and instants to be UTC with a Z; Parquet has types for both."""
    if not out.is_text or column.data_type in TEXTS:
        return f"CAST({value} AS {column.duckdb_type})"
    if column.data_type == "Decimal":
        return f"rtrim(rtrim(CAST(CAST({value} AS {column.duckdb_type}) AS VARCHAR), '0'), '.')"
    return f"strftime({value} AT TIME ZONE 'UTC', '{INSTANT}')"


def _sum(name: str) -> str:
    return f"coalesce(sum(CAST({name} AS DECIMAL(38,24))), 0)"


def _file(path: str, out: Output) -> str:
    if not out.is_text:
        return f"read_parquet({literal(path)}, filename = true, hive_partitioning = false)"
    types = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in out.header)
    return f"read_csv({literal(path)}, filename = true, header = true, columns = {{{types}}}, {_dialect()})"


def _dialect() -> str:
    return (
        f"delim = ',', quote = '\"', escape = '\"', hive_partitioning = false, max_line_size = {LONGEST_LINE}, "
        f"buffer_size = {READ_BUFFER}, strict_mode = true, null_padding = false"
    )


def _text(name: str) -> Column:
    return Column(name, "String", "Custom", "true", ())
