"""demo.html: one static page that needs no network and runs no script."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from hashlib import sha256
from pathlib import Path

from demo import cards, stop_cards
from demo.cards import dollars, grouped, percent, share_tile, tile
from demo.markup import Html, el, join, raw
from demo.story import Control, Money

STYLE = Path(__file__).with_name("page.css")
_HOW = (
    "Three raw bills were mapped to FOCUS 1.3 rows by SQL, checked against an independent sum of their raw text, and "
    "committed to a Delta table: one atomic replace per source and month.",
    "Money is a decimal from the raw text to this page; only what you see is rounded.",
    "The budget's webhook ran through the product's own flows, with the Azure SDK over TLS and a managed-identity "
    "token. The control plane behind it is emulated on this machine, with its clock and its meters.",
    "A machine counts as stopped only after its power state was read back as deallocated.",
)
_TABLES = {"Provider": "by_provider", "Environment": "by_environment", "Service": "by_service_code"}


def render(money: Money, control: Control, faults: Sequence[str]) -> str:
    """The whole document; `faults` are figures that are off and stand on top."""
    style = STYLE.read_text(encoding="utf-8")
    # The policy allows this very style sheet and nothing else: no script, no image, no address.
    seal = b64encode(sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{seal}'; base-uri 'none'; form-action 'none'"
    head = el(
        "head",
        el("meta", charset="utf-8"),
        el("meta", http_equiv="Content-Security-Policy", content=policy),
        el("meta", name="viewport", content="width=device-width, initial-scale=1"),
        el("title", "Cloud spend: multi-cloud ledger, FOCUS 1.3"),
        el("style", raw(style)),
    )
    return (
        f"<!doctype html>\n{el('html', head, el('body', _header(money), _main(money, control, faults)), lang='en')}\n"
    )


def _header(money: Money) -> Html:
    bars = ((9, 18, 9), (16, 11, 16), (23, 15, 12))
    shapes = [el("rect", x=x, y=y, width=4, height=height, rx=2) for x, y, height in bars]
    mark = el(
        "svg", el("rect", width=36, height=36, rx=9), *shapes, class_="mark", viewBox="0 0 36 36", aria_hidden="true"
    )
    title = el("div", el("h1", "Cloud spend"), el("div", "Multi-cloud ledger · FOCUS 1.3", class_="sub"))
    months = ", ".join(_month(line["name"]) for line in money.block.get("by_period", []))
    chips = [el("span", name, el("b", value), class_="chip") for name, value in _chips(months)]
    return el("header", el("div", mark, title, el("div", *chips, class_="chips"), class_="wide"))


def _month(period: str) -> str:
    return datetime.strptime(period, "%Y-%m").strftime("%B %Y")


def _chips(months: str) -> list[tuple[str, str]]:
    return [("Period", months), ("Cost", "Billed"), ("Currency", "USD")]


def _main(money: Money, control: Control, faults: Sequence[str]) -> Html:
    total = sum((fact.billed for fact in money.facts), Decimal(0))
    left = [cards.services(money, total), stop_cards.hours_card(control)]
    left += [el("div", cards.environments(money), stop_cards.reasons_card(control), class_="pair")]
    right = [stop_cards.stop_card(control), stop_cards.bill_card(control)]
    tables = [
        cards.table(title, money.block.get(key, []), str(money.block.get("total"))) for title, key in _TABLES.items()
    ]
    return el(
        "main",
        _strip(money),
        *(el("div", f"A figure is off: {fault}", class_="fault") for fault in faults),
        _tiles(money, control, total),
        el("div", el("div", *left, class_="column"), el("div", *right, class_="column"), class_="grid"),
        el("div", stop_cards.latency_card(control), _how(money, control), class_="grid"),
        el("div", *tables, class_="tables"),
        _footer(),
        class_="wide",
    )


def _strip(money: Money) -> Html:
    rows = (
        f"Ledger version {money.document['version']}: {money.block.get('rows')} charges from {money.raw_rows} raw rows"
    )
    exact = f"Reconciled to the source files: difference {dollars(money.difference)}"
    return el("div", el("b", rows), el("span", exact, class_="muted"), class_="strip")


def _tiles(money: Money, control: Control, total: Decimal) -> Html:
    providers, count = grouped(money.facts, "provider"), len(grouped(money.facts, "provider", "service"))
    hero = tile(
        "Total billed cost",
        dollars(total),
        el("div", f"{len(providers)} providers · {count} services · {money.block.get('rows')} charges", class_="sub"),
        class_="hero",
    )
    environments = [share_tile(key[0], cost, total) for key, cost in grouped(money.facts, "environment")][:2]
    return el("div", hero, *environments, _largest(providers, total), _budget(control), class_="tiles")


def _largest(providers: Sequence[tuple[tuple[str, ...], Decimal]], total: Decimal) -> Html:
    (name, *_), cost = providers[0] if providers else (("none",), Decimal(0))
    below = el("div", el("b", name), f" · {dollars(cost)}", class_="sub")
    return tile("Largest concentration", percent(cost, total), below, cards.progress(cost, total))


def _budget(control: Control) -> Html:
    fired = control.outcome.fired is not None
    stopped = control.event("verified") is not None
    said = "▲ Alert, stopped" if stopped else "▲ Alert, not stopped"
    return tile(
        "Budgets over threshold",
        f"{int(fired)} of 1",
        el("span", said, class_="pill bad") if fired else el("span", "✓ Within budget", class_="pill good"),
        class_="warn" if fired else "",
    )


def _how(money: Money, control: Control) -> Html:
    received, planned = control.event("received"), control.event("planned")
    alert = str(received.body["digest"])[:16] if received else "none"
    plan = str(planned.body["digest"])[:16] if planned else "none"
    seals = "Alert ", el("code", alert), ", plan ", el("code", plan), ": each event of the record seals the one before."
    where = "The ledger stands at ", el("code", money.document["store"]), "."
    items = [*_HOW, join(seals), join(where)]
    return el(
        "section",
        el("h2", "How it was computed"),
        el("ul", *(el("li", item) for item in items), class_="how"),
        class_="card",
    )


def _footer() -> Html:
    said = "All figures are billed cost in USD from the FOCUS 1.3 ledger, rounded for display only."
    return el("footer", el("span", said), el("span", "Sample bills and an emulated cloud: no account was touched."))
