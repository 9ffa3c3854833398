"""Which runs of Azure's exports are the bill of which month: the newest ones, actual and amortized as a pair. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from ingest.azure_manifests import RULE, Run, Spot, dated_folder, month_of_folder
from ledger.delivery import Period
from ledger.faults import Rejected, Transient, reject

FOCUS, ACTUAL, AMORTIZED, USAGE, PRICES = "FocusCost", "ActualCost", "AmortizedCost", "Usage", "PriceSheet"
DETAILS = "ReservationDetails"
ROLES = {FOCUS: "", ACTUAL: "actual", AMORTIZED: "amortized", USAGE: "actual"}
WAITED = timedelta(days=2)  # exports run daily: what has not come by then is not on its way
APART = timedelta(hours=6)  # runs of one daily schedule; Azure refreshes its data every few hours
LATE = timedelta(days=3)  # a month to date is run on its last day or soon after
MOST_MONTHS = 24
MONTHLY = (
    "Let the export cover whole calendar months, each in a run of its own: BillingMonthToDate, TheLastBillingMonth."
)
CHOOSE = "Name what is meant: export = NAME, or a list of names, of the source in ledger.toml; or a longer location."


@dataclass(frozen=True, slots=True)
class Unread:
    """A manifest that does not say what it is of, or a folder of files without one; `spot` is where."""

    spot: Spot
    fault: Rejected | Transient

    @property
    def told(self) -> str:
        text = self.fault.faults[0].message if isinstance(self.fault, Rejected) else str(self.fault)
        return f"{self.spot.label} ({text})"


@dataclass(frozen=True, slots=True)
class Bill:
    """One month's delivery: the runs whose files make it up, by its first; `prices` is the price sheet beside it.

    `details` are those of its reservations.
    """

    export: str
    period: Period
    manifest: str
    runs: tuple[Run, ...] = ()
    fault: Rejected | Transient | None = None
    prices: Run | None = None
    details: Run | None = None

    @property
    def digest(self) -> str:
        """Of the manifests; empty where they do not make up a delivery."""
        told = [run.digest for run in self.runs]
        return told[0] if len(told) == 1 else hashlib.sha256("\n".join(told).encode()).hexdigest() if told else ""


@dataclass(frozen=True, slots=True)
class Chosen:
    """`ignored` are manifests and folders that are no bill, or give way to one, each with the reason."""

    bills: tuple[Bill, ...]
    ignored: tuple[str, ...]


def choose(runs: Sequence[Run], unread: Sequence[Unread], names: Sequence[str], basis: str, now: datetime) -> Chosen:
    """The bills of a place by month, of exports with these names where there are any."""
    chosen = _named(runs, names)
    sound = _newest([run for run in chosen if not misfit(run)], bool(names))
    lost = [one for one in unread if _meant(one, names) and not _superseded(one, sound)]
    bills = [_marred(bill, lost, bool(names)) for bill in _bills(sound, basis, now)]
    kept, beside = _by_month(bills, [*_misfits(chosen), *_useless(sound, basis), *_folders(lost)])
    sheets = [run for run in runs if run.type == PRICES and not run.fault]
    told = [one.told for one in unread if one not in lost or not month_of_folder(one.spot.name)]
    made = tuple(_detailed(_priced(bill, sheets), runs) for bill in kept)
    taken = [bill.details for bill in made if bill.details]
    return Chosen(made, (*_no_bills(runs, {run.export for run in taken}), *beside, *told))


def of_scope(runs: Sequence[Run], scope: str) -> list[Run]:
    """The bills of this billing scope, all of them where it is empty, and whatever is no bill."""
    wanted = scope.strip("/").lower()
    found = [run for run in runs if not wanted or run.type not in ROLES or run.scope == wanted]
    scopes = sorted({f"/{run.scope}" for run in runs if run.type in ROLES})
    if scopes and not any(run.type in ROLES for run in found):
        text = f"there is no bill of the scope {scope} here; there are: {', '.join(scopes[:10])}"
        raise reject(text, "Correct `scope` or `location` of the source.", "no-such-export")
    return found


def misfit(run: Run) -> str:
    """Why a run is not of one whole month, or of one to date; empty when it is."""
    period = _period(run)
    last = min(run.last, (period.end - timedelta(days=1)).date())
    days = f"the run is of {run.first} to {run.last}"
    if run.last > period.end.date():
        return f"{days}, which are several months"
    if run.first.day != 1:
        return f"{days}, which leaves out the month's first days"
    if last.day < _length(period) and run.submitted.date() - last > LATE:
        return f"{days}, which leaves out the month's last days, and was asked for on {run.submitted.date()}"
    return ""


def covered(run: Run) -> date:
    """The last day of which the run can tell anything."""
    return min(run.last, run.submitted.date())


def _period(run: Run) -> Period:
    return Period(run.first.year, run.first.month)


def _length(period: Period) -> int:
    return (period.end - period.start).days


def _named(runs: Sequence[Run], names: Sequence[str]) -> list[Run]:
    bills = [run for run in runs if run.type in ROLES]
    wanted = {name.casefold() for name in names}
    found = [run for run in bills if not wanted or run.export.casefold() in wanted]
    if absent := wanted - {run.export.casefold() for run in found}:
        there = ", ".join(sorted({run.export for run in bills})) or "none"
        text = f"there is no bill of an export called {', '.join(sorted(absent))} here; there are: {there}"
        raise reject(text, "Correct `export` or `location` of the source, or let the export run.", "no-such-export")
    return found


def _newest(runs: Sequence[Run], together: bool) -> list[Run]:
    """The newest run of each export, type and month; exports that were named `together` are one where they can be."""
    latest: dict[tuple[str, ...], Run] = {}
    for run in sorted(runs, key=lambda one: (covered(one), one.submitted, one.spot.written, one.spot.name)):
        name = "" if together else run.export.casefold()
        latest[run.scope, run.type, str(_period(run)), name] = run
    return list(latest.values())


def _bills(runs: Sequence[Run], basis: str, now: datetime) -> Iterator[Bill]:
    for scope, period in sorted({(run.scope, _period(run)) for run in runs}):
        here = [run for run in runs if (run.scope, _period(run)) == (scope, period)]
        of = {kind: [run for run in here if run.type == kind] for kind in ROLES}
        yield from (_bill(run) for run in of[FOCUS])
        if basis == "actual":
            yield from _alone(of[ACTUAL] or of[USAGE], of[AMORTIZED])
        elif of[ACTUAL] or of[AMORTIZED]:
            yield _pair(of[ACTUAL], of[AMORTIZED], now)


def _bill(*runs: Run, fault: Rejected | Transient | None = None) -> Bill:
    """Of these runs; with a fault of their own where they have one."""
    own = next((run.fault for run in runs if run.fault), None)
    names, labels = " + ".join(run.export for run in runs), ", ".join(run.spot.label for run in runs)
    return Bill(names, _period(runs[0]), labels, runs, fault or own)


def _alone(actual: Sequence[Run], amortized: Sequence[Run]) -> Iterator[Bill]:
    yield from (_bill(run) for run in actual)
    if not actual:
        text = "the basis is actual, but only an amortized-cost export is there"
        advice = "Export actual cost of the same scope as well, or leave out the basis and let there be both."
        yield from (replace(_bill(run), fault=_refusal(text, advice, run)) for run in amortized)


def _pair(actual: Sequence[Run], amortized: Sequence[Run], now: datetime) -> Bill:
    runs = (*actual, *amortized)
    if max(len(actual), len(amortized)) > 1:
        named = ", ".join(f"{run.export} ({run.type})" for run in runs)
        return _bill(
            *runs, fault=_refusal(f"several exports of one kind are of the same month: {named}", CHOOSE, *runs)
        )
    if len(runs) == 1:
        return replace(_bill(*runs), fault=_half(runs[0], now))
    return _bill(*runs, fault=_uneven(actual[0], amortized[0], now))


def _half(run: Run, now: datetime) -> Rejected | Transient:
    """A month needs both; the other one may be on its way."""
    other = AMORTIZED if run.type == ACTUAL else ACTUAL
    text = f"{run.spot.label} is {run.type} of {_period(run)}, but the {other} export of the same scope is missing"
    if now - run.spot.written < WAITED:
        return Transient(f"{text}: waiting for it")
    advice = (
        f"Export {other} of the same scope to the same place; or take actual cost alone: basis = "
        '"actual" of the source, --basis actual.'
    )
    return _refusal(text, advice, run)


def _uneven(actual: Run, amortized: Run, now: datetime) -> Rejected | Transient | None:
    """Two runs of different days do not add up to one bill."""
    older, newer = sorted((actual, amortized), key=lambda run: run.submitted)
    if covered(older) == covered(newer) or newer.submitted - older.submitted <= APART:
        return None
    text = (
        f"{newer.export} ({newer.type}) is of the days until {covered(newer)}, but {older.export} ({older.type}) only "
        f"until {covered(older)}"
    )
    if now - newer.spot.written < WAITED:
        return Transient(f"{older.spot.label}: {text}: waiting for its next run")
    return _refusal(text, f"Run {older.export} again, and let both exports run on the same schedule.", older)


def _refusal(text: str, advice: str, *runs: Run) -> Rejected:
    return reject(text, advice, RULE, file=", ".join(run.spot.label for run in runs))


def _misfits(runs: Sequence[Run]) -> Iterator[Bill]:
    """A bill for each month of a run that cannot be taken: what is asked of the ledger is whole months."""
    latest = {(run.export, run.type, run.first, run.last): run for run in runs if misfit(run)}
    for run in latest.values():
        period, reason = _period(run), misfit(run)
        for _ in range(MOST_MONTHS):
            if period.start.date() > run.last:
                break
            yield Bill(run.export, period, run.spot.label, fault=_refusal(reason, MONTHLY, run))
            period = period.next()


def _useless(runs: Sequence[Run], basis: str) -> Iterator[Bill]:
    """Usage exports, the old kind: actual cost by another name."""
    text = "an export of type Usage holds actual cost alone"
    advice = 'Export ActualCost and AmortizedCost (or FocusCost); or take actual cost alone: basis = "actual".'
    months = {(run.scope, _period(run)) for run in runs if run.type == ACTUAL}
    for run in runs:
        if run.type == USAGE and (basis != "actual" or (run.scope, _period(run)) in months):
            yield replace(_bill(run), runs=(), fault=_refusal(text, advice, run))


def _place(spot: Spot) -> str:
    return dated_folder(spot.name) or spot.folder


def _beside(spot: Spot, run: Run) -> bool:
    """Whether it is of the run's export and month, as far as folders tell; they may be in either order."""
    own, other = (set(one.name.casefold().split("/")) for one in (run.spot, spot))
    export = run.export.casefold()
    return _place(run.spot) == _place(spot) and (export in other or export not in own)


def _meant(one: Unread, names: Sequence[str]) -> bool:
    folders = set(one.spot.name.casefold().split("/"))
    return not names or bool(folders & {name.casefold() for name in names})


def _superseded(one: Unread, runs: Sequence[Run]) -> bool:
    """A newer manifest of the same place tells all."""
    return any(_beside(one.spot, run) and run.spot.written >= one.spot.written for run in runs)


def _marred(bill: Bill, lost: Sequence[Unread], named: bool) -> Bill:
    """What was written after the bill's own manifest cannot be read, so the bill may be another one by now.

    Exports that are named together stand for each other.
    """
    doubts = (one for one in lost if any(_beside(one.spot, run) for run in bill.runs) or (named and _later(one, bill)))
    fault = next((one.fault for one in doubts), None)
    return replace(bill, fault=fault) if fault else bill


def _later(one: Unread, bill: Bill) -> bool:
    within = month_of_folder(one.spot.name) == bill.period
    return within and all(one.spot.written > run.spot.written for run in bill.runs)


def _folders(lost: Sequence[Unread]) -> Iterator[Bill]:
    """The month is told by the folder alone, for there is nothing else to tell it."""
    for one in lost:
        if period := month_of_folder(one.spot.name):
            home = dated_folder(one.spot.name).rstrip("/").rpartition("/")[0]
            yield Bill(home.rpartition("/")[2] or one.spot.place.container, period, one.spot.label, fault=one.fault)


def _by_month(bills: Sequence[Bill], doubtful: Sequence[Bill]) -> tuple[list[Bill], list[str]]:
    """One doubtful bill stands for a month that has nothing better; the others are told of."""
    kept, beside = list(bills), []
    for bill in doubtful:
        if bill.period in {one.period for one in kept}:
            beside.append(_told(bill))
        else:
            kept.append(bill)
    return sorted(kept, key=lambda bill: (bill.export, bill.period)), list(dict.fromkeys(beside))


def _told(bill: Bill) -> str:
    text = bill.fault.faults[0].message if isinstance(bill.fault, Rejected) else str(bill.fault)
    return f"{bill.manifest} ({text})"


def _no_bills(runs: Sequence[Run], detailed: Collection[str]) -> list[str]:
    """Exports of other things, each told once by its newest run; `detailed` tell a bill's reservations."""
    others = {(run.type, run.export): run for run in runs if run.type not in (*ROLES, PRICES)}
    others = {key: run for key, run in others.items() if key not in {(DETAILS, export) for export in detailed}}
    broken = [_told(_bill(run)) for run in runs if run.type in (PRICES, DETAILS) and run.fault]
    return [
        f"{run.spot.label} (the export {run.export} is of type {run.type}, no bill)" for run in others.values()
    ] + broken


def _priced(bill: Bill, sheets: Sequence[Run]) -> Bill:
    """With the newest price sheet of the same billing scope: of the month itself, else of the last one before."""
    scopes = {run.scope for run in bill.runs}
    fitting = [
        sheet
        for sheet in sheets
        if _period(sheet) <= bill.period and any(f"{scope}/".startswith(f"{sheet.scope}/") for scope in scopes if scope)
    ]
    return replace(bill, prices=max(fitting, key=lambda one: (_period(one), one.submitted), default=None))


def _detailed(bill: Bill, runs: Sequence[Run]) -> Bill:
    """With the newest details of the reservations of the same scope and month, where the bill tells of reservations."""
    scopes = {run.scope for run in bill.runs if run.type in (ACTUAL, AMORTIZED) and run.scope}
    fitting = [
        run
        for run in runs
        if run.type == DETAILS and not run.fault and run.scope in scopes and _period(run) == bill.period
    ]
    return replace(bill, details=max(fitting, key=lambda one: (covered(one), one.submitted), default=None))
