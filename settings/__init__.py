"""Typed settings from ledger.toml and the environment; every fault is reported at once."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from governance.caller import TrustedCaller
from governance.model import Budget
from governance.notices import Channel
from governance.places import MachineAccount, is_scope
from governance.rules import DEFAULT_SAFEGUARDS, Policy, Safeguards
from ingest.plan import Source
from ledger.classify import DEFAULT_TAG_KEYS, DEFAULT_VALUES, Classification
from ledger.faults import Fault, Rejected
from settings.entry import Entry, settings_fault
from settings.guard import fed, guarded, misnamed, one_id_twice, read_policy, read_safeguards, unfed
from settings.machines import named_twice, read_account
from settings.notices import misnamed_in_channels, read_channel
from settings.sources import PROVIDERS, claimed_twice, read_source
from settings.values import above_zero, address, memory, named, one_of, share, switch, text, texts, whole, word
from settings.webhook import from_environment, read_caller

GATES = ("block", "report", "off")
DEFAULT_STORE = ".ledger"
DRILL_MINUTES, MOST_DRILL_MINUTES = 20, 720
STALE_HOURS, MOST_STALE_HOURS = 36, 24 * 28
MOST_THREADS, MOST_ROWS = 1024, 10_000_000
ON = ("1", "true", "yes", "on")


@dataclass(frozen=True, slots=True)
class Settings:
    """What ledger.toml and the environment say; `live` alone stops nothing, a budget must be live too."""

    store_url: str = DEFAULT_STORE
    sources: tuple[Source, ...] = ()
    budgets: tuple[Budget, ...] = ()
    classification: Classification = field(default_factory=Classification)
    live: bool = False
    memory_limit: str = ""
    threads: int = 0
    row_group_size: int = 20_480
    gate: str = GATES[0]
    entities: Mapping[str, str] = field(default_factory=dict)
    resellers: Mapping[str, str] = field(default_factory=dict)
    policies: tuple[Policy, ...] = ()
    safeguards: Safeguards = DEFAULT_SAFEGUARDS
    price_sheet: str = ""
    retail_prices: bool = False
    approval_url: str = ""
    machines: tuple[MachineAccount, ...] = ()
    caller: TrustedCaller | None = None
    channels: tuple[Channel, ...] = ()
    drill_minutes: int = DRILL_MINUTES
    stale_hours: int = STALE_HOURS

    def source(self, name: str) -> Source:
        """The configured source of this name; Rejected when there is none."""
        found = next((source for source in self.sources if source.name == name), None)
        if found is None:
            raise Rejected(
                [settings_fault(f"there is no source {name}", "sources", "Add [sources.NAME] with its provider.")]
            )
        return found


def load(path: Path | None, env: Mapping[str, str]) -> Settings:
    """Settings of the file (none: defaults), then LEDGER_STORE and LEDGER_LIVE. Rejected carries all faults."""
    document, label = _read(path, env)
    faults: list[Fault] = []
    found = _parse(Entry("", from_environment(document, env), faults), faults)
    if faults:
        raise Rejected([replace(fault, file=label) for fault in faults])
    return _overridden(found, env)


def _read(path: Path | None, env: Mapping[str, str]) -> tuple[dict[str, Any], str]:
    given = path or (Path(env["LEDGER_CONFIG"]) if env.get("LEDGER_CONFIG") else None)
    chosen = given or Path("ledger.toml")
    if not chosen.is_file():
        if given:
            raise Rejected([Fault("there is no such settings file", "Check the path.", "settings", str(chosen))])
        return {}, "(defaults)"
    try:
        return tomllib.loads(chosen.read_text(encoding="utf-8")), str(chosen)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Rejected([Fault(f"not TOML: {error}", "Correct the line named.", "settings", str(chosen))]) from error


def _overridden(found: Settings, env: Mapping[str, str]) -> Settings:
    return replace(
        found,
        store_url=env.get("LEDGER_STORE") or found.store_url,
        live=env["LEDGER_LIVE"].lower() in ON if env.get("LEDGER_LIVE") else found.live,
    )


def _parse(root: Entry, faults: list[Fault]) -> Settings:
    store, live, *waits = _head(root.table("ledger"))
    engine = _engine(root.table("engine"))
    sources = root.table("sources").each(read_source)
    faults += claimed_twice(sources)
    budgets = root.table("budgets").each(_budget)
    policies = root.table("policies").each(read_policy)
    safeguards = read_safeguards(root.table("safeguards"), root.table("ceilings"), root.table("undo"))
    rules = _classification(root.table("classification"))
    faults += [*misnamed(budgets, policies, rules), *one_id_twice(budgets), *unfed(budgets, sources)]
    entities = root.table("entities").words(word)
    resellers = root.table("resellers").words(one_of(PROVIDERS))
    gate = _gate(root.table("conformance"))
    prices = _prices(root.table("prices"))
    approval_url = _approval(root.table("approval"))
    machines = root.table("machines").each(read_account)
    faults += named_twice(machines)
    caller = read_caller(root.table("webhook"))
    channels = root.table("notices").each(read_channel)
    faults += misnamed_in_channels(channels, budgets)
    root.close()
    budgets = guarded(fed(budgets, sources), policies, safeguards, timedelta(hours=waits[1]))
    return Settings(
        store,
        sources,
        budgets,
        rules,
        live,
        *engine,
        gate,
        entities,
        resellers,
        policies,
        safeguards,
        *prices,
        approval_url,
        machines,
        caller,
        channels,
        *waits,
    )


def _gate(entry: Entry) -> str:
    found = entry.take("gate", one_of(GATES), GATES[0])
    entry.close()
    return found


def _prices(entry: Entry) -> tuple[str, bool]:
    found = entry.take("sheet", word, ""), entry.take("retail", switch, False)
    entry.close()
    return found


def _approval(entry: Entry) -> str:
    found = entry.take("url", address, "")
    entry.close()
    return found


def _head(entry: Entry) -> tuple[str, bool, int, int]:
    found = entry.take("store", word, DEFAULT_STORE), entry.take("live", switch, False)
    minutes = entry.take("drill_minutes", whole(0, MOST_DRILL_MINUTES), DRILL_MINUTES)
    hours = entry.take("stale_hours", whole(0, MOST_STALE_HOURS), STALE_HOURS)
    entry.close()
    return *found, minutes, hours


def _engine(entry: Entry) -> tuple[str, int, int]:
    limit = entry.take("memory_limit", memory, "")
    threads = entry.take("threads", whole(0, MOST_THREADS), 0)
    rows = entry.take("row_group_size", whole(1, MOST_ROWS), 20_480)
    entry.close()
    return limit, threads, rows


def _budget(name: str, entry: Entry) -> Budget:
    found = Budget(
        name=name,
        id=entry.need("id", word, "-").rstrip("/").lower(),
        scope=entry.need("scope", word, "-").rstrip("/").lower(),
        currency=entry.need("currency", word, "-"),
        amount=entry.need("amount", above_zero, Decimal(1)),
        opt_in_key=entry.take("tag_key", text, "ledger-stop"),
        opt_in_value=entry.take("tag_value", text, name),
        action_threshold=entry.take("threshold", share, Decimal("0.8")),
        live=entry.take("live", switch, False),
        also=_also(entry),
        drill=entry.take("drill", switch, False),
        feed=entry.take("feed", word, ""),
    )
    entry.close()
    return found


def _also(entry: Entry) -> tuple[str, ...]:
    found: tuple[str, ...] = entry.take("also_stops", texts, ())
    if not all(is_scope(place) for place in found):
        entry.fault("holds what is no scope", "See docs/stop-machines.md for the scopes of each cloud.", "also_stops")
    return tuple(place.lower() for place in found)


def _classification(entry: Entry) -> Classification:
    accounts: dict[str, str] = entry.take("accounts", named(text), {})
    keys = entry.take("tag_keys", texts, tuple(DEFAULT_TAG_KEYS))
    values: dict[str, tuple[str, ...]] = entry.take("values", named(texts), {})
    entry.close()
    return Classification(accounts, keys, values or dict(DEFAULT_VALUES))
