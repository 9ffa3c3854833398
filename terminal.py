"""What a person sees: progress, tables and faults on a terminal, JSON for machines."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from unicodedata import category

from ledger.burn_down import told
from ledger.faults import Fault
from ledger.summary import plain

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from focus.report import Report
    from ingest.flow import Progress
    from ingest.intake import Intake
    from ingest.run import Run
    from ledger.independent import Gap, LeftOut, Reconciled

TITLES = {
    "by_provider": "Provider",
    "by_environment": "Environment",
    "by_service_code": "Service",
    "by_period": "Billing month",
}


def show_faults(faults: Sequence[Fault], *, as_json: bool) -> None:
    for fault in faults:
        print(f"error: {shown(str(fault))}", file=sys.stderr)
    if as_json:
        _print_json({"faults": [fault.as_json() for fault in faults]})


def show_problem(text: str, *, as_json: bool) -> None:
    print(f"error: {shown(text)}", file=sys.stderr)
    if as_json:
        _print_json({"problem": text})


@contextmanager
def progress(*, quiet: bool) -> Iterator[Progress]:
    """Steps as they happen, on standard error so that standard output stays clean."""
    console = _console(stderr=True)

    def tell(event: str, fields: Mapping[str, object]) -> None:
        if not quiet:
            items = ", ".join(str(item) for item in _flat(fields))
            console.print(styled((f"{event:>8}", "dim"), f"  {items}"), soft_wrap=True)

    yield tell


def show_intake(intake: Intake, *, as_json: bool) -> None:
    if as_json:
        _print_json(
            {
                "runs": [run.as_json() for run in intake.runs],
                "ignored": list(intake.ignored),
                "faults": [fault.as_json() for fault in intake.faults],
                "later": list(intake.later),
            }
        )
        return
    console = _console()
    for run in intake.runs:
        _show_run(console, run)
    for label in intake.ignored:
        console.print(styled((f" ignored  {label}: no data", "dim")), soft_wrap=True)
    show_faults(intake.faults, as_json=False)
    for reason in intake.later:
        show_problem(f"try again later: {reason}", as_json=False)


def show_reconciled(months: Sequence[Reconciled], left_out: Sequence[LeftOut], *, as_json: bool) -> None:
    if as_json:
        _print_json({"months": [month.as_json() for month in months], "left_out": [str(one) for one in left_out]})
        return
    console = _console()
    for month in months:
        _show_comparison(console, month)
    for reason in left_out:
        console.print(styled((f"not compared: {reason}", "dim")), soft_wrap=True)


def _show_comparison(console: Console, month: Reconciled) -> None:
    found = month.comparison
    asked = f"{month.measure.asked}, {month.requests} requests{f' of {month.price}' if month.price else ''}"
    what = f"  {month.measure.column}: {found.compared} sums of services and days  ({asked})"
    console.print(styled((f"\n{month.period}", "bold"), what))
    for currency in sorted({*found.ledger, *found.other}):
        ours, theirs = found.ledger.get(currency, Decimal(0)), found.other.get(currency, Decimal(0))
        console.print(styled(f"  {currency}: ledger {plain(ours)}, {month.teller} {plain(theirs)}"))
    if found.gaps:
        console.print(_gap_table(found.gaps, month.teller))
    for line in month.outside:
        console.print(styled(f"  {line}"))
    told = f"{len(found.settled)} differ" if found.settled else "all agree"
    still = len(found.gaps) - len(found.settled)
    console.print(styled(f"  {told} within {plain(found.tolerance)}{f'; {still} may still change' if still else ''}"))


def _gap_table(gaps: Sequence[Gap], teller: str) -> object:
    table = _plain_table("Service", "Day", "Currency", "Ledger", teller, "Difference", "")
    for gap in gaps:
        sums = (plain(one) for one in (gap.ledger, gap.other, gap.difference))
        mark = "estimated" if gap.estimated else ""
        table.add_row(styled(gap.service or "(whole day)"), str(gap.day), styled(gap.currency), *sums, mark)
    return table


def show_summary(document: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        _print_json(document)
        return
    console = _console()
    if not document["currencies"]:
        console.print("The ledger is empty. Start with: ledger ingest PATH")
    for currency, block in document["currencies"].items():
        rest = f" billed, {block['effective']} effective, {block['rows']} rows"
        console.print(styled((f"\n{currency} {block['total']}", "bold"), rest))
        for name, title in TITLES.items():
            console.print(_table(title, currency, block[name]))
    counted = ", ".join(f"{count} of type {kind}" for kind, count in document["commitments"].items())
    if counted:
        console.print(styled(f"\ncommitments: {counted}"))


def show_contracts(document: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        _print_json(document)
        return
    console = _console()
    if not document["contracts"]:
        console.print("The ledger knows of no contract and no commitment.")
    for one in document["contracts"]:
        title, *lines = told(one)
        console.print(styled((f"\n{title}", "bold")), soft_wrap=True)
        for line in lines:
            console.print(styled(f"  {line}"), soft_wrap=True)
    for one in document["without_commitment"]:
        what = (
            f"{one['used']} {one['currency']} of contract {one['contract']} was paid from {one['kind'] or 'a balance'}"
        )
        console.print(styled((f"\n{what} by lines for which no item is known", "dim")), soft_wrap=True)


def show_export(out: str, listed: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        _print_json(listed)
        return
    console = _console()
    what = (
        f"  FOCUS {listed['focus_version']}, {len(listed['files'])} files, ledger version {listed['ledger']['version']}"
    )
    console.print(styled(("exported", "bold"), f"  {out}{what}"), soft_wrap=True)
    for line in listed["totals"]:
        sums = [f"{value} {name.replace('_', ' ')}" for name, value in line.items() if name not in ("currency", "rows")]
        console.print(styled(f"  {line['currency']} {', '.join(sums)}, {line['rows']} rows"))


def show_reports(reports: Sequence[Report], form: str, title: str) -> None:
    """`form` is text, json, junit or html."""
    from focus import rendering

    if form == "json":
        ok = all(report.conformant for report in reports)
        _print_json({"conformant": ok, "reports": [report.as_json() for report in reports]})
    elif form == "text":
        for line in rendering.text(reports):
            print(shown(line))
    else:
        made = rendering.junit(reports) if form == "junit" else rendering.html(reports, f"FOCUS check of {title}")
        print(made, end="")


def show_lines(lines: Iterable[str], document: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        _print_json(document)
        return
    for line in lines:
        print(shown(line))


def show_receipt(status: int, lines: Sequence[str], document: Mapping[str, Any], *, as_json: bool) -> None:
    show_lines([f"answer {status}", *lines], document, as_json=as_json)


def _show_run(console: Console, run: Run) -> None:
    console.print(styled(("\n" + run.outcome, "bold"), f"  {run.source} {run.period}  ({run.shape}, run {run.id})"))
    if run.missing:
        wait = f"  waiting for its pair: give the {run.missing} file of the same month; nothing was committed"
        console.print(styled(wait))
    if run.balances:
        console.print(_balance_table(run))
    _show_identities(console, run)
    for assumption, rows in run.assumed.items():
        console.print(styled(f"  assumed: {assumption} (raw rows: {rows})"))
    for lack in run.less:
        console.print(styled(f"  less than before: {lack}"))
    if run.rounded_rows:
        console.print(f"  {run.rounded_rows} amounts carried more than 24 decimals and were rounded half-even")
    for line in run.conformance.told():
        console.print(styled(f"  {line}"))
    if run.version is not None:
        console.print(f"  ledger version {run.version}: {run.raw_rows} raw rows, {run.mapped_rows} FOCUS rows")


def _show_identities(console: Console, run: Run) -> None:
    """What has to add up, and under it what does not."""
    if not run.identities:
        return
    table = _plain_table("", "Currency", "Left", "Right", "Difference", "Allowed", "")
    for one in run.identities:
        table.add_row(styled(one.name), styled(one.currency), *one.sides(), "ok" if one.holds else "NOT")
    console.print(table)
    for line in (line for one in run.identities for line in one.told()):
        console.print(styled(f"  {line}"))


def _balance_table(run: Run) -> object:
    table = _plain_table("", "Currency", "Amount", "Rows")
    for line in run.balances:
        currency = styled(line.currency)
        table.add_row("raw", currency, plain(line.raw), str(run.raw_rows))
        for rule, amount in line.excluded.items():
            table.add_row(styled(f"excluded: {rule}"), currency, plain(amount), str(run.rules.get(rule, "")))
        table.add_row("refused", currency, plain(sum(line.refused.values(), Decimal(0))), "0")
        table.add_row("billed in the ledger", currency, plain(line.mapped), str(run.mapped_rows))
        table.add_row("effective in the ledger", currency, plain(line.effective), "")
    return table


def _table(title: str, currency: str, lines: Sequence[Mapping[str, Any]]) -> object:
    table = _plain_table(title, currency, "%")
    for line in lines:
        table.add_row(styled(line["name"]), line["cost"], line["percent"] or "-")
    return table


def _plain_table(*headers: str) -> Any:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="dim")
    for index, header in enumerate(headers):
        table.add_column(styled(header), justify="left" if index == 0 else "right", no_wrap=index > 0)
    return table


def _flat(fields: Mapping[str, object]) -> Iterator[object]:
    for name, value in fields.items():
        yield from (value if isinstance(value, list) else [f"{name} {value}" if isinstance(value, int) else value])


def styled(*parts: str | tuple[str, str]) -> Text:
    """Texts, or pairs of text and style. A plain string would be read as markup, and a bill may hold any text."""
    from rich.text import Text

    pairs = [(part, "") if isinstance(part, str) else part for part in parts]
    return Text.assemble(*((shown(text), style) for text, style in pairs))


def shown(text: str) -> str:
    """The text with what would drive the terminal, or turn its direction, spelt out."""
    return "".join(ascii(one)[1:-1] if category(one).startswith("C") and one != "\n" else one for one in text)


def _console(*, stderr: bool = False) -> Console:
    from rich.console import Console

    class Piped(Console):
        def on_broken_pipe(self) -> None:
            """Leaves a reader that went away to the caller, as print does; the library would end the program."""
            raise BrokenPipeError

    return Piped(stderr=stderr, soft_wrap=False)


def _print_json(document: object) -> None:
    print(json.dumps(document, indent=1, ensure_ascii=False))
