"""The cards of the page about control: the stop and its evidence, who was spared, the hours, the latency."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from demo.cards import dollars, percent
from demo.drawing import bar, bullet, curve
from demo.markup import Html, el
from demo.story import Control
from demo.told import latency_sentences, money
from emulators.scenario import LAB, PRODUCTION, Line

_SAID = {
    "received": "Budget alert received",
    "planned": "Plan recorded",
    "calling": "About to call, written down first",
    "accepted": "Deallocation accepted",
    "verified": "Stopped, power state read back",
}


def stop_card(control: Control) -> Html:
    outcome = control.outcome
    amount, spent = outcome.setup.amount, outcome.tagged_cost
    threshold = amount * outcome.setup.threshold
    verified = control.event("verified") is not None
    pill = (
        el("span", "✓ Stopped, read back", class_="pill good") if verified else el("span", "▲ Alert", class_="pill bad")
    )
    title = el("h2", "Azure lab passed its alert threshold")
    rule = f"Rule: stop tagged machines at {outcome.setup.threshold:.0%} of {dollars(amount)}"
    return el(
        "section",
        el("div", el("div", title, el("div", rule, class_="sub")), pill, class_="head"),
        _figures(spent, amount),
        bullet(spent, threshold, amount),
        el("h3", "What was done"),
        el("ol", *_steps(control), class_="steps"),
        _facts(control),
        _foot(control),
        class_="card",
    )


def _figures(spent: Decimal, amount: Decimal) -> Html:
    shown = (
        (dollars(spent), "spent", "red"),
        (percent(spent, amount), "of budget", ""),
        (dollars(amount - spent), "left", ""),
    )
    items = [el("div", el("b", text, class_=tone), el("span", name, class_="muted")) for text, name, tone in shown]
    return el("div", *items, class_="three-figures")


def _steps(control: Control) -> list[Html]:
    details = {
        "received": _received(control),
        "planned": f"{len(control.targets('targets'))} to stop, {len(control.targets('spared'))} spared",
        "calling": "the record precedes every call",
        "accepted": "accepted is not yet done",
        "verified": _read_back(control),
    }
    events = [(kind, control.event(kind)) for kind in _SAID]
    return [_step(_SAID[kind], event.at, details[kind]) for kind, event in events if event]


def _step(title: str, at: datetime, detail: str) -> Html:
    time = el("time", at.strftime("%d %b %Y %H:%M:%S UTC"), datetime=at.isoformat())
    return el("li", el("b", title), el("span", time, f" · {detail}", class_="muted"))


def _received(control: Control) -> str:
    fired = control.outcome.hours[(control.outcome.fired or 1) - 1]
    return f"hour {fired.number}, {money(fired.spent)} USD"


def _read_back(control: Control) -> str:
    verified = control.event("verified")
    return f"power state: {verified.body.get('power', 'gone')}" if verified else ""


def _facts(control: Control) -> Html:
    setup, received = control.outcome.setup, control.event("received")
    dry = received is None or received.body["dry_run"] is not False
    rows = [
        ("Mode", "Dry run" if dry else "Live, on an emulated cloud"),
        ("May act on", f"{setup.tag_key} = {setup.budget_name}"),
        ("Machines asked to stop", ", ".join(control.calls) or "none"),
        ("Started again by undo", ", ".join(control.started) or "none"),
        ("Record", "chain whole" if not control.faults else f"{len(control.faults)} faults"),
    ]
    return el("dl", *(el("div", el("dt", name), el("dd", value)) for name, value in rows), class_="facts")


def _foot(control: Control) -> Html:
    untouched = control.outcome.line(PRODUCTION).state == "running"
    pill = el(
        "span",
        "✓ Production untouched" if untouched else "▲ Production stopped",
        class_="pill good" if untouched else "pill bad",
    )
    others = f"Others in scope: {money(control.outcome.others_cost)} USD, apart"
    return el("div", pill, el("span", others, class_="muted"), class_="foot")


def hours_card(control: Control) -> Html:
    outcome = control.outcome
    return el(
        "section",
        el(
            "h2",
            f"Stopped at hour {outcome.fired}, billed {dollars(outcome.tagged_cost)} at hour {outcome.setup.hours}",
        ),
        el("div", "Spend of the tagged resources, hour by hour on the emulated clock", class_="sub"),
        curve(outcome, control.unstopped),
        class_="card",
    )


def bill_card(control: Control) -> Html:
    head = [el("th", "Resource"), el("th", "State")]
    head += [el("th", name, class_="number") for name in ("Hours", "USD/h", "USD")]
    tagged = [_bill_row(line) for line in control.outcome.lines if line.tagged]
    total = [el("td", "Tagged, in all"), el("td"), el("td"), el("td")]
    total += [el("td", money(control.outcome.tagged_cost), class_="number")]
    others = [_bill_row(line) for line in control.outcome.lines if not line.tagged]
    rows = [*tagged, el("tr", *total, class_="sum"), *others]
    return el(
        "section",
        el("h2", "The bill, from running hours"),
        el("div", "Hours billed times tariff; what is not tagged stands apart, below", class_="sub"),
        el("div", el("table", el("tr", *head), *rows), class_="scroll"),
        class_="card",
    )


def _bill_row(line: Line) -> Html:
    figures = f"{line.hours.normalize():f}", f"{line.tariff.normalize():f}", money(line.cost)
    return el("tr", el("td", line.name), el("td", line.state), *(el("td", text, class_="number") for text in figures))


def reasons_card(control: Control) -> Html:
    rows = [
        el("tr", el("td", str(one["id"]).rpartition("/")[2]), el("td", said), el("td", str(one["reason"])))
        for which, said in (("targets", "stopped"), ("spared", "spared"))
        for one in control.targets(which)
    ]
    head = el("tr", *(el("th", name) for name in ("Machine", "Decision", "Why")))
    return el(
        "section",
        el("h2", "Every machine in scope, and why"),
        el("div", "As the plan recorded it before anything was called", class_="sub"),
        el("div", el("table", head, *rows), class_="scroll"),
        class_="card",
    )


def latency_card(control: Control) -> Html:
    largest = max(late.outcome.tagged_cost for late in control.late)
    cells: list[Html] = []
    for late in control.late:
        cost = late.outcome.tagged_cost
        over = cost > late.outcome.setup.amount
        cells += [
            el("span", f"{late.hours} h late" if late.hours else "at once", class_="name"),
            bar(cost, largest, "alert" if over else "azure"),
            el("span", dollars(cost) + (" over budget" if over else ""), class_="cost", title=f"{money(cost)} USD"),
            el("span", f"machine {dollars(late.outcome.line(LAB).cost)}", class_="percent"),
        ]
    return el(
        "section",
        el("h2", "The native chain takes 8 to 49 hours"),
        el("div", "The same world a day after the stop, with cost data that comes late", class_="sub"),
        el("div", *cells, class_="rows late"),
        el("ul", *(el("li", sentence) for sentence in latency_sentences(control)), class_="how"),
        class_="card",
    )
