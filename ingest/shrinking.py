"""What the ledger holds of a month and a delivery of it lacks: refused of files given by hand, else told. Pure.

Whoever gives files one by one may give a range of days, one invoice or one account for the whole month, and its place
is taken all the same. A month that the provider tells again has the same days and accounts, if not all the rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from ingest.run import Run
from ledger.faults import Fault, Rejected
from ledger.summary import plain

ADVICE = "It would take the place of all of it: give the files of the whole month, or --period {} if this is all."
NAMED = 3  # accounts that a fault names


@dataclass(frozen=True, slots=True)
class Held:
    """The report of the run that wrote what the ledger holds; `by_hand` is what nobody said to be the whole month."""

    report: Mapping[str, object]
    by_hand: bool = False

    def listed(self, name: str) -> list[str]:
        found = self.report.get(name)
        return list(map(str, found)) if isinstance(found, list | tuple) else []

    @property
    def days(self) -> tuple[str, str] | None:
        days = self.listed("days")
        return (days[0][:10], days[1][:10]) if len(days) == 2 else None

    def rows(self, run: Run) -> int:
        """0 where it is counted otherwise: of another kind of file, or with another half."""
        told = self.report.get("raw_rows")
        same = (self.report.get("shape"), self.report.get("basis")) == (run.shape, run.basis)
        return told if same and isinstance(told, int) else 0


def compared(run: Run, held: Held) -> Run:
    """The run, with what it lacks of what is held. Rejected where that was to be given and nobody says that it was."""
    if held.by_hand and (fault := _fault(run, held)):
        raise Rejected([replace(fault, file=", ".join(sorted({str(file["file"]) for file in run.files})))])
    lost = _lost(run, held)
    told = [f"no row of {_named(lost)}, which the ledger held of this month"] if lost else []
    return replace(run, less=(*told, *([_sizes(run, held)] if held.rows(run) > run.raw_rows else [])))


def _fault(run: Run, held: Held) -> Fault | None:
    found = _less(run, held)
    if not found:
        return None
    rule, theirs, ours = found
    text = f"source {run.source} holds {theirs} of {run.period}, and this delivery has {ours}: {_sizes(run, held)}"
    return Fault(text, ADVICE.format(run.period), rule)


def _less(run: Run, held: Held) -> tuple[str, str, str] | None:
    """The rule that speaks against it, what is held and what is given instead."""
    if held.days and run.days and (run.days[0][:10] > held.days[0] or run.days[1][:10] < held.days[1]):
        theirs, ours = (" to ".join(day[:10] for day in days) for days in (held.days, run.days))
        return "days-would-be-lost", theirs, f"{ours} alone"
    if lost := _lost(run, held):
        return "scope-would-be-lost", _named(lost), "no row of it" if len(lost) == 1 else "no row of these"
    if 2 * run.raw_rows < held.rows(run):
        return "rows-would-be-lost", "more", "less than half of that"
    return None


def _named(lost: Sequence[str]) -> str:
    more = f" and {len(lost) - NAMED} more" if len(lost) > NAMED else ""
    return f"{', '.join(lost[:NAMED])}{more}"


def _sizes(run: Run, held: Held) -> str:
    ours = f"{run.raw_rows} raw rows, {_billed(run.as_json())}"
    return f"{ours}, instead of {held.report.get('raw_rows')} raw rows, {_billed(held.report)}"


def _lost(run: Run, held: Held) -> list[str]:
    """What is held of scopes of exports, and of accounts within the billing account, however each is spelt."""
    ours = {name.casefold() for name in (*run.holds, *run.members)}
    return [name for name in (*held.listed("holds"), *held.listed("members")) if name.casefold() not in ours]


def _billed(report: Mapping[str, object]) -> str:
    """The ledger's money by a run's report, per currency."""
    lines = report.get("balances")
    told = [line for line in lines if isinstance(line, Mapping)] if isinstance(lines, list | tuple) else []
    return (
        " and ".join(f"{line.get('currency')} {plain(Decimal(str(line.get('mapped'))))}" for line in told) or "nothing"
    )
