"""One table of the settings file, read key by key so that every fault is told at once. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from ledger.faults import Fault

T = TypeVar("T")


class Entry:
    """One table of the file. What is wrong in it becomes a fault and reads as a stand-in: all is told at once."""

    def __init__(self, place: str, value: object, faults: list[Fault]) -> None:
        self.place, self._faults, self._taken = place, faults, set[str]()
        self._found: Mapping[str, Any] = value if isinstance(value, dict) else {}
        if not isinstance(value, dict):
            self.fault("is a table", f"Write it as [{place}].")

    def fault(self, message: str, advice: str = "Correct the value.", key: str = "") -> None:
        self._faults.append(settings_fault(f"{key or self.place} {message}", self.place or key, advice))

    def take(self, key: str, check: Callable[[Any], T], default: T) -> T:
        """The value as `check` reads it; the default where there is none or `check` raises ValueError."""
        self._taken.add(key)
        try:
            return check(self._found[key]) if key in self._found else default
        except ValueError as error:
            self.fault(str(error), key=key)
            return default

    def has(self, key: str) -> bool:
        return key in self._found

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


def settings_fault(message: str, place: str, advice: str) -> Fault:
    return Fault(message, advice, "settings", column=place)
