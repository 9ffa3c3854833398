"""Typed settings from ledger.toml and the environment; every fault is reported at once."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from governance.model import Budget
from ingest.plan import Source
from ledger.classify import DEFAULT_TAG_KEYS, DEFAULT_VALUES, Classification
from ledger.delivery import SOURCE_NAME
from ledger.faults import Fault, Rejected

T = TypeVar("T")
BASES = ("amortized", "actual")
PROVIDERS = ("aws", "azure", "snowflake")
DEFAULT_STORE = ".ledger"
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

    def source(self, name: str) -> Source:
        """The configured source of this name; Rejected when there is none."""
        found = next((source for source in self.sources if source.name == name), None)
        if found is None:
            raise Rejected([_fault(f"there is no source {name}", "sources", "Add [sources.NAME] with its provider.")])
        return found


def load(path: Path | None, env: Mapping[str, str]) -> Settings:
    """Settings of the file (none: defaults), then LEDGER_STORE and LEDGER_LIVE. Rejected carries all faults."""
    document, label = _read(path, env)
    faults: list[Fault] = []
    found = _parse(document, faults)
    unknown = sorted(set(document) - {"ledger", "engine", "sources", "budgets", "classification"})
    faults += [_fault(f"unknown table [{name}]", name, "Check the spelling; see docs/settings.md.") for name in unknown]
    if faults:
        raise Rejected([Fault(f.message, f.advice, f.rule, label, column=f.column) for f in faults])
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
    return Settings(
        env.get("LEDGER_STORE") or found.store_url,
        found.sources,
        found.budgets,
        found.classification,
        env["LEDGER_LIVE"].lower() in ON if env.get("LEDGER_LIVE") else found.live,
        found.memory_limit,
        found.threads,
        found.row_group_size,
    )


def _parse(document: Mapping[str, Any], faults: list[Fault]) -> Settings:
    tables = {name: _table(document, name, faults) for name in ("ledger", "engine", "sources", "budgets")}
    sources = _each(tables["sources"], "sources", _source, faults)
    faults += _claimed_twice(sources)
    head = _built("ledger", lambda: _head(tables["ledger"]), faults)
    engine = _built("engine", lambda: _engine(tables["engine"]), faults)
    rules = _built("classification", lambda: _classification(_table(document, "classification", faults)), faults)
    store, live = head or (DEFAULT_STORE, False)
    budgets = _each(tables["budgets"], "budgets", _budget, faults)
    return Settings(store, tuple(sources), tuple(budgets), rules or Classification(), live, *(engine or ()))


def _table(document: Mapping[str, Any], name: str, faults: list[Fault]) -> Mapping[str, Any]:
    found = document.get(name, {})
    if isinstance(found, dict):
        return found
    faults.append(_fault(f"{name} is a table", name, f"Write it as [{name}]."))
    return {}


def _each(
    table: Mapping[str, Any], kind: str, build: Callable[[str, Mapping[str, Any]], T], faults: list[Fault]
) -> list[T]:
    entries = {name: _table(table, name, faults) for name in table}
    made = [_built(f"{kind}.{name}", partial(build, name, entry), faults) for name, entry in entries.items()]
    return [one for one in made if one is not None]


def _built(place: str, build: Callable[[], T], faults: list[Fault]) -> T | None:
    """What `build` makes, or None and a fault."""
    try:
        return build()
    except (ValueError, TypeError, InvalidOperation) as error:
        faults.append(_fault(str(error), place, "Correct the value."))
    except KeyError as error:
        faults.append(_fault(f"{error.args[0]} is missing", place, "Add it."))
    return None


def _head(entry: Mapping[str, Any]) -> tuple[str, bool]:
    _only(entry, {"store", "live"})
    return str(entry.get("store", DEFAULT_STORE)), entry.get("live", False) is True


def _engine(entry: Mapping[str, Any]) -> tuple[str, int, int]:
    _only(entry, {"memory_limit", "threads", "row_group_size"})
    threads, rows = entry.get("threads", 0), entry.get("row_group_size", 20_480)
    if type(threads) is not int or type(rows) is not int or threads < 0 or rows < 1:
        raise ValueError("threads is a whole number from 0 (all), row_group_size one from 1")
    return str(entry.get("memory_limit", "")), threads, rows


def _claimed_twice(sources: Sequence[Source]) -> list[Fault]:
    """An account belongs to one source, or its bills would go to whichever came last."""
    owners: dict[tuple[str, str], list[str]] = {}
    for source in sources:
        for account in set(source.accounts):
            owners.setdefault((source.provider, account), []).append(source.name)
    return [
        _fault(f"account {account} is claimed by {' and '.join(names)}", "sources", "Leave it with one of them.")
        for (_, account), names in owners.items()
        if len(names) > 1
    ]


def _source(name: str, entry: Mapping[str, Any]) -> Source:
    if not SOURCE_NAME.fullmatch(name):
        raise ValueError("a source name is lower-case letters, digits and hyphens, at most 63")
    _only(entry, {"provider", "currency", "accounts", "location", "basis"})
    if entry["provider"] not in PROVIDERS:
        raise ValueError(f"provider is one of {', '.join(PROVIDERS)}, not {entry['provider']!r}")
    basis = str(entry.get("basis", "amortized"))
    if basis not in BASES:
        raise ValueError(f"basis is one of {', '.join(BASES)}, not {basis!r}")
    accounts = _texts(entry.get("accounts", []), "accounts")
    currency, location = str(entry.get("currency", "")), str(entry.get("location", ""))
    return Source(name, entry["provider"], currency, accounts, location, basis)


def _budget(name: str, entry: Mapping[str, Any]) -> Budget:
    _only(entry, {"id", "scope", "currency", "amount", "tag_key", "tag_value", "threshold", "live"})
    amount, threshold = _decimal(entry["amount"], "amount"), _decimal(entry.get("threshold", "0.8"), "threshold")
    if amount <= 0 or not 0 < threshold <= 1:
        raise ValueError("amount is above 0 and threshold above 0 and at most 1")
    return Budget(
        name=name,
        id=str(entry["id"]).rstrip("/").lower(),
        scope=str(entry["scope"]).rstrip("/").lower(),
        currency=str(entry["currency"]),
        amount=amount,
        opt_in_key=str(entry.get("tag_key", "ledger-stop")),
        opt_in_value=str(entry.get("tag_value", name)),
        action_threshold=threshold,
        live=entry.get("live", False) is True,
    )


def _decimal(value: object, name: str) -> Decimal:
    if not isinstance(value, str):
        raise TypeError(f'{name} is a decimal in quotes, such as "1.00"; a bare number would lose digits')
    number = Decimal(value)
    if not number.is_finite():
        raise ValueError(f"{name} is a finite decimal")
    return number


def _texts(value: object, name: str) -> tuple[str, ...]:
    """A bare text would fall apart into letters."""
    if not isinstance(value, list):
        raise TypeError(f"{name} is a list")
    return tuple(map(str, value))


def _only(entry: Mapping[str, Any], known: set[str]) -> None:
    if unknown := sorted(set(entry) - known):
        raise ValueError(f"unknown key {', '.join(unknown)}; known are {', '.join(sorted(known))}")


def _classification(entry: Mapping[str, Any]) -> Classification:
    _only(entry, {"accounts", "tag_keys", "values"})
    accounts, words = entry.get("accounts", {}), entry.get("values", {})
    if not isinstance(accounts, dict) or not isinstance(words, dict):
        raise TypeError("accounts and values are tables")
    values = {name: _texts(found, f"values.{name}") for name, found in words.items()}
    keys = _texts(entry.get("tag_keys", list(DEFAULT_TAG_KEYS)), "tag_keys")
    return Classification(
        {account: str(name) for account, name in accounts.items()}, keys, values or dict(DEFAULT_VALUES)
    )


def _fault(message: str, place: str, advice: str) -> Fault:
    return Fault(message, advice, "settings", column=place)
