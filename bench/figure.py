"""A measured value beside its target."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """A measured value and its target: a floor or a ceiling."""

    name: str
    value: float
    target: float
    floor: bool = False

    @property
    def met(self) -> bool:
        return self.value >= self.target if self.floor else self.value <= self.target

    def __str__(self) -> str:
        sign = ">=" if self.floor else "<="
        return f"{self.name:<70} {self.value:>9.3f}  target {sign} {self.target:<7g} {'ok' if self.met else 'MISSED'}"
