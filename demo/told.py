"""What the demo says on the terminal about the control story; the money story prints itself."""

from __future__ import annotations

from decimal import Decimal

from rich.console import Console
from rich.table import Table

from demo.story import Control
from emulators.scenario import ADDRESS_OF_LAB, DISK_OF_LAB, LAB, Line, Outcome
from terminal import styled

# Hours from a dollar spent to the webhook: cost data 8 to 24, evaluation 0 to 24, sending 0 to 1.
FASTEST, SLOWEST = 8, 49


def residual(outcome: Outcome) -> Decimal:
    """What goes on burning per hour after the stop."""
    return outcome.line(DISK_OF_LAB).tariff + outcome.line(ADDRESS_OF_LAB).tariff


def burn(outcome: Outcome) -> Decimal:
    return outcome.line(LAB).tariff + residual(outcome)


def tell_stop(control: Control, console: Console) -> None:
    """The receipts as the record gives them, then the bill."""
    for played in control.played:
        for line in played.lines:
            console.print(styled(f"  {line}"), soft_wrap=True)
    outcome = control.outcome
    console.print(_bill("Tagged for the budget", [line for line in outcome.lines if line.tagged], outcome.tagged_cost))
    console.print(
        _bill("Not tagged, left alone", [one for one in outcome.lines if not one.tagged], outcome.others_cost)
    )


def tell_undo(control: Control, console: Console) -> None:
    """The look first, then what it did."""
    for undone in control.undone:
        for line in undone.lines:
            console.print(styled(f"  {line}"), soft_wrap=True)


def tell_latency(control: Control, console: Console) -> None:
    """The plain truth about how late the native chain is, and what that makes of the figure."""
    console.print(_late_table(control))
    for sentence in latency_sentences(control):
        console.print(styled(f"  {sentence}"))


def latency_sentences(control: Control) -> list[str]:
    outcome, worst = control.outcome, control.late[-1]
    spent, left = money(outcome.tagged_cost), outcome.setup.amount - outcome.tagged_cost
    threshold = outcome.setup.amount * outcome.setup.threshold
    room = outcome.tagged_cost - threshold
    return [
        "Here the budget saw every dollar at once. Azure's own chain does not: 8 to 24 hours until usage shows as "
        "cost, up to 24 until the budget is evaluated, up to 1 to send. From spend to webhook: 8 to 49 hours.",
        f"{spent} USD is what stopping at once gives. {worst.hours} hours late, the same machine ends at "
        f"{money(worst.outcome.tagged_cost)} USD: the webhook alone limits damage, it is no cap.",
        f"Ending at {spent} after a threshold of {money(threshold)} is certain with the native chain only up to about "
        f"{room / SLOWEST:.5f} USD an hour, and possible up to {room / FASTEST:.5f}. "
        f"These resources burn {burn(outcome).normalize():f}.",
        f"Disk and address go on at {residual(outcome).normalize():f} USD an hour with the machine off: "
        f"the {money(left)} USD left of the budget last {left / residual(outcome):.0f} hours more.",
    ]


def money(amount: Decimal) -> str:
    """To the cent and beyond only where there is something to show."""
    text = f"{amount.normalize():f}"
    whole, _, fraction = text.partition(".")
    return f"{whole}.{fraction:0<2}"


def _bill(title: str, lines: list[Line], cost: Decimal) -> Table:
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="dim", show_footer=True)
    for header, footer in (("resource", "in all"), ("state", ""), ("hours", ""), ("USD/h", ""), ("USD", money(cost))):
        right = header not in ("resource", "state")
        table.add_column(header, footer, justify="right" if right else "left", footer_style="bold", min_width=11)
    for line in lines:
        hours, tariff = (f"{figure.normalize():f}" for figure in (line.hours, line.tariff))
        table.add_row(styled(line.name), styled(line.state), hours, tariff, money(line.cost))
    return table


def _late_table(control: Control) -> Table:
    title = "The same world, with cost data that comes late"
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="dim")
    for header in ("hours late", "webhook at hour", "machine USD", "in all a day after the stop USD"):
        table.add_column(header, justify="right")
    for late in control.late:
        outcome = late.outcome
        costs = money(outcome.line(LAB).cost), money(outcome.tagged_cost)
        table.add_row(str(late.hours), str(outcome.fired), *costs)
    return table
