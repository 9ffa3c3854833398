"""SQL text of a mapping: raw view, rows view, FOCUS select. Pure: what runs it receives an open connection."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from focus.schema import ledger_columns
from ingest import kinds, splits
from ingest.mappings import table_names, table_path, text
from ingest.shapes import PrefixMap, RawColumn, Shape, companions_of, plain, resolve

MACROS = ("macros.sql", "focus_macros.sql", "snowflake_macros.sql", "contract_macros.sql")
_TYPED = {  # a text as what it is in Parquet, money by its decimal text
    "DOUBLE": "money({column})",
    "TIMESTAMP": "moment_of({column})",
    "MAP(VARCHAR, VARCHAR)": "map_of({column})",
}
# Whether the tags were columns of their own -> how the mapping reads them.
_TAGS = {
    False: {
        "tags_text": "CAST(to_json(x) AS VARCHAR)",
        "tags_size": "len(map_keys(x))",
        "tags_prefixed": "list_bool_and(list_transform(map_keys(x), "
        "lambda key: starts_with(key, 'user_') OR starts_with(key, 'aws_')))",
    },
    True: {"tags_text": "x.text", "tags_size": "x.size", "tags_prefixed": "x.prefixed"},
}
_LITERAL = re.compile(r"^    (?:CASE WHEN (?:(?! THEN | ELSE ).)+ THEN )?('[^']+')(?: END)? AS (\w+),?$", re.MULTILINE)
# Of a price sheet: prices as text, whether one fits, several or none.
SHEET = ("sheet_list", "sheet_unit", "sheet_told")
_KINDS = {"JSON": "VARCHAR"}  # what the raw view shows of a type that is none of the engine's


@dataclass(frozen=True, slots=True)
class StagedFile:
    """A file ready to map: Parquet on local disk, its headers, and what the person calls it."""

    path: str
    label: str
    headers: tuple[str, ...]
    role: str = ""


def literal(value: str) -> str:
    """A SQL string literal."""
    return "'" + value.replace("'", "''") + "'"


def quoted(name: str) -> str:
    """A SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def raw_view(
    shape: Shape,
    files: Sequence[StagedFile],
    period: str | None = None,
    accounts: Sequence[str] = (),
    provider: str = "",
    name: str = "raw",
) -> str:
    """View `raw`, or of another name: the shape's columns by canonical name, absent optional ones as typed NULL.

    Given a month, accounts or a provider, only their rows: a file may hold those of several partitions.
    """
    parts = " UNION ALL BY NAME ".join(_raw_select(shape, file) for file in files)
    wanted = [] if period is None else [f"{shape.period} = DATE {literal(period + '-01')}"]
    wanted += [f"{shape.account} IN ({', '.join(map(literal, accounts))})"] if accounts else []
    wanted += [f"{shape.provider_sql} = {literal(provider)}"] if provider and shape.provider_sql else []
    where = f" WHERE {' AND '.join(wanted)}" if wanted else ""
    return f"CREATE OR REPLACE TEMP VIEW {name} AS SELECT * FROM ({parts}){where}"


def rows_in(files: Sequence[StagedFile]) -> str:
    """How many rows the files have, which the engine tells without reading them."""
    return f"SELECT count(*) FROM read_parquet([{', '.join(literal(file.path) for file in files)}])"


def tables(shape: Shape) -> list[str]:
    """Statements that load the lookup tables which this shape's SQL names, and empty ones for its companions."""
    looked_up = [
        f"CREATE TEMP TABLE IF NOT EXISTS {name} AS "
        f"FROM read_csv({literal(table_path(name))}, header=true, all_varchar=true)"
        for name in used(shape)
    ]
    return looked_up + [_empty_table(companion) for companion in companions_of(shape)]


def _empty_table(companion: Shape) -> str:
    columns = ", ".join(f"{quoted(name)} {kind}" for name, kind in companion.table.items())
    return f"CREATE OR REPLACE TEMP TABLE {companion.name} ({columns})"


def used(shape: Shape) -> list[str]:
    """The lookup tables which this shape's SQL names."""
    body = "".join(map(text, (shape.rows_sql, shape.select_sql, *kinds.files(shape.kinds))))
    return [name for name in table_names() if re.search(rf"\b{name}\b", body)]


def definition(shape: Shape) -> list[str]:
    """Every text that decides what rows this shape becomes, but for what may stand beside it."""
    own = (shape.rows_sql, shape.select_sql, shape.commitments_sql, shape.contracts_sql)
    names = [*MACROS, *shape.files, *filter(None, own), *kinds.files(shape.kinds), *splits.files(shape.split)]
    return [text(name) for name in (*names, *(f"{table}.csv" for table in used(shape)))]


def names_parties(shape: Shape) -> bool:
    """Whether its rows depend on the names of companies."""
    body = "".join(map(text, (shape.select_sql, *kinds.files(shape.kinds))))
    return any(name in body for name in ("entity(", "operator_of("))


def rows_view(shape: Shape, priced: bool = False) -> str:
    """View `rows`: raw rows with x_RowKind, x_Rule and x_Keep, and the rows derived from them. Several statements.

    A shape that takes prices from a price sheet has them beside each row, from table `sheet_prices` if `priced`.
    """
    made = text(shape.rows_sql)
    if shape.prices and priced:
        joined = f"LEFT JOIN sheet_prices AS p ON {price_key(shape)} = p.price_key"
        made = f"SELECT r.*, p.* EXCLUDE (price_key) FROM ({made}) AS r {joined}"
    elif shape.prices:
        none = ", ".join(f"CAST(NULL AS VARCHAR) AS {name}" for name in SHEET)
        made = f"SELECT *, {none} FROM ({made})"
    return f"{typed_view(shape)}; CREATE OR REPLACE TEMP VIEW rows AS {made}"


def price_key(shape: Shape) -> str:
    """What a row's price is found by, as one text; null where it wants none."""
    parts = [f"coalesce(CAST({value} AS VARCHAR), '')" for name, value in shape.prices.items() if name != "wanted"]
    return f"CASE WHEN {shape.prices['wanted']} THEN concat_ws(chr(31), {', '.join(parts)}) END"


def typed_view(shape: Shape) -> str:
    """View `typed`: raw rows whose texts are numbers, instants and maps; macro `amount`: its numbers as exact money.

    Macros `tags_...` tell of its tags: a map, or what `_text_of` makes. Several statements. Of Parquet it is
    the raw view itself.
    """
    texts = {column.name: column.typed for column in shape.columns if column.typed}
    seen = {name: _TYPED[kind].format(column=quoted(name)) for name, kind in texts.items()}
    casts = [f"{value} AS {quoted(name)}" for name, value in {**seen, **_unless(shape, seen)}.items()]
    shown = f"SELECT * REPLACE ({', '.join(casts)}){derived(shape)}" if casts else f"SELECT *{derived(shape)}"
    macros = {"amount": "x" if texts else "exact(x)", **_TAGS[any(not entry.keys for entry in shape.maps)]}
    made = "; ".join(f"CREATE OR REPLACE TEMP MACRO {name}(x) AS {body}" for name, body in macros.items())
    return f"{made}; CREATE OR REPLACE TEMP VIEW typed AS {shown} FROM raw"


def derived(shape: Shape) -> str:
    """What a shape's own columns become under the names that its SQL shares with others, as further columns."""
    return "".join(f", {expression} AS {name}" for name, expression in shape.derived.items())


def _unless(shape: Shape, seen: Mapping[str, str]) -> dict[str, str]:
    """Columns that are null where a fact of the whole bill says that they mean nothing."""
    names = [
        (fact, column.name)
        for fact, mark in shape.unless.items()
        for column in shape.columns
        if re.search(mark, column.name)
    ]
    return {
        name: f"CASE WHEN getvariable({literal(fact)}) = 'true' THEN {seen.get(name, quoted(name))} END"
        for fact, name in names
    }


def focus_select(shape: Shape, also: tuple[str, Sequence[str]] = ("", ())) -> str:
    """The ledger's row, every column cast to its type, in the specification's order.

    `also` are further columns of the mapping's last SELECT, as SQL, and their names.
    """
    constants = {**_constants(shape), **kinds.types(shape.kinds)}
    columns = [(quoted(column.name), constants.get(column.name, column.checked_type)) for column in ledger_columns()]
    split = shape.split if shape.is_split else None
    more, names = splits.keyed(split, also) if split else also
    casts = ", ".join([*(f"CAST({name} AS {kind}) AS {name}" for name, kind in columns), *map(quoted, names)])
    select, _, source = text(shape.select_sql).rpartition("\nFROM ")
    mapped = f"SELECT {casts} FROM ({select}{f', {more}' if more else ''}\nFROM {source})"
    return splits.around(split, mapped) if split else mapped


def _constants(shape: Shape) -> dict[str, str]:
    """Columns that hold one literal or nothing, as an ENUM of it: the same text, written far faster."""
    return {name: f"ENUM({value})" for value, name in _LITERAL.findall(text(shape.select_sql))}


def variables(values: Mapping[str, str]) -> list[str]:
    """SET VARIABLE statements; period bounds arrive as ISO text and are cast where they are used."""
    return [f"SET VARIABLE {name} = {literal(value)}" for name, value in values.items()]


def _raw_select(shape: Shape, file: StagedFile) -> str:
    found = resolve(shape, file.headers, file.label)
    columns = [_column(shape, column, found.get(column.name)) for column in shape.columns]
    columns += [f"CAST(NULL AS VARCHAR) AS {quoted(name)}" for name in shape.absent]
    columns += [_map(entry, file.headers) for entry in shape.maps]
    columns += [_carried(shape, file.headers)] if shape.extras else []
    origin = f"{literal(file.label)} AS x_RawFile, {literal(file.role)} AS x_RawRole, file_row_number AS x_RawRow"
    source = f"read_parquet({literal(file.path)}, file_row_number=true, hive_partitioning=false)"
    return f"SELECT {', '.join(columns)}, {origin} FROM {source}"


def _column(shape: Shape, column: RawColumn, header: str | None) -> str:
    name = quoted(column.name)
    if header is None:
        return f"CAST(NULL AS {_KINDS.get(column.type, column.type)}) AS {name}"
    if column.type == "DOUBLE":
        return f"{quoted(header)} AS {name}"
    return f"{_told(shape, header, column.type)} AS {name}"


def _told(shape: Shape, header: str, kind: str) -> str:
    """The column's value as its type, null where the text stands for null."""
    value = f"json_text({quoted(header)})" if kind == "JSON" else f"CAST({quoted(header)} AS {kind})"
    return f"CASE WHEN lower(trim({value})) NOT IN ({_nulls(shape)}) THEN {value} END" if shape.nulls else value


def _carried(shape: Shape, headers: Sequence[str]) -> str:
    """x_SourceColumns: the columns of that prefix as one JSON object of texts, nulls left out; NULL if all are."""
    names = [header for header in headers if plain(header).startswith(shape.extras)]
    members = ", ".join(
        f"{{'key': {literal(json.dumps(name, ensure_ascii=False) + ':')}, 'text': json_text({quoted(name)})}}"
        for name in names
    )
    # One lambda for all of them: an expression a column takes the engine long to plan and longer to run.
    filled = f"list_filter([{members}], lambda member: lower(trim(member.text)) NOT IN ({_nulls(shape)}))"
    texts = f"list_transform({filled}, lambda member: member.key || to_json(member.text))"
    object = f"'{{' || nullif(array_to_string({texts}, ','), '') || '}}'" if names else "CAST(NULL AS VARCHAR)"
    return f"{object} AS x_SourceColumns"


def _nulls(shape: Shape) -> str:
    return ", ".join(map(literal, shape.nulls))


def _map(entry: PrefixMap, headers: Sequence[str]) -> str:
    """Blank values are dropped, but from known keys, which become a struct: to build a map takes far longer."""
    found = [(key, f"CAST({quoted(header)} AS VARCHAR)") for header in headers if (key := entry.key(header))]
    if entry.keys:
        by_key = {**dict.fromkeys(entry.keys.values(), "CAST(NULL AS VARCHAR)"), **dict(found)}
        return f"{{{', '.join(f'{literal(key)}: {value}' for key, value in by_key.items())}}} AS {quoted(entry.name)}"
    return f"{_text_of(found)} AS {quoted(entry.name)}"


def _text_of(found: Sequence[tuple[str, str]]) -> str:
    """The filled columns as JSON text, number of keys, and whether all have a known prefix: far sooner than a map."""
    members = [
        f"CASE WHEN {value} <> '' THEN {_key(key)} || CAST(to_json({value}) AS VARCHAR) END" for key, value in found
    ]
    size = " + ".join(f"CAST(coalesce({value} <> '', false) AS INTEGER)" for _, value in found) or "0"
    prefixed = str(all(key.startswith(("user_", "aws_")) for key, _ in found)).lower()
    listed = ", ".join(members or ["''"])
    return f"{{'text': '{{' || concat_ws(',', {listed}) || '}}', 'size': {size}, 'prefixed': {prefixed}}}"


def _key(name: str) -> str:
    return literal(json.dumps(name, ensure_ascii=False) + ":")
