"""The control story: the budget scenario hour by hour, answered by the product over the emulated control plane."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

import wiring
from demo.story import Control, Late
from demo.told import FASTEST, SLOWEST
from emulators.arm import Arm
from emulators.cloud import MACHINE
from emulators.rehearsal import responder, undoer
from emulators.scenario import LAB, Hour, Outcome, Setup, build, play
from governance.terminal import Played
from ledger.store import ObjectStore
from terminal import styled

# Hours between a dollar being spent and the webhook: none as in the scenario, and what the native chain takes.
LATENCIES = (0, FASTEST, 24, SLOWEST)
DAY = 24


def play_control(setup: Setup, store: ObjectStore, console: Console, *, pause: float) -> Control:
    """The record goes to `store`; `pause` is how long each emulated hour stays to be seen, in real seconds."""
    world, played = build(setup), list[Played]()
    with Arm(world.cloud, page_size=1) as arm, _environment(arm.environment()), _clock(setup, console, pause) as tick:
        respond = responder(world, store, arm.environment())
        outcome = play(world, lambda body: played.append(respond(body)), tick)
        undo = undoer(world, store, arm.environment(), by="the demo", reason="the lab is needed again")
        undone = undo(played[-1].run) if played else ()
        calls, started = _called(arm, "deallocate"), _called(arm, "start")
    record = wiring.record(store)
    faults = [problem for stream in record.streams() for problem in record.verify(stream)]
    late = [Late(hours, _ideal(setup, hours)) for hours in LATENCIES]
    return Control(outcome, play(build(setup), lambda _: None), played, calls, faults, late, undone, started)


def _called(arm: Arm, action: str) -> list[str]:
    """The machines that were asked to do it; each changing call of the control plane ends with what it asks."""
    asked = [one.path.rsplit("/", 2)[1:] for one in arm.requests if one.method == "POST"]
    return [name for name, what in asked if what == action]


def _ideal(setup: Setup, latency: int) -> Outcome:
    """The same world, seen late, with somebody who stops the machine the moment the alert comes."""
    delayed = replace(setup, latency=timedelta(hours=latency), hours=DAY * 30)
    fired = play(build(delayed), lambda _: None).fired
    world = build(replace(delayed, hours=(fired or 0) + DAY))
    return play(world, lambda _: world.cloud.begin(setup.id(MACHINE, LAB), "deallocate"))


@contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    """The identity client reads the process environment; what was there before comes back."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextmanager
def _clock(setup: Setup, console: Console, pause: float) -> Iterator[Callable[[Hour], None]]:
    """A bar over the emulated hours on a terminal; elsewhere a line for every eighth hour and each alert."""
    columns = (TextColumn("[dim]{task.description}"), BarColumn(40), TextColumn("{task.fields[spent]}"))
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("emulated clock", total=setup.hours, spent="")

        def tick(hour: Hour) -> None:
            text = f"hour {hour.number:>2}  spent {hour.spent:.7f} of {setup.amount} USD"
            bar.update(task, completed=hour.number, spent=text)
            if hour.alerts or (not console.is_terminal and hour.number % 8 == 0):
                bell = "  threshold passed: webhook sent" if hour.alerts else ""
                console.print(styled(("   clock", "dim"), f"  {text}", (bell, "bold red")))
            time.sleep(pause)

        yield tick
