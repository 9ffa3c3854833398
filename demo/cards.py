"""The cards of the page about money: tiles, services, environments, tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from demo.drawing import bar, share, stack
from demo.markup import Html, el
from demo.story import Money
from ledger.summary import Fact

CENT = Decimal("0.01")


def dollars(amount: Decimal) -> str:
    """To the cent for the eye; the exact figure belongs into a title or a table."""
    return f"{'-' if amount < 0 else ''}${abs(amount).quantize(CENT):,}"


def percent(part: Decimal, whole: Decimal) -> str:
    """One decimal, and never 0.0 for something that is there."""
    exact = 100 * part / whole if whole else Decimal(0)
    return "<0.1%" if 0 < exact < Decimal("0.1") else f"{exact:.1f}%"


def colour(provider: str) -> str:
    """Colour means provider and nothing else."""
    name = provider.lower()
    return name if name in ("aws", "azure", "snowflake") else "other"


def tile(label: str, figure: str, *below: object, class_: str = "") -> Html:
    label_and_figure = el("div", label, class_="label"), el("div", figure, class_="figure")
    return el("div", *label_and_figure, *below, class_=f"card tile {class_}".strip())


def share_tile(label: str, cost: Decimal, total: Decimal) -> Html:
    text = el("div", el("b", percent(cost, total)), " of spend", class_="sub")
    return tile(label, dollars(cost), text, progress(cost, total))


def progress(part: Decimal, whole: Decimal) -> Html:
    widths = ("100%", "track"), (share(part, whole), "accent")
    return el("svg", *(el("rect", width=width, class_=name) for width, name in widths), class_="bar", height=6)


def finding(name: str, part: Decimal, whole: Decimal) -> str:
    """A title that says what the figures say, by rule."""
    exact = 100 * part / whole if whole else Decimal(0)
    words = {(70, 80): "is three quarters of spend", (62, 70): "is two thirds of spend", (46, 54): "is half of spend"}
    said = next((text for (low, high), text in words.items() if low <= exact <= high), "")
    return f"{name} {said}" if said else f"{name} is the largest cost, {exact:.0f} % of spend"


def services(money: Money, total: Decimal) -> Html:
    lines = grouped(money.facts, "service", "provider")
    largest = max((cost for _, cost in lines), default=Decimal(0))
    cells: list[Html] = []
    for (service, provider), cost in lines:
        cells += [
            el("span", service, class_="name"),
            bar(cost, largest, colour(provider)),
            el("span", dollars(cost), class_="cost"),
            el("span", percent(cost, total), class_="percent"),
        ]
    top = grouped(money.facts, "provider")
    title = finding(top[0][0][0], top[0][1], total) if top else "No charges yet"
    return el(
        "section",
        el("h2", title),
        el("div", "Billed cost by service, coloured by provider", class_="sub"),
        legend([(key[0], cost) for key, cost in top]),
        el("div", *cells, class_="rows"),
        class_="card",
    )


def legend(providers: Iterable[tuple[str, Decimal]]) -> Html:
    items = [el("span", el("i", class_=colour(name)), name, el("b", dollars(cost))) for name, cost in providers]
    return el("div", *items, class_="legend")


def environments(money: Money) -> Html:
    lines = grouped(money.facts, "environment")
    largest = max((cost for _, cost in lines), default=Decimal(0))
    cells: list[Html] = []
    for (environment,), cost in lines:
        inside = [fact for fact in money.facts if fact.environment == environment]
        parts = [(part, colour(key[0])) for key, part in grouped(inside, "provider")]
        cells += [
            el("span", environment, class_="name"),
            stack(parts, largest),
            el("span", dollars(cost), class_="cost"),
        ]
    names = [str(key[0]) for key, _ in lines]
    return el(
        "section",
        el("h2", " and ".join([", ".join(names[:-1]), names[-1].lower()]) if len(names) > 1 else "Environments"),
        el("div", "Billed cost by environment and provider", class_="sub"),
        el("div", *cells, class_="rows three"),
        *(_split(money.facts, name) for name in names),
        class_="card",
    )


def _split(facts: Sequence[Fact], environment: str) -> Html:
    inside = [fact for fact in facts if fact.environment == environment]
    return el("div", el("h3", environment), legend((key[0], cost) for key, cost in grouped(inside, "provider")))


def table(title: str, lines: Sequence[Mapping[str, Any]], total: str) -> Html:
    """One group of the summary with every digit."""
    rows = [_row(line["name"], line["cost"], line["percent"] or "-") for line in lines]
    head = el("tr", el("th", title), el("th", "USD", class_="number"), el("th", "%", class_="number"))
    body = [*rows, _row("Total", total, "100.00", class_="sum")]
    return el(
        "section", el("h2", f"By {title.lower()}"), el("div", el("table", head, *body), class_="scroll"), class_="card"
    )


def _row(name: str, cost: str, part: str, **attributes: object) -> Html:
    cells = el("td", name), el("td", cost, class_="number"), el("td", part, class_="number")
    return el("tr", *cells, **attributes)


def grouped(facts: Iterable[Fact], *fields: str) -> list[tuple[tuple[str, ...], Decimal]]:
    """Sums of billed cost per combination of fields, dearest first."""
    sums: dict[tuple[str, ...], Decimal] = {}
    for fact in facts:
        key = tuple(str(getattr(fact, field)) for field in fields)
        sums[key] = sums.get(key, Decimal(0)) + fact.billed
    return sorted(sums.items(), key=lambda item: (-item[1], item[0]))
