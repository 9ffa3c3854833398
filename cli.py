"""The flows from a terminal: console script `ledger`.

Exit codes: 0 done, 1 not conformant, 2 input refused, 3 try again later, 141 when whoever reads the output through a
pipe left before its end, as `head` does.
"""

from __future__ import annotations

import argparse
import logging
import os
import re
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import terminal
import wiring
from commands import alert, drill, notices, orders, plan, status, undo
from ledger.faults import Conflict, Missing, Rejected, Transient

NOT_CONFORMANT, REFUSED, LATER, UNREAD = 1, 2, 3, 141


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse, call one flow, print, and turn its errors into an exit code."""
    try:
        try:
            return _answer(parser().parse_args(arguments))
        finally:
            # What is still buffered would fail only after the last line of this program, as a traceback.
            sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return UNREAD


def _answer(options: argparse.Namespace) -> int:
    try:
        command: Callable[[argparse.Namespace], int] = options.run
        return command(options)
    except Rejected as refusal:
        terminal.show_faults(refusal.faults, as_json=options.json)
        return REFUSED
    except Missing as fault:
        terminal.show_problem(f"not there: {fault}", as_json=options.json)
        return REFUSED
    except (Transient, Conflict) as fault:
        terminal.show_problem(f"try again later: {fault}", as_json=options.json)
        return LATER


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="ledger", description="FOCUS 1.3 ledger of three clouds, and its cost guard.")
    commands = top.add_subparsers(required=True, metavar="COMMAND")
    _ingest_options(_command(commands, "ingest", run_ingest, "turn bills into FOCUS 1.3 rows and commit them"))
    _summary_options(_command(commands, "summary", run_summary, "totals by provider, environment, service and month"))
    _export_options(_command(commands, "export", run_export, "write the ledger as FOCUS data with its metadata"))
    _reconcile_options(
        _command(commands, "reconcile", run_reconcile, "hold the ledger against totals the provider tells another way")
    )
    _validate_options(
        _command(commands, "validate", run_validate, "hold FOCUS files, or the ledger, against the rules")
    )
    azure = commands.add_parser("azure", help="what Azure has to be set up with").add_subparsers(
        required=True, metavar="WHAT"
    )
    text = "show a scope's exports and create what is missing"
    _exports_options(_command(azure, "exports", run_azure_exports, text, on_ledger=False))
    for part in (plan, undo, orders, drill, status, notices, alert):
        part.add(commands, _command)
    return top


def run_ingest(options: argparse.Namespace) -> int:
    from ingest.intake import Request

    found = wiring.settings(_env(options), options.config)
    places = wiring.located(options.path, options.scope)
    # Each sign-in that is not there would print a page; the fault names what failed.
    logging.getLogger("azure").setLevel(logging.ERROR)
    request = Request(
        options.provider,
        options.source,
        options.period,
        options.basis,
        found.sources,
        entities=found.entities,
        resellers=found.resellers,
    )
    with terminal.progress(quiet=options.json) as progress:
        intake = wiring.take_in(places, request, found, os.environ, _now(), progress)
    terminal.show_intake(intake, as_json=options.json)
    return REFUSED if intake.faults else LATER if intake.later else 0


def run_summary(options: argparse.Namespace) -> int:
    found = wiring.settings(_env(options), options.config)
    if options.contracts or options.until:
        until = options.until or _now().date()
        terminal.show_contracts(wiring.contracts(found, os.environ, until), as_json=options.json)
    else:
        terminal.show_summary(wiring.summary(found, os.environ), as_json=options.json)
    return 0


def run_export(options: argparse.Namespace) -> int:
    from ledger.export import Request

    found = wiring.settings(_env(options), options.config)
    request = Request(
        version=options.focus,
        dataset=options.dataset,
        format=options.format,
        periods=tuple(options.period),
        sources=tuple(options.source),
        as_of=options.as_of,
        custom=not options.no_custom,
        settled_after=timedelta(days=options.settled_after),
    )
    with terminal.progress(quiet=options.json) as progress:
        listed = wiring.export(options.out, request, found, os.environ, _now(), progress)
    terminal.show_export(options.out, listed, as_json=options.json)
    return 0


def run_reconcile(options: argparse.Namespace) -> int:
    question = wiring.Question(
        options.provider, options.source, tuple(options.period), options.tolerance, options.scope
    )
    with terminal.progress(quiet=options.json) as progress:
        found = wiring.settings(_env(options), options.config)
        months, left_out = wiring.reconcile(question, found, _env(options), _now(), progress)
    terminal.show_reconciled(months, left_out, as_json=options.json)
    if any(month.comparison.settled for month in months):
        return NOT_CONFORMANT
    return LATER if any(one.unknown for one in left_out) else 0


def run_azure_exports(options: argparse.Namespace) -> int:
    from ingest.azure_export_text import document, lines

    wish = wiring.ExportWish(
        options.scope,
        options.storage,
        options.container,
        options.folder,
        tuple(options.type),
        options.last_month,
        options.apply,
    )
    with terminal.progress(quiet=options.json) as progress:
        plan, done = wiring.exports(wish, os.environ, _now(), progress)
    terminal.show_lines(lines(plan, done), document(plan, done), as_json=options.json)
    if done is None:
        return NOT_CONFORMANT if plan.missing or not plan.offered else 0
    faults = [one for one in done if one.fault]
    return 0 if not faults else LATER if all(one.later for one in faults) else REFUSED


def run_validate(options: argparse.Namespace) -> int:
    from ingest.validation import Wish, conformant

    wish = Wish(options.focus, options.dataset, options.applicability, options.max_examples)
    options.json = options.json or options.format == "json"
    form = "json" if options.json else options.format
    with terminal.progress(quiet=form != "text") as progress:
        env = _env(options)
        reports = wiring.validate(options.path, wish, wiring.settings(env, options.config), env, progress)
    terminal.show_reports(reports, form, " ".join(options.path) or "the ledger")
    return 0 if conformant(reports) else NOT_CONFORMANT


def _ingest_options(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "path",
        nargs="+",
        help="files, folders, az://, https:// or s3:// with a prefix, cost-explorer:, azure, snowflake",
    )
    command.add_argument("--provider", choices=("aws", "azure", "snowflake"), default="", help="refuse other bills")
    command.add_argument("--scope", default="", metavar="ID", help="of azure: whose costs to ask for")
    command.add_argument("--source", default="", metavar="NAME", help="ledger partition to replace")
    command.add_argument("--period", type=_period, metavar="YYYY-MM", help="refuse rows of another billing month")
    command.add_argument(
        "--basis",
        choices=("amortized", "actual"),
        default="amortized",
        help="actual: commit Azure's actual file alone; effective cost is then marked as not amortised",
    )


def _summary_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("--contracts", action="store_true", help="how far contracts and commitments are used instead")
    command.add_argument("--until", type=date.fromisoformat, metavar="DAY", help="the same by rows up to this day")


def _export_options(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "out", metavar="OUT", help="a folder or az://container/prefix: new, empty or an earlier export"
    )
    command.add_argument("--focus", choices=("1.2", "1.3"), default="1.3", help="version of FOCUS (default: 1.3)")
    datasets = ("CostAndUsage", "ContractCommitment")
    command.add_argument("--dataset", choices=datasets, default=datasets[0], help="default: CostAndUsage")
    command.add_argument("--format", choices=("parquet", "csv", "csv.gz"), default="parquet", help="default: parquet")
    command.add_argument(
        "--period", type=_period, action="append", default=[], metavar="YYYY-MM", help="a billing month; repeatable"
    )
    command.add_argument("--source", action="append", default=[], metavar="NAME", help="a source; repeatable")
    command.add_argument("--as-of", type=_count, metavar="VERSION", help="an earlier version of the ledger")
    command.add_argument("--no-custom", action="store_true", help="FOCUS columns only, without the x_ columns")
    command.add_argument(
        "--settled-after", type=_count, default=14, metavar="DAYS", help="when a closed month is final (default: 14)"
    )


def _reconcile_options(command: argparse.ArgumentParser) -> None:
    providers = ("aws", "azure", "snowflake")
    command.add_argument("--provider", choices=providers, required=True, help="whose totals to ask for")
    command.add_argument("--source", default="", metavar="NAME", help="only this source's rows, and its way to sign in")
    command.add_argument("--scope", default="", metavar="ID", help="Azure: the scope to ask (default: the source's)")
    command.add_argument(
        "--period", type=_period, action="append", default=[], metavar="YYYY-MM", help="a billing month; repeatable"
    )
    command.add_argument(
        "--tolerance",
        type=_amount,
        default=Decimal("0.01"),
        metavar="AMOUNT",
        help="per service and day (default: 0.01)",
    )


def _exports_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("--scope", required=True, metavar="ID", help="a subscription, billing account or the like")
    command.add_argument("--storage", default="", metavar="ID", help="resource id of the storage account")
    command.add_argument("--container", default="", metavar="NAME", help="a name, a resource id or an address")
    command.add_argument("--folder", default="", metavar="PATH", help="directory in the container")
    types = ("FocusCost", "ActualCost", "AmortizedCost", "PriceSheet")
    command.add_argument(
        "--type", choices=types, action="append", default=[], help="only this type; repeatable (default: all)"
    )
    command.add_argument("--last-month", action="store_true", help="run each new export once for the last month")
    command.add_argument("--apply", action="store_true", help="create what is missing; without it nothing is sent")


def _validate_options(command: argparse.ArgumentParser) -> None:
    what = command.add_mutually_exclusive_group(required=True)
    what.add_argument("path", nargs="*", default=[], help="files, folders, a Delta table or az://container/prefix")
    what.add_argument("--ledger", action="store_true", help="the ledger's own rows")
    command.add_argument("--focus", choices=("1.2", "1.3"), default="1.3", help="version of FOCUS (default: 1.3)")
    command.add_argument(
        "--dataset", choices=("CostAndUsage", "ContractCommitment"), default="", help="default: as the columns tell"
    )
    command.add_argument(
        "--applicability", default="auto", metavar="WHICH", help="all, none, auto (as the columns tell) or a list"
    )
    command.add_argument("--format", choices=("text", "json", "junit", "html"), default="text", help="default: text")
    command.add_argument(
        "--max-examples", type=_count, default=3, metavar="N", help="places shown per rule (default: 3)"
    )


def _command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    run: Callable[[argparse.Namespace], int],
    text: str,
    *,
    on_ledger: bool = True,
) -> argparse.ArgumentParser:
    command = commands.add_parser(name, help=text, description=text)
    command.add_argument("--json", action="store_true", help="print JSON")
    command.set_defaults(run=run)
    if not on_ledger:
        return command
    command.add_argument("--store", default="", metavar="URL", help="a folder or az://container/prefix")
    command.add_argument("--config", type=Path, metavar="FILE", help="settings file (default: ledger.toml here)")
    return command


def _env(options: argparse.Namespace) -> dict[str, str]:
    return {**os.environ, **({"LEDGER_STORE": options.store} if options.store else {})}


def _now() -> datetime:
    return datetime.now(UTC)


def _period(text: str) -> object:
    from ledger.delivery import Period

    return Period.parse(text)


def _count(text: str) -> int:
    """A whole number from 0; so many days, or versions, as fit a calendar."""
    if not 0 <= int(text) < 1_000_000:
        raise ValueError(text)
    return int(text)


def _amount(text: str) -> Decimal:
    if not re.fullmatch(r"\d{1,9}(\.\d{1,24})?", text):
        raise ValueError(text)
    return Decimal(text)


if __name__ == "__main__":
    sys.exit(main())
