"""Typed settings from ledger.toml and the environment; every fault is reported at once."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, TypeVar

from governance.model import Budget
from ingest.plan import Source
from ledger.classify import DEFAULT_TAG_KEYS, DEFAULT_VALUES, Classification
from ledger.delivery import SOURCE_NAME
from ledger.faults import Fault, Rejected

T = TypeVar("T")
BASES = ("amortized", "actual")
GATES = ("block", "report", "off")
PROVIDERS = ("aws", "azure", "snowflake")
DEFAULT_STORE = ".ledger"
MEMORY = re.compile(r"(?i)([1-9]\d*(\.\d+)?|0\.\d*[1-9]\d*) ?[MGT]i?B")
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
    found = _parse(Entry("", document, faults), faults)
    if faults:
        raise Rejected([replace(fault, file=label) for fault in faults])
    return _overridden(found, env)


class Entry:
    """One table of the file. What is wrong in it becomes a fault and reads as a stand-in: all is told at once."""

    def __init__(self, place: str, value: object, faults: list[Fault]) -> None:
        self.place, self._faults, self._taken = place, faults, set[str]()
        self._found: Mapping[str, Any] = value if isinstance(value, dict) else {}
        if not isinstance(value, dict):
            self.fault("is a table", f"Write it as [{place}].")

    def fault(self, message: str, advice: str = "Correct the value.", key: str = "") -> None:
        self._faults.append(_fault(f"{key or self.place} {message}", self.place or key, advice))

    def take(self, key: str, check: Callable[[Any], T], default: T) -> T:
        """The value as `check` reads it; the default where there is none or `check` raises ValueError."""
        self._taken.add(key)
        try:
            return check(self._found[key]) if key in self._found else default
        except ValueError as error:
            self.fault(str(error), key=key)
            return default

    def need(self, key: str, check: Callable[[Any], T], stand_in: T) -> T:
        if key not in self._found:
            self.fault("is missing", "Add it.", key)
        return self.take(key, check, stand_in)

    def table(self, key: str) -> Entry:
        self._taken.add(key)
        return Entry(f"{self.place}.{key}".lstrip("."), self._found.get(key, {}), self._faults)

    def each(self, read: Callable[[str, Entry], T]) -> tuple[T, ...]:
        """Every key of this table is the name of a table."""
        return tuple(read(name, self.table(name)) for name in self._found)

    def words(self, check: Callable[[Any], str]) -> dict[str, str]:
        """Every key of this table has a text."""
        return {name: self.take(name, check, "-") for name in self._found}

    def close(self) -> None:
        """What nobody took was misspelt."""
        for key in sorted(set(self._found) - self._taken):
            known = ", ".join(sorted(self._taken))
            self.fault("is not known here", f"Check the spelling; known are {known}.", key)


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
        found.gate,
        found.entities,
        found.resellers,
    )


def _parse(root: Entry, faults: list[Fault]) -> Settings:
    store, live = _head(root.table("ledger"))
    engine = _engine(root.table("engine"))
    sources = root.table("sources").each(_source)
    faults += _claimed_twice(sources)
    budgets = root.table("budgets").each(_budget)
    rules = _classification(root.table("classification"))
    entities = root.table("entities").words(_word)
    resellers = root.table("resellers").words(_one_of(PROVIDERS))
    gate = _gate(root.table("conformance"))
    root.close()
    return Settings(store, sources, budgets, rules, live, *engine, gate, entities, resellers)


def _gate(entry: Entry) -> str:
    found = entry.take("gate", _one_of(GATES), GATES[0])
    entry.close()
    return found


def _head(entry: Entry) -> tuple[str, bool]:
    found = entry.take("store", _word, DEFAULT_STORE), entry.take("live", _switch, False)
    entry.close()
    return found


def _engine(entry: Entry) -> tuple[str, int, int]:
    memory = entry.take("memory_limit", _memory, "")
    threads = entry.take("threads", _whole(0, MOST_THREADS), 0)
    rows = entry.take("row_group_size", _whole(1, MOST_ROWS), 20_480)
    entry.close()
    return memory, threads, rows


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


def _source(name: str, entry: Entry) -> Source:
    if not SOURCE_NAME.fullmatch(name):
        entry.fault("is no source name", "Use lower-case letters, digits and hyphens, at most 63.")
    found = Source(
        name,
        provider=entry.need("provider", _one_of(PROVIDERS), ""),
        currency=entry.take("currency", _text, ""),
        accounts=entry.take("accounts", _texts, ()),
        location=entry.take("location", _text, ""),
        basis=entry.take("basis", _one_of(BASES), BASES[0]),
    )
    entry.close()
    return found


def _budget(name: str, entry: Entry) -> Budget:
    found = Budget(
        name=name,
        id=entry.need("id", _word, "-").rstrip("/").lower(),
        scope=entry.need("scope", _word, "-").rstrip("/").lower(),
        currency=entry.need("currency", _word, "-"),
        amount=entry.need("amount", _above_zero, Decimal(1)),
        opt_in_key=entry.take("tag_key", _text, "ledger-stop"),
        opt_in_value=entry.take("tag_value", _text, name),
        action_threshold=entry.take("threshold", _share, Decimal("0.8")),
        live=entry.take("live", _switch, False),
    )
    entry.close()
    return found


def _classification(entry: Entry) -> Classification:
    accounts: dict[str, str] = entry.take("accounts", _named(_text), {})
    keys = entry.take("tag_keys", _texts, tuple(DEFAULT_TAG_KEYS))
    values: dict[str, tuple[str, ...]] = entry.take("values", _named(_texts), {})
    entry.close()
    return Classification(accounts, keys, values or dict(DEFAULT_VALUES))


# How a value is read: ValueError says what follows the key's name, and never repeats the value: it may be secret.


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("is a text in quotes")
    return value


def _word(value: object) -> str:
    if not _text(value).strip():
        raise ValueError("is not empty")
    return _text(value)


def _texts(value: object) -> tuple[str, ...]:
    """A bare text would fall apart into letters."""
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise ValueError("is a list of texts in quotes")
    return tuple(value)


def _switch(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("is true or false, without quotes")
    return value


def _memory(value: object) -> str:
    text = _text(value)
    if text and not MEMORY.fullmatch(text):
        raise ValueError('is a size such as "1GB"; units are MB, GB, TB, MiB, GiB, TiB')
    return text


def _whole(lowest: int, highest: int) -> Callable[[object], int]:
    def check(value: object) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not lowest <= value <= highest:
            raise ValueError(f"is a whole number from {lowest} to {highest}")
        return value

    return check


def _one_of(names: Sequence[str]) -> Callable[[object], str]:
    def check(value: object) -> str:
        if value not in names:
            raise ValueError(f"is one of {', '.join(names)}")
        return str(value)

    return check


def _named(check: Callable[[Any], T]) -> Callable[[object], dict[str, T]]:
    def read(value: object) -> dict[str, T]:
        if not isinstance(value, dict):
            raise ValueError("is a table")
        return {name: _within(name, check, inner) for name, inner in value.items()}

    return read


def _within(name: str, check: Callable[[Any], T], value: object) -> T:
    try:
        return check(value)
    except ValueError as error:
        raise ValueError(f"{name} {error}") from error


def _decimal(value: object) -> Decimal:
    """In quotes only: a bare number would lose digits."""
    try:
        number = Decimal(_text(value))
    except (InvalidOperation, ValueError):
        raise ValueError('is a decimal in quotes, such as "1.00"') from None
    if not number.is_finite():
        raise ValueError("is a finite decimal")
    return number


def _above_zero(value: object) -> Decimal:
    if (number := _decimal(value)) <= 0:
        raise ValueError("is above 0")
    return number


def _share(value: object) -> Decimal:
    if not 0 < (number := _decimal(value)) <= 1:
        raise ValueError("is above 0 and at most 1")
    return number


def _fault(message: str, place: str, advice: str) -> Fault:
    return Fault(message, advice, "settings", column=place)
