"""The money story: fetch -> stage -> map -> check -> reconcile -> commit, one delivery at a time.

A delivery is mapped unit by unit: one file, or a pair whose rows are merged. Only the files of one unit have to be on
disk, so whatever is measured is measured per unit and added up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from ingest import (
    checks,
    commitments,
    companions,
    contracts,
    gate,
    kinds,
    overlap,
    prices,
    purchases,
    row_refusals,
    splits,
)
from ingest.deliveries import Assembled
from ingest.engine import reading
from ingest.holding import LATE, Span, doubled, span_of
from ingest.inspection import lines_of, refuse_bad_values
from ingest.mapping import StagedFile, focus_select, literal, rows_view, tables, variables
from ingest.run import Run, balanced, identified, opening
from ingest.shapes import Shape
from ingest.shelf import Shelf
from ingest.shrinking import Held, compared
from ingest.tally import Tally, measure_beside, measure_identities, measure_parts, measure_raw, measure_untaken, tell_of
from ledger.delivery import Part, Period, SourceRef
from ledger.faults import Rejected, reject

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# What a source's settings say of net costs that are all 0, by the facts that the mapping reads.
_NETS = {
    "used": {"net_costs": "used", "has_net_costs": "true", "has_net_columns": "true"},
    "ignored": {"net_costs": "ignored", "has_net_costs": "false", "has_net_columns": "false"},
}
# One connection maps the deliveries of many sources: what one asks for must not be left for the next.
_UNASKED = {"split": "false", "allocation": "", "contract_billing": "", "marketplace": "", "prepaid_sellers": ""}
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
class Job:
    """One delivery at work, with the connection whose views `raw` and `rows` show one unit of it at a time."""

    assembled: Assembled
    connection: DuckDBPyConnection
    workspace: Path
    progress: Progress
    tuning: Tuning
    shelf: Shelf
    commitments: dict[str, commitments.Found] = field(default_factory=dict)
    contracts: Mapping[str, Sequence[contracts.Item]] = field(default_factory=dict)  # by the month that holds them

    @property
    def shape(self) -> Shape:
        """With its rows split, where the source's settings ask for it."""
        return splits.asked(self.assembled.found[0].staged.shape, dict(self.assembled.options))

    @property
    def label(self) -> str:
        return f"{self.assembled.source.name} {self.assembled.period}"

    def units(self) -> list[list[StagedFile]]:
        """One input file at a time keeps memory flat; a pair is one unit, because its rows are merged."""
        every = (entry.staged.file for entry in self.assembled.found)
        files = list({(file.path, file.role): file for file in every}.values())
        return [files] if self.shape.roles else [[file] for file in files]

    @contextmanager
    def shown(self, unit: Sequence[StagedFile]) -> Iterator[None]:
        """The unit's files are at hand and behind the views."""
        sheets = self.assembled.prices
        needed = [*unit, *(sheet.file for sheet in sheets)]
        with self.shelf.at_hand([file.path for file in needed]), reading(" and ".join(file.label for file in needed)):
            self.connection.execute(lines_of(self.connection, self.assembled, self.shape, unit))
            self.connection.execute(variables({"is_first_unit": str(unit == self.units()[0]).lower()})[0])
            if sheets:
                prices.match(self.connection, self.shape, sheets)
            self.connection.execute(rows_view(self.shape, priced=bool(sheets)))
            yield

    def each_unit(self) -> Iterator[None]:
        """The units behind the views, one after the other."""
        for unit in self.units():
            with self.shown(unit):
                yield


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
    shelf: Shelf | None = None,
    terms: commitments.Table | None = None,
    held: Held | None = None,
    spans: Callable[[], Sequence[Span]] = tuple,
) -> Run:
    """Map, check and commit one delivery, all or nothing. Rejected leaves the ledger's last version in place.

    `terms` is the table of commitments; `held` is what the ledger holds of the month; `spans` are those of the
    source's other months.
    """
    run = opening(assembled, now, run_id)
    if assembled.missing:
        return run
    if _is_held(assembled, book, terms):
        return replace(run, outcome="unchanged")
    known = contracts.known_items(connection, assembled.found[0].staged.shape, terms, assembled.source.name)
    job = Job(assembled, connection, workspace, progress, tuning, shelf or Shelf(), contracts=known)
    parts, run = map_delivery(job, run)
    run = compared(run, held) if held else run
    _refuse_late_twice(run, spans)
    named = commitments.resolved(job.commitments)
    listed = commitments.write(job.shape, connection, named, workspace)
    run = _passed(job, replace(run, commitments=sum(part.rows for part in listed)), parts, listed)
    progress("commit", {"source": assembled.source.name, "period": str(assembled.period), "rows": run.mapped_rows})
    commitments.commit(terms, assembled.source, assembled.period, assembled.digest, listed, run_id)
    version = book.replace(assembled.source, assembled.period, assembled.digest, parts, run_id)
    return replace(run, outcome="committed", version=version)


def _refuse_late_twice(run: Run, spans: Callable[[], Sequence[Span]]) -> None:
    span = span_of(run.as_json()) if run.assumed.get(LATE) else None
    if span and (fault := doubled(span, spans())):
        raise Rejected([replace(fault, file=", ".join(sorted({str(file["file"]) for file in run.files})))])


def _is_held(assembled: Assembled, book: Book, terms: commitments.Table | None) -> bool:
    """Whether both tables hold this very delivery: a run may have stopped between them."""
    source, period, digest = assembled.source.name, assembled.period, assembled.digest
    shape = assembled.found[0].staged.shape
    return book.digest_of(source, period) == digest[:16] and commitments.settled(shape, terms, source, period, digest)


def _passed(job: Job, run: Run, parts: Sequence[Part], listed: Sequence[Part]) -> Run:
    """The run with what the gate found; Rejected when rules are broken by the mapping's fault and that blocks."""
    policy = job.tuning.gate
    if policy == "off" or not parts:
        return run
    relation = gate.located([part.path for part in parts], job.assembled.source.name)
    with reading(job.assembled.source.name), gate.less_memory(job.connection):
        case = gate.Case(job.connection, job.shape, relation, job.label, job.each_unit)
        found, faults = gate.judge(case, policy, job.progress)
        for part in listed:
            terms = gate.located([part.path], job.assembled.source.name)
            more, told = gate.judge_commitments(job.connection, terms, job.label, policy, job.progress)
            found, faults = found + more, faults + told
    if faults:
        raise Rejected(faults)
    return replace(run, conformance=found)


def map_delivery(job: Job, run: Run) -> tuple[list[Part], Run]:
    """FOCUS rows as Parquet parts with a balanced report; Rejected when money would not be conserved."""
    tally, units = Tally(), job.units()
    for statement in [*tables(job.shape), *variables(known_values(job.assembled))]:
        job.connection.execute(statement)
    _load_companions(job, tally)
    measure_beside(job.shape, job.connection, tally)
    _share(job, tally)
    _refuse_unclear_nets(job.assembled)
    _refuse_unlisted_purchases(job.assembled)
    _refuse_overlap(job)
    _refuse_rows(job)
    for index, unit in enumerate(units):
        job.progress("map", {"files": [file.label for file in unit], "unit": index + 1, "units": len(units)})
        with job.shown(unit):
            _map_unit(job, job.workspace / f"unit-{index:05d}", tally)
    _refuse_missing_costs(job.assembled, tally)
    return tally.parts, balanced(identified(run, job.shape, tally), tally)


def _load_companions(job: Job, tally: Tally) -> None:
    given = job.assembled.companions
    with job.shelf.at_hand([one.file.path for one in given]):
        companions.load(job.connection, job.shape, given, job.assembled.members)
    items = contracts.recall(job.connection, job.shape, job.contracts)
    tell_of(tally, purchases.judged(items, job.contracts, job.assembled))
    kinds.condense(job.connection, job.shape)


def _share(job: Job, tally: Tally) -> None:
    """The tables that rows are split by, and what a person should know of them."""
    if (split := job.shape.split) and job.shape.is_split:
        with reading(" and ".join(one.file.label for one in job.assembled.companions) or job.label):
            job.connection.execute(splits.shares(split))
            tell_of(tally, job.connection.execute(splits.told_sql(split)).fetchall())


def known_values(assembled: Assembled) -> dict[str, str]:
    """What the mapping reads with getvariable."""
    period = assembled.period
    return {
        "period_start": f"{period.start:%Y-%m-%d} 00:00:00+00",
        "period_end": f"{period.end:%Y-%m-%d} 00:00:00+00",
        "source_name": assembled.source.name,
        "basis": assembled.basis,
        **{**_UNASKED, **dict(assembled.options)},
        **assembled.facts,
        **_NETS.get(dict(assembled.options).get("net_costs", ""), {}),
    }


def _refuse_unclear_nets(assembled: Assembled) -> None:
    """Nets of 0 beside costs: a bill discounted to nothing, or columns that mean nothing; it does not say which."""
    known = known_values(assembled)
    if "net_costs" not in known and known.get("has_zero_nets") == "true" and known.get("has_net_costs") == "false":
        raise reject(
            "every net cost of this bill is 0, while unblended costs are not",
            'Look at the invoice: is it 0, set net_costs = "used" for the source in ledger.toml; else "ignored".',
            "unclear-net-costs",
            file=", ".join(sorted({entry.staged.file.label for entry in assembled.found})),
            column="line_item_net_unblended_cost",
        )


def _refuse_unlisted_purchases(assembled: Assembled) -> None:
    """What was bought is told by the items of the contract, which lie beside one shape of bill only."""
    shape = assembled.found[0].staged.shape
    if known_values(assembled)["contract_billing"] == "purchase" and not shape.contracts_sql:
        raise reject(
            f"{shape.label} comes without the items of its contract, so purchases cannot be billed in place of usage",
            'Ingest USAGE_IN_CURRENCY_DAILY with CONTRACT_ITEMS, or set contract_billing = "draw-down" for the source.',
            "contract-billing",
            file=", ".join(sorted({entry.staged.file.label for entry in assembled.found})),
        )


def _refuse_overlap(job: Job) -> None:
    """Two executions of one export, or copies of one file under other names, would be added up.

    The files of a manifest are one delivery by themselves, and need not all be here at once.
    """
    if not job.assembled.may_overlap:
        return
    every = max(sum(entry.rows for entry in job.assembled.found) // OVERLAP_SAMPLE, 1)
    job.connection.execute(overlap.SEEN)
    for _ in job.each_unit():
        job.connection.execute(overlap.seen_sql(job.shape, every))
    if rows := job.connection.execute(overlap.OVERLAP).fetchall():
        raise Rejected([overlap.overlap_fault(*row) for row in rows])


def _refuse_rows(job: Job) -> None:
    """Every unit is looked at before any is mapped: a day may be in two of them."""
    daily = job.shape.daily
    if not daily and not job.shape.refused_rows:
        return
    job.connection.execute(row_refusals.DAYS)
    for _ in job.each_unit():
        row_refusals.refuse_rows(job.connection, job.shape.refused_rows)
        # One file whose lines all differ has no day twice.
        if daily and (len(job.units()) > 1 or row_refusals.may_repeat(job.connection, daily)):
            row_refusals.note_days(job.connection, daily)
    if daily:
        row_refusals.refuse_days_twice(job.connection, daily)


def _refuse_missing_costs(assembled: Assembled, tally: Tally) -> None:
    if tally.without_cost:
        raise reject(
            f"{tally.without_cost} rows have no effective cost: the columns that carry a commitment's share are blank",
            "Nothing is taken as 0 here; export the bill with its reservation and savings plan columns.",
            "missing-cost",
            file=", ".join(sorted({entry.staged.file.label for entry in assembled.found})),
            column="EffectiveCost",
        )


def _map_unit(job: Job, folder: Path, tally: Tally) -> None:
    measure_raw(job.shape, job.connection, tally)
    commitments.collect(job.shape, job.connection, job.commitments)
    kinds.collect(job.connection, job.shape)
    _copy(job, folder)
    measure_parts(job.connection, folder, tally)
    measure_untaken(job.shape, job.connection, folder, tally)
    measure_identities(job.shape, job.connection, folder, tally)


def _copy(job: Job, folder: Path) -> None:
    import duckdb

    folder.mkdir(parents=True, exist_ok=True)
    options = f"FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {job.tuning.row_group_size}"
    try:
        job.connection.execute(
            f"COPY ({focus_select(job.shape)}) TO {literal(str(folder))} ({options}, "
            f"FILE_SIZE_BYTES '{job.tuning.file_size}', OVERWRITE_OR_IGNORE true)"
        )
    except duckdb.ConversionException:
        refuse_bad_values(job.connection, checks.late_checks(job.shape))
        raise
