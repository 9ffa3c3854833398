"""The product's own path from a webhook body to the read-back, played against an emulated world.

Everything between is what production runs: the flows, the record on a store, and the Azure SDK over TLS.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

import wiring
from adapters.queue import MemoryQueue
from emulators.cloud import MACHINE
from emulators.scenario import LAB, PRODUCTION, UNTAGGED, Setup, World
from governance.model import Budget, Machine
from governance.rules import Price
from governance.terminal import Played, run_alert
from governance.undo import Wish
from governance.undo_receipt import Undone
from governance.undo_terminal import run_undo
from ledger.store import ObjectStore


class Tariffs:
    """Prices of the scenario's machines."""

    def __init__(self, setup: Setup) -> None:
        named = {LAB: setup.machine, UNTAGGED: setup.untagged, PRODUCTION: setup.production}
        self._tariffs = {setup.id(MACHINE, name).lower(): tariff for name, tariff in named.items()}

    def of(self, machines: Sequence[Machine], currency: str, _now: datetime, /) -> Mapping[str, Price]:
        """By machine id; all of them are in the budget's currency."""
        known = {one.id: self._tariffs.get(one.id.lower()) for one in machines}
        return {id: Price(tariff, currency, "the scenario's tariff") for id, tariff in known.items() if tariff}


def registered(setup: Setup, *, live: bool = True) -> Budget:
    """The scenario's budget as the settings would name it."""
    watched = setup.budget()
    return Budget(
        name=watched.name,
        id=watched.id.lower(),
        scope=watched.scope.lower(),
        currency=watched.currency,
        amount=setup.amount,
        opt_in_key=setup.tag_key,
        opt_in_value=setup.budget_name,
        action_threshold=setup.threshold,
        live=live,
    )


def responder(
    world: World, store: ObjectStore, env: Mapping[str, str], *, live: bool = True
) -> Callable[[bytes], Played]:
    """Takes a webhook body and follows it to its end; whatever has to be waited for moves the emulated clock.

    `env` is Arm.environment(); the identity client of the SDK reads the process environment, so it must be set there.
    """
    cloud, queue = world.cloud, MemoryQueue(lambda: world.cloud.now)
    budgets, record, fleet = (registered(world.setup, live=live),), wiring.record(store), wiring.fleet(env)
    return lambda body: run_alert(
        body,
        budgets=budgets,
        record=record,
        queue=queue,
        fleet=fleet,
        now=cloud.now,
        live=live,
        wait=cloud.advance_to,
        prices=Tariffs(world.setup),
    )


def undoer(
    world: World, store: ObjectStore, env: Mapping[str, str], *, by: str, reason: str
) -> Callable[[str], tuple[Undone, Undone]]:
    """Takes a run and undoes it: the look first, then the starts; `env` as above."""
    cloud, queue = world.cloud, MemoryQueue(lambda: world.cloud.now)
    budgets, record, fleet = (registered(world.setup),), wiring.record(store), wiring.fleet(env)

    def undo(run: str, wish: Wish) -> Undone:
        return run_undo(
            run,
            wish,
            budgets=budgets,
            record=record,
            queue=queue,
            fleet=fleet,
            now=cloud.now,
            live=True,
            wait=cloud.advance_to,
        )

    return lambda run: (undo(run, Wish(by)), undo(run, Wish(by, reason, dry_run=False)))
