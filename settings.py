"""Typed settings from ledger.toml and the environment; every fault is reported at once."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from governance.model import Budget
from ingest.plan import Source
from ledger.classify import DEFAULT_TAG_KEYS, DEFAULT_VALUES, Classification
from ledger.delivery import SOURCE_NAME
from ledger.faults import Fault, Rejected

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
    """Settings of the file (none: defaults), overridden by LEDGER_STORE and LEDGER_LIVE. Rejected carries all faults."""
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
    head, engine = document.get("ledger", {}), document.get("engine", {})
    return Settings(
        str(head.get("store", DEFAULT_STORE)),
        tuple(_each(document.get("sources", {}), "sources", _source, faults)),
        tuple(_each(document.get("budgets", {}), "budgets", _budget, faults)),
        _classification(document.get("classification", {})),
        head.get("live", False) is True,
        str(engine.get("memory_limit", "")),
        int(engine.get("threads", 0)),
        int(engine.get("row_group_size", 20_480)),
    )


def _each(
    table: Mapping[str, Any], kind: str, build: Callable[[str, Mapping[str, Any]], Any], faults: list[Fault]
) -> list[Any]:
    built = []
    for name, entry in table.items():
        try:
            built.append(build(name, entry))
        except (ValueError, TypeError, InvalidOperation) as error:
            faults.append(_fault(str(error), f"{kind}.{name}", "Correct the value."))
        except KeyError as error:
            faults.append(_fault(f"{error.args[0]} is missing", f"{kind}.{name}", "Add it."))
    return built


def _source(name: str, entry: Mapping[str, Any]) -> Source:
    if not SOURCE_NAME.fullmatch(name):
        raise ValueError("a source name is lower-case letters, digits and hyphens, at most 63")
    _only(entry, {"provider", "currency", "accounts", "location", "basis"})
    if entry["provider"] not in PROVIDERS:
        raise ValueError(f"provider is one of {', '.join(PROVIDERS)}, not {entry['provider']!r}")
    accounts = tuple(str(account) for account in entry.get("accounts", []))
    return Source(
        name,
        entry["provider"],
        str(entry.get("currency", "")),
        accounts,
        str(entry.get("location", "")),
        str(entry.get("basis", "amortized")),
    )


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


def _only(entry: Mapping[str, Any], known: set[str]) -> None:
    if unknown := sorted(set(entry) - known):
        raise ValueError(f"unknown key {', '.join(unknown)}; known are {', '.join(sorted(known))}")


def _classification(entry: Mapping[str, Any]) -> Classification:
    values = {name: tuple(map(str, words)) for name, words in entry.get("values", {}).items()}
    return Classification(
        {str(account): str(name) for account, name in entry.get("accounts", {}).items()},
        tuple(map(str, entry.get("tag_keys", DEFAULT_TAG_KEYS))),
        values or dict(DEFAULT_VALUES),
    )


def _fault(message: str, place: str, advice: str) -> Fault:
    return Fault(message, advice, "settings", column=place)
