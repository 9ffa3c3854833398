"""Charts as inline SVG; lengths across are in percent, so that bars stretch with the page and text keeps its size."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from demo.markup import Html, el, join
from emulators.scenario import Outcome

HUNDRED = Decimal(100)
HEIGHT, TOP, FLOOR = 240, 18, 214


def share(part: Decimal, whole: Decimal) -> str:
    """A length in percent, to four places."""
    return f"{(HUNDRED * part / whole if whole else Decimal(0)):.4f}%"


def bar(cost: Decimal, largest: Decimal, colour: str) -> Html:
    """One bar; three pixels at least, so that a small cost is seen."""
    width = share(max(cost, Decimal(0)), largest)
    rects = [_rect("0", width, 20, colour), _rect("0", "3", 20, colour)]
    return el("svg", *rects, class_="bar", height=20, aria_hidden="true")


def stack(parts: Sequence[tuple[Decimal, str]], largest: Decimal) -> Html:
    """Segments side by side, each with its colour class."""
    start, rects = Decimal(0), []
    for cost, colour in parts:
        rects += [_rect(share(start, largest), share(cost, largest), 22, f"{colour} segment")]
        start += cost
    return el("svg", *rects, class_="bar", height=22, aria_hidden="true")


def bullet(spent: Decimal, threshold: Decimal, limit: Decimal) -> Html:
    """Spend on the scale of the budget with its threshold; beyond the budget the scale grows."""
    scale = max(spent, limit)
    at, end = share(threshold, scale), share(limit, scale)
    return el(
        "svg",
        _text(at, 14, f"Threshold ${threshold:.2f}", anchor="end", class_="strong"),
        el("rect", x=0, y=22, width="100%", height=24, rx=5, class_="track"),
        el("rect", x=0, y=22, width=share(spent, scale), height=24, rx=5, class_="alert"),
        *(el("line", x1=x, x2=x, y1=17, y2=51, class_="tick") for x in (at, end)),
        _text("100%", 66, f"Budget ${limit:.2f}", anchor="end"),
        class_="bullet",
        height=72,
        role="img",
        aria_label=f"{spent:.2f} spent of {limit:.2f}, threshold at {threshold:.2f}",
    )


def curve(outcome: Outcome, unstopped: Outcome) -> Html:
    """Spend of the tagged resources over the hours, beside what it would have been without the stop."""
    top = max(unstopped.tagged_cost, outcome.setup.amount) * Decimal("1.08")
    limits = outcome.setup.amount, outcome.setup.amount * outcome.setup.threshold
    stopped_at = outcome.hours[(outcome.fired or 1) - 1]
    x = share(Decimal(stopped_at.number), Decimal(len(outcome.hours)))
    spent, without = outcome.tagged_cost, unstopped.tagged_cost
    return el(
        "svg",
        _lines(outcome, unstopped, top),
        *(_limit(name, value, top) for name, value in zip(("Budget", "Threshold"), limits, strict=True)),
        el("line", x1=x, x2=x, y1=_y(stopped_at.spent, top), y2=FLOOR, class_="drop"),
        el("circle", cx=x, cy=_y(stopped_at.spent, top), r=5, class_="dot"),
        _text(x, _y(stopped_at.spent, top) - 9, "stop", anchor="end", dx=-6, class_="strong"),
        _text("100%", _y(without, top) - 6, f"without the stop ${without:.2f}", anchor="end"),
        _text("100%", _y(spent, top) + 20, f"${spent:.2f}", anchor="end", class_="strong"),
        _hours(len(outcome.hours), stopped_at.number),
        class_="curve",
        height=HEIGHT,
        role="img",
        aria_label=f"Spend reaches {stopped_at.spent:.4f} at hour {stopped_at.number} and ends at {spent:.2f}",
    )


def _lines(outcome: Outcome, unstopped: Outcome, top: Decimal) -> Html:
    """Stretched without keeping proportions; strokes keep their width by CSS."""
    ran, would = _points(outcome, top), _points(unstopped, top)
    return el(
        "svg",
        el("polygon", points=f"0,{FLOOR} {ran} {len(outcome.hours)},{FLOOR}", class_="area"),
        el("polyline", points=would, class_="would"),
        el("polyline", points=ran, class_="ran"),
        viewBox=f"0 0 {len(outcome.hours)} {HEIGHT}",
        preserveAspectRatio="none",
        width="100%",
        height=HEIGHT,
    )


def _points(outcome: Outcome, top: Decimal) -> str:
    return " ".join([f"0,{FLOOR}", *(f"{hour.number},{_y(hour.spent, top)}" for hour in outcome.hours)])


def _limit(name: str, value: Decimal, top: Decimal) -> Html:
    y = _y(value, top)
    return join([el("line", x1=0, x2="100%", y1=y, y2=y, class_="limit"), _text("0", y - 6, f"{name} ${value:.2f}")])


def _hours(last: int, stop: int) -> Html:
    """The axis with its ends and the hour of the stop."""
    ends = [_text("0", HEIGHT - 8, "hour 0"), _text("100%", HEIGHT - 8, f"hour {last}", anchor="end")]
    middle = _text(share(Decimal(stop), Decimal(last)), HEIGHT - 8, f"hour {stop}", anchor="middle", class_="strong")
    return join([el("line", x1=0, x2="100%", y1=FLOOR, y2=FLOOR, class_="axis"), *ends, middle])


def _y(value: Decimal, top: Decimal) -> Decimal:
    return (FLOOR - (FLOOR - TOP) * value / top).quantize(Decimal("0.01"))


def _rect(x: str, width: str, height: int, colour: str) -> Html:
    return el("rect", x=x, y=0, width=width, height=height, rx=4, class_=colour)


def _text(x: str, y: object, text: str, *, anchor: str = "start", **attributes: object) -> Html:
    return el("text", text, x=x, y=y, text_anchor=anchor, **attributes)
