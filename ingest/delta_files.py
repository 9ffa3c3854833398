"""A Delta table as files: those of its newest version only, with the partition values that the files leave out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

from ingest.mapping import literal, quoted
from ingest.staging import LocalFile
from ledger.faults import reject

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

LOG = "_delta_log"
PARTITION = "partition."


def is_table(location: str) -> bool:
    """Whether this local folder is a Delta table."""
    return (Path(location) / LOG).is_dir()


def table_files(connection: DuckDBPyConnection, location: str, workspace: Path) -> list[LocalFile]:
    """The active files, copied with the columns of FOCUS that the table is partitioned by. Rejected if unreadable."""
    return [
        LocalFile(_complete(connection, path, values, workspace), str(path), named=True)
        for path, values in _active(Path(location))
    ]


def _active(folder: Path) -> Iterator[tuple[Path, Mapping[str, str | None]]]:
    from deltalake import DeltaTable
    from deltalake.exceptions import DeltaError

    try:
        actions = DeltaTable(str(folder)).get_add_actions(flatten=True)
    except (DeltaError, OSError) as error:
        advice = "Check that the folder is whole."
        raise reject("the Delta table cannot be read", advice, "unreadable-table", file=str(folder)) from error
    names = [name for name in actions.schema.names if name.startswith(PARTITION)]
    columns = [actions.column(name).to_pylist() for name in ("path", *names)]
    for path, *values in sorted(zip(*columns, strict=True), key=lambda row: str(row[0])):
        found = {name.removeprefix(PARTITION): value for name, value in zip(names, values, strict=True)}
        yield _existing(folder, str(path)), {name: _shown(value) for name, value in found.items()}


def _existing(folder: Path, path: str) -> Path:
    """Some writers' logs hold a path as it is, others as part of an address."""
    plain = folder / path
    return plain if plain.exists() else folder / unquote(path)


def _shown(value: object) -> str | None:
    return None if value is None else str(value)


def _complete(connection: DuckDBPyConnection, path: Path, values: Mapping[str, str | None], workspace: Path) -> Path:
    """The file, or a copy with the partition values; columns of the table's own need not be shown to any rule."""
    missing = {name: value for name, value in values.items() if not name.startswith("x_")}
    if not missing:
        return path
    target = workspace / f"table-{len(list(workspace.iterdir())):05d}.parquet"
    added = ", ".join(
        f"{'NULL::VARCHAR' if value is None else literal(value)} AS {quoted(name)}" for name, value in missing.items()
    )
    source = f"read_parquet({literal(str(path))}, hive_partitioning=false)"
    connection.execute(f"COPY (SELECT *, {added} FROM {source}) TO {literal(str(target))} (FORMAT parquet)")
    return target
