"""`python -m demo`: bills in, one summary out, a budget passed, a machine stopped and started again, a page of it all.

Exit code 1 when any figure is off.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

import terminal
import wiring
from demo.control import play_control
from demo.figures import checks, wrong
from demo.money import play_money
from demo.page import render
from demo.story import Control, Money
from demo.told import tell_latency, tell_stop, tell_undo
from emulators.scenario import Setup
from ledger.faults import Rejected, reject
from terminal import styled

ROOT = Path(__file__).resolve().parent.parent
LEDGER = ROOT / "out" / "demo-ledger"
OURS = frozenset({"cost_and_usage", "contract_commitment", "record", "runs", "waiting", ".staging"})
PAUSE = 0.04


def main(arguments: Sequence[str] | None = None) -> int:
    """Everything in order; the ledger folder is always a fresh one."""
    options = _parser().parse_args(arguments)
    try:
        _clear(options.ledger)
        return _play(options.samples, options.ledger, options.page, Console())
    except Rejected as refusal:
        terminal.show_faults(refusal.faults, as_json=False)
        return 1


def _play(samples: Path, ledger: Path, page: Path, console: Console) -> int:
    env = {**os.environ, "LEDGER_STORE": str(ledger)}
    found = wiring.settings(env, ROOT / "ledger.toml")
    _step(console, 1, "Three bills become one ledger")
    money = play_money(found, env, samples, datetime.now(UTC))
    _step(console, 2, "A budget of one dollar, on an emulated cloud with its own clock")
    pause = PAUSE if console.is_terminal else 0.0
    control = play_control(Setup(), wiring.store(found.store_url, env), console, pause=pause)
    tell_stop(control, console)
    _step(console, 3, "Undo: exactly what that run stopped, nothing else")
    tell_undo(control, console)
    _step(console, 4, "What the native chain would have made of it")
    tell_latency(control, console)
    return _finish(console, money, control, page)


def _clear(ledger: Path) -> None:
    """Empties what an earlier demo left; a folder that holds anything else is not ours to erase."""
    if ledger.exists() and not {entry.name for entry in ledger.iterdir()} <= OURS:
        raise reject(f"{ledger} holds more than a ledger", "Name another folder with --ledger.", "demo-folder")
    shutil.rmtree(ledger, ignore_errors=True)


def _finish(console: Console, money: Money, control: Control, page: Path) -> int:
    found = checks(money, control)
    faults = wrong(found)
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(render(money, control, faults), encoding="utf-8")
    _step(console, 5, f"{len(found)} figures checked, {len(faults)} off")
    for fault in faults:
        console.print(styled("  ", ("off", "bold red"), f"  {fault}"))
    console.print(styled(f"  page    {page}"), soft_wrap=True)
    console.print(styled(f"  ledger  {money.document['store']}"), soft_wrap=True)
    return 1 if faults else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m demo", description=__doc__.partition("\n")[0])
    parser.add_argument("--samples", type=Path, default=_near(ROOT / "samples"), help="folder of the bills")
    parser.add_argument("--ledger", type=Path, default=_near(LEDGER), help="folder of the ledger, emptied first")
    parser.add_argument("--page", type=Path, default=_near(ROOT / "demo.html"), help="where to write the page")
    return parser


def _near(path: Path) -> Path:
    """Seen from here if it is below: the page names the ledger, and is none the better for a path of this machine."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def _step(console: Console, number: int, title: str) -> None:
    console.print(styled((f"\n{number}  {title}", "bold blue")))


if __name__ == "__main__":
    sys.exit(main())
