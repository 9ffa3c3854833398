"""The money story: fetch -> stage -> map -> check -> reconcile -> commit, one delivery at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from ingest import checks, gate
from ingest.deliveries import Assembled
from ingest.engine import reading
from ingest.inspection import refuse_bad_values
from ingest.mapping import StagedFile, facts, focus_select, literal, raw_view, rows_view, tables, variables
from ingest.shapes import Shape
from ingest.tally import Tally, instant, measure_parts, measure_raw
from ledger.delivery import Part, Period, SourceRef
from ledger.faults import Rejected, reject
from ledger.reconcile import Balance, balances, rounding_slack, total

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

OVERLAP_SAMPLE = 20_000  # rows of a delivery that are compared to find a bill given twice
Progress = Callable[[str, Mapping[str, object]], None]


class Partition(Protocol):
    """One (source, billing period) of the book; `digest` is the first 16 digits of its delivery's."""

    @property
    def source(self) -> str: ...
    @property
    def period(self) -> Period: ...
    @property
    def digest(self) -> str: ...


class Book(Protocol):
    """What ingest needs of the ledger's book."""

    def partitions(self) -> Sequence[Partition]: ...

    def digest_of(self, source: str, period: Period) -> str | None: ...
    def replace(self, source: SourceRef, period: Period, digest: str, parts: Sequence[Part], run_id: str) -> int: ...


@dataclass(frozen=True, slots=True)
class Tuning:
    """Row group size is the memory knob: 20,480 on the smallest instance, 122,880 where there are 4 GB.

    `gate` says what rows that break FOCUS by the mapping's fault do: block the commit, be reported, or pass unchecked.
    """

    row_group_size: int = 20_480
    file_size: str = "128MB"
    gate: str = "block"


@dataclass(frozen=True, slots=True)
class Run:
    """The report of one delivery; `rules` counts raw rows per rule that drops them or zeroes their billed cost.

    `assumed` counts raw rows for which the mapping assumed what the bill does not say.
    """

    id: str
    source: str
    provider: str
    shape: str
    period: str
    basis: str
    outcome: str
    digest: str
    files: tuple[Mapping[str, object], ...]
    started: str
    raw_rows: int = 0
    mapped_rows: int = 0
    balances: tuple[Balance, ...] = ()
    rules: Mapping[str, int] = field(default_factory=dict)
    rounded_rows: int = 0
    version: int | None = None
    missing: str = ""
    holds: tuple[str, ...] = ()
    assumed: Mapping[str, int] = field(default_factory=dict)
    conformance: gate.Conformance = field(default_factory=gate.Conformance)

    def as_json(self) -> dict[str, object]:
        """Decimals as plain strings."""
        body = {**asdict(self), "conformance": self.conformance.as_json()}
        body["balances"] = [{key: _plain(value) for key, value in line.items()} for line in map(dict, body["balances"])]
        return body


def ingest(
    assembled: Assembled,
    *,
    connection: DuckDBPyConnection,
    book: Book,
    workspace: Path,
    now: datetime,
    run_id: str,
    progress: Progress,
    tuning: Tuning = Tuning(),
) -> Run:
    """Map, check and commit one delivery, all or nothing. Rejected leaves the ledger's last version in place."""
    run = _opening(assembled, now, run_id)
    if assembled.missing:
        return run
    if book.digest_of(assembled.source.name, assembled.period) == assembled.digest[:16]:
        return replace(run, outcome="unchanged")
    parts, run = map_delivery(assembled, run, connection, workspace, progress, tuning)
    run = _passed(assembled, run, parts, connection, progress, tuning.gate)
    progress("commit", {"source": assembled.source.name, "period": str(assembled.period), "rows": run.mapped_rows})
    version = book.replace(assembled.source, assembled.period, assembled.digest, parts, run_id)
    return replace(run, outcome="committed", version=version)


def _passed(
    assembled: Assembled,
    run: Run,
    parts: Sequence[Part],
    connection: DuckDBPyConnection,
    progress: Progress,
    policy: str,
) -> Run:
    """The run with what the gate found; Rejected when rules are broken by the mapping's fault and that blocks."""
    if policy == "off" or not parts:
        return run
    shape, source = assembled.found[0].staged.shape, assembled.source.name
    connection.execute(_raw(assembled, shape, [file for unit in _units(assembled) for file in unit]))
    relation = gate.located([part.path for part in parts], source)
    with reading(source), gate.less_memory(connection):
        found, faults = gate.judge(connection, shape, relation, f"{source} {assembled.period}", policy, progress)
    if faults:
        raise Rejected(faults)
    return replace(run, conformance=found)


def map_delivery(
    assembled: Assembled,
    run: Run,
    connection: DuckDBPyConnection,
    workspace: Path,
    progress: Progress,
    tuning: Tuning,
) -> tuple[list[Part], Run]:
    """FOCUS rows as Parquet parts with a balanced report; Rejected when money would not be conserved."""
    shape = assembled.found[0].staged.shape
    tally, units = Tally(), _units(assembled)
    for statement in _opening_statements(assembled, shape, [file for unit in units for file in unit]):
        connection.execute(statement)
    _refuse_overlap(assembled, shape, connection)
    for index, unit in enumerate(units):
        progress("map", {"files": [file.label for file in unit], "unit": index + 1, "units": len(units)})
        _map_unit(assembled, shape, unit, connection, workspace / f"unit-{index:05d}", tally, tuning)
    _refuse_unpaired(assembled, tally)
    _refuse_missing_costs(assembled, tally)
    return tally.parts, _balanced(run, tally)


def _refuse_overlap(assembled: Assembled, shape: Shape, connection: DuckDBPyConnection) -> None:
    """Two executions of one export, or copies of one file under other names, would be added up."""
    if len(assembled.found) > 1:
        every = max(sum(entry.rows for entry in assembled.found) // OVERLAP_SAMPLE, 1)
        rows = connection.execute(checks.overlap_sql(shape, every)).fetchall()
        if rows:
            raise Rejected([checks.overlap_fault(one, other) for one, other, _, _ in rows])


def _refuse_missing_costs(assembled: Assembled, tally: Tally) -> None:
    if tally.without_cost:
        raise reject(
            f"{tally.without_cost} rows have no effective cost: the columns that carry a commitment's share are blank",
            "Nothing is taken as 0 here; export the bill with its reservation and savings plan columns.",
            "missing-cost",
            file=", ".join(sorted({entry.staged.file.label for entry in assembled.found})),
            column="EffectiveCost",
        )


def _units(assembled: Assembled) -> list[list[StagedFile]]:
    """One input file at a time keeps memory flat; a pair is one unit, because its rows are merged."""
    files = list(
        {(entry.staged.file.path, entry.staged.file.role): entry.staged.file for entry in assembled.found}.values()
    )
    return [files] if assembled.found[0].staged.shape.roles else [[file] for file in files]


def _map_unit(
    assembled: Assembled,
    shape: Shape,
    unit: Sequence[StagedFile],
    connection: DuckDBPyConnection,
    folder: Path,
    tally: Tally,
    tuning: Tuning,
) -> None:
    with reading(" and ".join(file.label for file in unit)):
        connection.execute(_raw(assembled, shape, unit))
        connection.execute(rows_view(shape))
        measure_raw(shape, connection, tally)
        _copy(connection, shape, folder, tuning)
        measure_parts(connection, folder, tally)


def _opening_statements(assembled: Assembled, shape: Shape, files: Sequence[StagedFile]) -> list[str]:
    period = assembled.period
    values = {
        "period_start": f"{period.start:%Y-%m-%d} 00:00:00+00",
        "period_end": f"{period.end:%Y-%m-%d} 00:00:00+00",
        "source_name": assembled.source.name,
        "basis": assembled.basis,
    }
    return [*tables(shape), *variables(values), _raw(assembled, shape, files), *facts(shape)]


def _raw(assembled: Assembled, shape: Shape, files: Sequence[StagedFile]) -> str:
    accounts = sorted({entry.account for entry in assembled.found})
    return raw_view(shape, files, str(assembled.period), accounts, assembled.source.provider)


def _copy(connection: DuckDBPyConnection, shape: Shape, folder: Path, tuning: Tuning) -> None:
    import duckdb

    folder.mkdir(parents=True, exist_ok=True)
    options = f"FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {tuning.row_group_size}"
    try:
        connection.execute(
            f"COPY ({focus_select(shape)}) TO {literal(str(folder))} ({options}, FILE_SIZE_BYTES '{tuning.file_size}', "
            "OVERWRITE_OR_IGNORE true)"
        )
    except duckdb.ConversionException:
        refuse_bad_values(connection, checks.late_checks(shape))
        raise


def _refuse_unpaired(assembled: Assembled, tally: Tally) -> None:
    """A pair bills exactly what its actual file says; anything else is a pair of different scopes or days."""
    none, codes = Decimal(0), sorted({*tally.actual, *tally.mapped})
    pairs = [(code, tally.actual.get(code, none), tally.mapped.get(code, none)) for code in codes]
    gaps = [total((actual, mapped.copy_negate())).copy_abs() for _, actual, mapped in pairs]
    if assembled.basis == "actual" or not tally.actual or max(gaps) <= rounding_slack(tally.rounded):
        return
    labels = " and ".join(entry.staged.file.label for entry in assembled.found)
    sums = ", ".join(f"{code} {actual:f} in the actual file against {mapped:f}" for code, actual, mapped in pairs)
    raise reject(
        f"the actual and the amortized file do not pair: {sums} by the pair",
        "Export both metrics for the same scope, month and day; or commit the actual file alone with --basis actual.",
        "unpaired",
        file=labels,
    )


def _balanced(run: Run, tally: Tally) -> Run:
    lines = balances(tally.raw, tally.rules, tally.mapped, tally.effective, tally.rounded)
    return replace(
        run,
        raw_rows=tally.raw_rows,
        mapped_rows=sum(part.rows for part in tally.parts),
        balances=tuple(lines),
        rules=tally.counts,
        rounded_rows=tally.rounded,
        assumed=tally.assumed,
    )


def _opening(assembled: Assembled, now: datetime, run_id: str) -> Run:
    files = tuple(
        {
            "file": entry.staged.file.label,
            "role": entry.staged.file.role,
            "sha256": entry.staged.digest,
            "rows": entry.rows,
        }
        for entry in assembled.found
    )
    return Run(
        id=run_id,
        source=assembled.source.name,
        provider=assembled.source.provider,
        shape=assembled.shape_name,
        period=str(assembled.period),
        basis=assembled.basis,
        outcome="waiting" if assembled.missing else "open",
        digest=assembled.digest,
        files=files,
        started=instant(now),
        missing=assembled.missing,
        holds=tuple(sorted(assembled.holding.keys)),
    )


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        return f"{value:f}"
    return {key: _plain(item) for key, item in value.items()} if isinstance(value, dict) else value
