"""What a staged file holds, and what is wrong with its values, before anything is mapped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ingest import checks
from ingest.deliveries import Assembled, Found
from ingest.engine import reading
from ingest.mapping import MACROS, StagedFile, raw_view, rows_in
from ingest.mappings import text
from ingest.shapes import Shape
from ingest.staging import Staged
from ingest.words import parties_sql, vocabulary
from ledger.delivery import Period
from ledger.faults import Fault, Rejected, reject

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def prepare(connection: DuckDBPyConnection) -> None:
    """Session settings, macros and words that every mapping relies on."""
    connection.execute("SET TimeZone = 'UTC'; SET preserve_insertion_order = false;")
    for name in MACROS:
        connection.execute(text(name))
    name_parties(connection, {}, {})
    for statement in vocabulary():
        connection.execute(statement)


def name_parties(connection: DuckDBPyConnection, entities: Mapping[str, str], resellers: Mapping[str, str]) -> None:
    """The companies' names from here on: the known ones and, before them, those of the settings."""
    for statement in parties_sql(entities, resellers):
        connection.execute(statement)


def inspect(connection: DuckDBPyConnection, staged: Staged) -> list[Found]:
    """What the file holds, per account and billing month. Rejected on bad values or when there are no rows."""
    with reading(staged.file.label):
        connection.execute(raw_view(staged.shape, [staged.file]))
        _refuse_wrong_types(connection, staged)
        refuse_bad_values(connection, checks.checks(staged.shape))
        _refuse_unclear(connection, staged)
        rows = connection.execute(checks.contents_sql(staged.shape)).fetchall()
    if not rows:
        raise reject(
            "the file has a header but no rows",
            "No rows means unknown, not zero; nothing was changed.",
            "no-rows",
            file=staged.file.label,
        )
    keys = sorted({_key(row) for row in rows})
    return [_found(staged, key, [row for row in rows if _key(row) == key]) for key in keys]


def lines_of(connection: DuckDBPyConnection, assembled: Assembled, shape: Shape, unit: Sequence[StagedFile]) -> str:
    """The raw view of a delivery's lines among those of some files; all of them are shown without a condition, which
    would have to be met line by line in every pass."""
    if connection.execute(rows_in(unit)).fetchone() == (assembled.rows_of(unit),):
        return raw_view(shape, unit)
    accounts = sorted({entry.account for entry in assembled.found})
    return raw_view(shape, unit, str(assembled.period), accounts, assembled.source.provider)


def _key(row: tuple[object, ...]) -> tuple[str, str, str]:
    """Account, month and provider of a row of checks.contents_sql."""
    return str(row[0]), str(row[1]), str(row[5])


def _found(staged: Staged, key: tuple[str, str, str], rows: Sequence[tuple[object, ...]]) -> Found:
    hints = [role for index, role in enumerate(staged.shape.roles) if any(row[7 + index] for row in rows)]
    currencies = tuple(sorted(str(row[2]) for row in rows))
    scopes = {str(scope) for row in rows if isinstance(row[4], list) for scope in row[4] if scope}
    count = sum(int(str(row[3])) for row in rows)
    members = {tuple(map(str, one)) for row in rows if isinstance(row[6], list) for one in row[6] if one}
    found = Found(staged, key[0], Period.parse(key[1]), key[2], currencies, count)
    found = replace(found, members=frozenset(members))
    return replace(found, hints=tuple(hints), scopes=tuple(sorted(scopes)), facts=_facts(staged, rows))


def _facts(staged: Staged, rows: Sequence[tuple[object, ...]]) -> tuple[tuple[str, str], ...]:
    """Aggregates that are true or false: true where any currency's rows are."""
    first = 7 + len(staged.shape.roles)
    names = enumerate(staged.shape.facts, first)
    return tuple((name, max(str(row[index]) for row in rows)) for index, name in names)


def _refuse_wrong_types(connection: DuckDBPyConnection, staged: Staged) -> None:
    kinds = dict(connection.execute(checks.wrong_type_sql()).fetchall())
    if faults := checks.wrong_types(staged.shape, kinds, staged.file.label):
        raise Rejected(faults)


def _refuse_unclear(connection: DuckDBPyConnection, staged: Staged) -> None:
    """What no single value shows."""
    stated = staged.shape.refusals
    met = connection.execute(checks.refusals_sql(stated)).fetchone() if stated else ()
    faults = [
        Fault(one.text, one.advice, one.rule, staged.file.label, column=one.column)
        for one, is_met in zip(stated, met or (), strict=True)
        if is_met
    ]
    if faults:
        raise Rejected(faults)


def refuse_bad_values(connection: DuckDBPyConnection, checked: Sequence[checks.Check]) -> None:
    """Rejected with the first rows that meet a check's condition."""
    sql = checks.bad_value_sql(checked)
    counts = connection.execute(sql).fetchone() if sql else None
    faults = [
        checks.value_fault(column, rule, *example)
        for (column, rule, condition), bad in zip(checked, counts or (), strict=False)
        if bad
        for example in connection.execute(checks.examples_sql(column, condition)).fetchall()
    ]
    if faults:
        raise Rejected(faults)
