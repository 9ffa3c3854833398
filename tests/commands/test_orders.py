"""`ledger orders`, `order show` and `audit verify` from their words to the record and the ledger's rows."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import cli
from adapters.folder import FolderStore
from focus.schema import ledger_types
from governance import restarts, streams
from governance.record import Record
from ledger.book import Book
from ledger.delivery import Period
from tests.governance.control import Control
from tests.governance.scene import NOW, MemoryFleet, machine
from tests.ledger.rows import fill

LAB = machine("vm-lab")
NOVEMBER = Period(2026, 11)
AZURE = {
    "ProviderName": "Microsoft",
    "x_Provider": "Azure",
    "BillingCurrency": "EUR",
    "SubAccountId": LAB.id.split("/")[2].upper(),
    "BillingPeriodStart": "2026-11-01 00:00:00+00",
    "BillingPeriodEnd": "2026-12-01 00:00:00+00",
    "ServiceCategory": "Compute",
}


def row(day: int, amount: str, id: str = LAB.id, days: int = 1, **more: object) -> Mapping[str, object]:
    return {
        **AZURE,
        "ResourceId": id,
        "EffectiveCost": amount,
        "BilledCost": amount,
        "ChargePeriodStart": f"2026-11-{day:02} 00:00:00+00",
        "ChargePeriodEnd": str(datetime(2026, 11, day, tzinfo=UTC) + timedelta(days=days)),
        **more,
    }


def beside(day: int, name: str, amount: str = "0.03") -> Mapping[str, object]:
    group = LAB.id.partition("/providers/")[0]
    return row(day, amount, f"{group}/providers/Microsoft.Compute/disks/{name}", ServiceCategory="Storage")


class Terminal:
    """A store with one alert carried out on two machines, and the commands over it."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self.capsys = folder, capsys
        self.store = FolderStore(folder / "store")
        self.record = Record(self.store)
        (folder / "ledger.toml").write_text("")
        self.book = Book(self.store, ledger_types())

    def stop(self, *, live: bool = True) -> str:
        control = Control(self.record, LAB, machine("vm-two"), live=live)
        orders = control.plan(control.receive())
        for order in orders:
            control.settle(control.order(order))
        return str(orders[0].body["order"])

    def run(self, *words: str) -> int:
        given = ["--store", str(self.folder / "store"), "--config", str(self.folder / "ledger.toml")]
        return cli.main([*words, *given])

    def said(self, *words: str, code: int = 0) -> str:
        self.capsys.readouterr()
        assert self.run(*words) == code
        return self.capsys.readouterr().out

    def bill(self, *rows: Mapping[str, object]) -> None:
        fill(self.book, self.folder, *rows, source="azure", period=NOVEMBER)


@pytest.fixture
def terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Terminal:
    return Terminal(tmp_path, capsys)


def test_an_empty_record_has_no_runs(terminal: Terminal) -> None:
    assert terminal.said("orders") == "no runs in the record\n"


def test_runs_and_orders_are_listed_with_state_and_green(terminal: Terminal) -> None:
    order = terminal.stop()
    said = terminal.said("orders").splitlines()
    assert said[0].endswith("dev-dollar  live  carried out: green")
    assert said[1].startswith(f"  {order[:12]}  2026-11-12 16:05  verified  {LAB.id}")
    assert len(said) == 3


def test_the_same_as_json(terminal: Terminal) -> None:
    order = terminal.stop()
    (run,) = json.loads(terminal.said("orders", "--json"))["runs"]
    assert (run["green"], run["dry_run"], run["standing"], run["who"]) == (
        True, False, "carried out", {"entry": "webhook"}
    )  # fmt: skip
    assert run["orders"][0]["id"] == order and run["orders"][0]["state"] == "verified"


def test_dry_runs_say_so(terminal: Terminal) -> None:
    terminal.stop(live=False)
    said = terminal.said("orders")
    assert "  dry  " in said and said.count("  dry-run  ") == 2 and ": green" in said


def test_the_dry_and_the_live_run_of_one_alert_have_ids_of_their_own(terminal: Terminal) -> None:
    terminal.stop(live=False)
    terminal.stop()
    runs = [line.split() for line in terminal.said("orders").splitlines() if not line.startswith(" ")]
    ids = {mode: id for id, _, _, _, mode, *_ in runs}
    assert ids["dry"] == f"{ids['live']}-dry-run"
    for mode, state in (("live", "verified"), ("dry", "dry-run")):
        receipt = terminal.said("orders", "--run", ids[mode])
        assert f"  {state}  {LAB.id}" in receipt and receipt.count("carried out") + receipt.count("dry run:") > 0
        bills = json.loads(terminal.said("orders", "--run", ids[mode], "--json"))["bills"]
        assert bool(bills) == (mode == "live")


def test_since_and_run_choose(terminal: Terminal) -> None:
    terminal.stop()
    run = json.loads(terminal.said("orders", "--json"))["runs"][0]["run"]
    assert terminal.said("orders", "--since", "2026-11-13") == "no runs in the record\n"
    assert LAB.id in terminal.said("orders", "--since", "2026-11-12")
    assert "no runs" in terminal.said("orders", "--run", "0" * 12)
    said = terminal.said("orders", "--run", run[:12])
    assert "alert: budget dev-dollar" in said and said.count("not yet in the cost data") == 2
    bills = json.loads(terminal.said("orders", "--run", run, "--json"))["bills"]
    assert len(bills) == 2 and {bill["stopped"] for bill in bills.values()} == {"2026-11-12"}


def test_a_run_whose_order_failed_is_not_green_and_one_under_way_is_open(terminal: Terminal) -> None:
    control = Control(terminal.record, LAB)
    order = control.first()
    assert terminal.said("orders").splitlines()[0].endswith("carried out: open")
    terminal.record.append(f"orders/{order.body['order']}", "failed", {"reason": "no"}, NOW)
    said = terminal.said("orders").splitlines()
    assert said[0].endswith("NOT GREEN") and said[1].endswith("failed  " + LAB.id + ": no")


def test_an_order_is_told_from_its_alert_to_its_bill(terminal: Terminal) -> None:
    order = terminal.stop()
    shouted = LAB.id.replace("virtualMachines", "VIRTUALMACHINES")
    before = [row(day, "0.48", shouted) for day in range(5, 12)]
    disks = [beside(day, "vm-lab_OsDisk_1_ab", "0.01" if day == 15 else "0.03") for day in range(5, 16)]
    others = [row(day, "9", machine("vm-lab-2").id) for day in range(5, 16)]
    strangers = [beside(day, "vm-lab-2_OsDisk_1_ab", "9") for day in range(5, 16)]
    network = row(6, "0.01", ServiceCategory="Networking")
    terminal.bill(*before, row(12, "0.30"), *disks, *others, *strangers, network)
    said = terminal.said("order", "show", order[:10])
    assert f"order {order[:12]}: verified, live" in said
    assert "by webhook: dev-dollar, " in said
    assert "cost data up to 2026-11-15, last delivered 2026-02-20" in said
    assert "2026-11-11  before  Compute 0.48 EUR; named after it 0.03 EUR" in said
    assert "2026-11-12  STOP    Compute 0.3 EUR; named after it 0.03 EUR" in said
    assert "2026-11-13  after   named after it 0.03 EUR" in said
    assert "2026-11-15  after   named after it 0.01 EUR (the newest day, hours may be missing)" in said
    assert "2026-11-16  after   not yet in the cost data" in said
    assert "Compute: before 0.48 EUR a day, after 0 EUR a day, 0.48 less" in said
    assert "named after it: before 0.03 EUR a day, after 0.03 EUR a day, 0 less; disks and addresses go on" in said
    assert "calling  before: running" in said
    assert " 9 EUR" not in said and "18 EUR" not in said


def test_days_after_somebody_started_it_again_are_no_days_after(terminal: Terminal) -> None:
    order = terminal.stop()
    body = {"order": order, "target": LAB.id, "power": "running", "by": "the sweep"}
    terminal.record.append(streams.machine_stream(LAB.id), restarts.SEEN_ON, body, NOW + timedelta(days=3))
    terminal.bill(*(row(day, "0.48") for day in (*range(5, 12), 15, 16, 17)))
    said = terminal.said("order", "show", order)
    assert "2026-11-15  on      Compute 0.48 EUR" in said and "on again since 2026-11-15" in said
    assert "2026-11-14  after   not in the cost data" in said
    terminal.bill(*(row(day, "0.48") for day in (*range(5, 12), 15, 16, 17)), row(14, "0.01", "x"))
    assert "Compute: before 0.48 EUR a day, after 0 EUR a day" in terminal.said("order", "show", order)


def test_the_bill_as_json_has_null_where_nothing_is_known(terminal: Terminal) -> None:
    order = terminal.stop()
    terminal.bill(*(row(day, "0.48") for day in range(5, 12)))
    bill = json.loads(terminal.said("order", "show", order, "--json"))["bill"]
    (compute,) = bill["a_day"]
    assert compute == {"part": "Compute", "currency": "EUR", "before": "0.48", "after": None}
    assert bill["watermark"] == "2026-11-11" and "2026-11-13" in bill["not_in_the_cost_data"]


def test_currencies_and_billed_amounts_are_never_mixed(terminal: Terminal) -> None:
    order = terminal.stop()
    terminal.bill(*(row(day, "0.48", BilledCost="0") for day in range(5, 12)), row(6, "1", BillingCurrency="USD"))
    said = terminal.said("order", "show", order)
    assert "Compute 0.48 (billed 0) EUR; Compute 1 USD" in said


def test_charges_for_longer_than_a_day_stand_apart(terminal: Terminal) -> None:
    order = terminal.stop()
    terminal.bill(row(6, "30", days=30), *(row(day, "0.48") for day in range(5, 12)))
    said = terminal.said("order", "show", order)
    assert "Compute: before 0.48 EUR a day" in said and "charged for longer than a day 30 EUR" in said


def test_a_dry_run_has_no_bill(terminal: Terminal) -> None:
    order = terminal.stop(live=False)
    assert json.loads(terminal.said("order", "show", order, "--json"))["bill"] is None


@pytest.mark.parametrize("id", ["00000000", "../../x", "0", "z" * 12])
def test_what_names_no_order_ends_with_2(terminal: Terminal, id: str) -> None:
    terminal.stop()
    assert terminal.run("order", "show", id) == 2
    assert terminal.run("orders", "--run", "../x") == 2


def test_a_damaged_order_is_listed_as_such(terminal: Terminal) -> None:
    order = terminal.stop()
    Path(terminal.store.url, "record/orders", order, "000002.json").write_text("{}")
    said = terminal.said("orders")
    assert "NOT GREEN" in said and "see `ledger audit verify`" in said


def test_the_audit_of_a_whole_record_ends_with_0_and_names_what_is_not_anchored(terminal: Terminal) -> None:
    terminal.stop()
    said = terminal.said("audit", "verify")
    assert said.splitlines()[-1].endswith("whole") and "no anchor has seen yet" in said


def test_the_audit_ends_with_1_and_names_the_place(terminal: Terminal) -> None:
    order = terminal.stop()
    Path(terminal.store.url, "record/orders", order, "000002.json").unlink()
    assert f"orders/{order}: gap" in terminal.said("audit", "verify", code=1)
    found = json.loads(terminal.said("audit", "verify", "--json", code=1))
    assert found["whole"] is False and found["problems"][0]["place"] == f"orders/{order}"


def test_the_audit_names_what_has_no_end(terminal: Terminal) -> None:
    Control(terminal.record, LAB).first()
    assert "no end since 2026-11-12" in terminal.said("audit", "verify", "--unfinished-after", "1", code=1)
    assert terminal.run("audit", "verify", "--unfinished-after", "99999") == 0
    assert MemoryFleet().stops == []
