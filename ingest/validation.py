"""Checking files and the ledger against FOCUS: open, tell the datasets apart, ask the engine, name the places."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from focus.conformance import Question, Rows, check
from focus.fields import described, quoted
from focus.file_rules import file_verdicts
from focus.metadata_verdicts import metadata_verdicts
from focus.profile import profile_sql
from focus.report import Example, Report, Verdict
from focus.schema import columns
from focus.tolerance import Source, places_of, places_sql
from focus.versions import dataset_names
from ingest.engine import reading
from ingest.focus_files import Opened, Together, open_file, together
from ingest.staging import LocalFile
from ledger.faults import reject

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

MARKS = {"ContractCommitment": "ContractCommitmentCategory", "CostAndUsage": "BilledCost"}
BY = '"x_SourceName"'
PLACED = ('"#file"', '"#row"', BY)
BEYOND = ("#file", "#row", "x_SourceName")
ROUNDED = ("BilledCost", "EffectiveCost", "ListCost", "ContractedCost", "PricingQuantity")
Tell = Callable[[str, Mapping[str, object]], None]


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person asks for; no dataset means: as the columns tell."""

    version: str = "1.3"
    dataset: str = ""
    applicability: str = "auto"
    max_examples: int = 3

    def question(self, dataset: str) -> Question:
        return Question(self.version, dataset, self.applicability, max_examples=self.max_examples)


def validate_files(
    connection: DuckDBPyConnection,
    files: Sequence[LocalFile],
    wish: Wish,
    workspace: Path,
    tell: Tell,
    metadata: Mapping[str, object] | None = None,
) -> list[Report]:
    """A report per dataset found. Rejected when a file cannot be read at all or the wish makes no sense.

    `metadata` are the documents beside the data; the cost rows' report tells of them, or that of commitments alone.
    """
    if not files:
        raise reject("there is no data here", "Give Parquet or CSV files, or a folder that holds some.", "no-data")
    connection.execute("SET preserve_insertion_order = true")
    opened = [_opened(connection, file, workspace, tell) for file in files]
    parts = {name: [one for one in opened if _dataset(one, wish) == name] for name in dataset_names(wish.version)}
    found = {name: together(mine) for name, mine in parts.items() if mine}
    commitments = found.get("ContractCommitment")
    reports = {
        name: _checked(connection, mine, _with(wish.question(name), commitments), tell) for name, mine in found.items()
    }
    told = "CostAndUsage" if "CostAndUsage" in found else next(iter(found), "")
    return [
        _with_metadata(report, metadata, found[name].rows, wish) if name == told else report
        for name, report in reports.items()
    ]


def _with_metadata(report: Report, metadata: Mapping[str, object] | None, rows: Rows, wish: Wish) -> Report:
    told = metadata_verdicts(metadata, wish.version, rows.header, wish.max_examples)
    return replace(report, verdicts=(*report.verdicts, *told))


def _opened(connection: DuckDBPyConnection, file: LocalFile, workspace: Path, tell: Tell) -> Opened:
    tell("open", {"file": file.label})
    return open_file(connection, file, workspace)


def _dataset(one: Opened, wish: Wish) -> str:
    if wish.dataset:
        return wish.dataset
    return next((name for name, mark in MARKS.items() if mark in one.names), "CostAndUsage")


def _with(question: Question, commitments: Together | None) -> Question:
    return replace(question, commitments=commitments.rows.sql) if commitments else question


def _checked(connection: DuckDBPyConnection, files: Together, question: Question, tell: Tell) -> Report:
    with reading(files.rows.label):
        report = _asked(connection, files.rows, question, tell)
    on_files = file_verdicts(files.flaws, len(files.files), question.max_examples)
    placed = [_placed(one, files) for one in report.verdicts]
    return replace(report, verdicts=(*on_files, *placed))


def _placed(verdict: Verdict, files: Together) -> Verdict:
    """With the file's name as the person knows it, and its own row."""
    examples = [(*files.place(one.file, one.row), one.values) for one in verdict.examples]
    return replace(verdict, examples=tuple(Example(*example) for example in examples))


def _asked(connection: DuckDBPyConnection, rows: Rows, question: Question, tell: Tell) -> Report:
    try:
        return check(connection, rows, question, tell)
    except ValueError as fault:
        raise reject(str(fault), "See docs/validate.md.", "applicability") from fault


def own_rows(
    connection: DuckDBPyConnection, relation: str, label: str, version: str = "1.3", also: Sequence[str] = ()
) -> Rows:
    """Ledger rows, with #file, #row and their source, as the version's output profile; `also` are passed on."""
    sql = profile_sql(relation, version, also=(*PLACED, *map(quoted, also)))
    kinds = connection.execute(f"DESCRIBE {sql}").fetchall()
    return Rows(sql, described([row for row in kinds if row[0] not in BEYOND]), label)


def commitment_rows(connection: DuckDBPyConnection, relation: str, label: str) -> Rows:
    """The ledger's ContractCommitment rows with #file and #row."""
    names = ", ".join([*(quoted(column.name) for column in columns("ContractCommitment")), *PLACED[:2]])
    sql = f"SELECT {names} FROM ({relation})"
    kinds = connection.execute(f"DESCRIBE {sql}").fetchall()
    return Rows(sql, described([row for row in kinds if row[0] not in BEYOND]), label)


def own_question(connection: DuckDBPyConnection, relation: str, question: Question) -> Question:
    """The question with the tolerance that each source's own decimals allow."""
    rows = connection.execute(places_sql(relation, ROUNDED, BY)).fetchall()
    return replace(question, tolerance=Source(places_of(ROUNDED, rows), BY))


def validate_ledger(
    connection: DuckDBPyConnection, costs: str, commitments: str, url: str, wish: Wish, tell: Tell
) -> list[Report]:
    """A report per dataset of the wanted version that the ledger holds rows of. Rejected when it holds none."""
    if wish.dataset and wish.dataset not in dataset_names(wish.version):
        raise reject(f"FOCUS {wish.version} has no such dataset", "Leave --dataset out.", "dataset", file=url)
    connection.execute("SET preserve_insertion_order = true")
    terms = commitment_rows(connection, commitments, url)
    asked = wish.question("CostAndUsage")
    reports = []
    if "ContractCommitment" in dataset_names(wish.version):
        told = _asked(connection, terms, wish.question("ContractCommitment"), tell)
        reports = [told] if told.rows and wish.dataset != "CostAndUsage" else []
        asked = replace(asked, commitments=terms.sql) if told.rows else asked
    if wish.dataset != "ContractCommitment":
        rows = own_rows(connection, costs, url, wish.version)
        reports.insert(0, _asked(connection, rows, own_question(connection, costs, asked), tell))
    if not any(report.rows for report in reports):
        raise reject("the ledger is empty", "Start with: ledger ingest PATH", "no-rows", file=url)
    return reports


def conformant(reports: Sequence[Report]) -> bool:
    """No rule with MUST is broken anywhere."""
    return all(report.conformant for report in reports)
