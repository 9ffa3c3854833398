"""The report of one delivery: what was read, what became of its money, what was found. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from decimal import Decimal

from ingest import gate
from ingest.deliveries import Assembled
from ingest.identities import Identity, faults, judged, rows_read
from ingest.measures import laws
from ingest.shapes import Shape
from ingest.tally import Tally, instant, told
from ledger.faults import Rejected
from ledger.reconcile import Balance, balances

SHOWN = 4  # files that a fault of the whole delivery names


@dataclass(frozen=True, slots=True)
class Run:
    """The report of one delivery; `rules` counts raw rows per rule that drops them or zeroes their billed cost.

    `assumed` counts raw rows for which the mapping assumed what the bill does not say; `commitments` counts those
    that it names; `facts` are true or false of the whole bill. `holds` are its billing accounts and scopes, `members`
    the accounts within a billing account that names them; `less` is what it lacks of what it takes the place of.
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
    members: tuple[str, ...] = ()
    less: tuple[str, ...] = ()
    days: tuple[str, ...] = ()
    assumed: Mapping[str, int] = field(default_factory=dict)
    conformance: gate.Conformance = field(default_factory=gate.Conformance)
    manifest: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)
    identities: tuple[Identity, ...] = ()
    commitments: int = 0

    def as_json(self) -> dict[str, object]:
        """Decimals as plain strings."""
        body = {**asdict(self), "conformance": self.conformance.as_json()}
        body["identities"] = [one.as_json() for one in self.identities]
        body["balances"] = [{key: _plain(value) for key, value in line.items()} for line in map(dict, body["balances"])]
        return body


def opening(assembled: Assembled, now: datetime, run_id: str) -> Run:
    """The report before anything is mapped."""
    files = tuple(
        {
            "file": entry.staged.file.label,
            "role": entry.staged.file.role,
            "sha256": entry.staged.digest,
            "rows": entry.rows,
            **({} if entry.promised is None else {"manifest_rows": entry.promised}),
        }
        for entry in assembled.found
    )
    sheets = ({"file": one.file.label, "role": "prices", "sha256": one.digest} for one in assembled.prices)
    others = ({"file": one.file.label, "role": one.shape.name, "sha256": one.digest} for one in assembled.companions)
    return Run(
        id=run_id,
        source=assembled.source.name,
        provider=assembled.source.provider,
        shape=assembled.shape_name,
        period=str(assembled.period),
        basis=assembled.basis,
        outcome="waiting" if assembled.missing else "open",
        digest=assembled.digest,
        files=(*files, *sheets, *others),
        started=instant(now),
        missing=assembled.missing,
        holds=tuple(sorted(assembled.holding.keys)),
        members=tuple(sorted(".".join(member) for member in assembled.members)),
        manifest=assembled.manifest,
        facts=assembled.facts,
    )


def balanced(run: Run, tally: Tally) -> Run:
    """The report with what was measured; Rejected when money would not be conserved."""
    lines = balances(tally.raw, tally.rules, tally.mapped, tally.effective, tally.rounded)
    return replace(
        run,
        raw_rows=tally.raw_rows,
        mapped_rows=sum(part.rows for part in tally.parts),
        days=(min(part.first for part in tally.parts), max(part.last for part in tally.parts)) if tally.parts else (),
        balances=tuple(lines),
        rules=tally.counts,
        rounded_rows=tally.rounded,
        assumed=told(tally),
    )


def identified(run: Run, shape: Shape, tally: Tally) -> Run:
    """The report with the identities of this shape; Rejected when the ledger would not hold what an invoice says."""
    stated = laws(shape)
    found = judged(stated, tally.measures)
    if broken := faults(stated, found, _labels(run)):
        raise Rejected(broken)
    return replace(run, identities=(*_rows_read(run), *found, *tally.hours))


def _rows_read(run: Run) -> list[Identity]:
    """Of the files whose rows a manifest counts; a file with another number is refused before it is mapped."""
    counted = [file for file in run.files if "manifest_rows" in file]
    promised = {str(file["file"]): int(str(file["manifest_rows"])) for file in counted}
    read = sum(int(str(file["rows"])) for file in counted)
    return [rows_read(read, sum(promised.values()), len(promised))] if promised else []


def _labels(run: Run) -> str:
    """What the delivery is made of, in a few words."""
    labels = list(dict.fromkeys(str(file["file"]) for file in run.files))
    more = len(labels) - SHOWN
    return " and ".join([*labels[:SHOWN], *([f"{more} more"] if more > 0 else [])])


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        return f"{value:f}"
    return {key: _plain(item) for key, item in value.items()} if isinstance(value, dict) else value
