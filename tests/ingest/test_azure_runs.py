"""Which runs are whose bill: the newest ones, in pairs, of whole months; and what is told of the rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.azure_manifests import Part, Place, Run, Spot
from ingest.azure_runs import Bill, Chosen, Unread, choose, covered, misfit, of_scope
from ledger.faults import Rejected, Transient, reject

NOW = datetime(2026, 2, 10, 12, tzinfo=UTC)
TODAY = NOW - timedelta(hours=3)
PLACE = Place("", "costs", "")


def run(kind: str = "FocusCost", export: str = "", **changes: Any) -> Run:
    """A run of January, asked for today; `at` is when."""
    export = export or kind.lower()
    at = changes.pop("at", TODAY)
    first, last = changes.pop("first", date(2026, 1, 1)), changes.pop("last", date(2026, 1, 31))
    spot = Spot(PLACE, f"{export}/{first:%Y%m%d}-{last:%Y%m%d}/{at:%d%H%M}/manifest.json", at)
    parts = (Part(f"{spot.folder}part.csv", 1, 1),)
    made = {"digest": f"{export}{at}", "type": kind, "export": export, "scope": "sub", "version": "", "submitted": at}
    return Run(**{"spot": spot, **made, "first": first, "last": last, "parts": parts, **changes})


def chosen(*runs: Run, unread: Sequence[Unread] = (), names: Sequence[str] = (), basis: str = "amortized") -> Chosen:
    return choose(runs, unread, names, basis, NOW)


def told(found: Chosen) -> list[tuple[str, str, bool]]:
    """Export, month and whether it can be taken."""
    return [(bill.export, str(bill.period), bill.fault is None) for bill in found.bills]


def only(found: Chosen) -> Bill:
    [bill] = found.bills
    return bill


def test_a_focus_export_is_a_bill_of_its_own_and_the_newest_run_counts() -> None:
    old, new = run(at=TODAY - timedelta(days=1)), run()
    bill = only(chosen(new, old))
    assert (bill.runs, bill.digest, bill.manifest) == ((new,), new.digest, new.spot.label)


def test_what_counts_is_when_a_run_was_asked_for_and_not_where_it_lies() -> None:
    early, late = run(), run(at=TODAY - timedelta(days=1), submitted=TODAY + timedelta(hours=1))
    assert early.spot.name > late.spot.name
    assert only(chosen(early, late)).runs == only(chosen(late, early)).runs == (late,)


def test_actual_and_amortized_are_a_pair_whatever_they_are_called() -> None:
    actual, amortized = run("ActualCost", "a"), run("AmortizedCost", "m", at=TODAY + timedelta(hours=1))
    bill = only(chosen(amortized, actual))
    assert (bill.export, bill.runs, bill.fault) == ("a + m", (actual, amortized), None)
    other = only(chosen(run("AmortizedCost", "m"), actual))
    assert len(bill.digest) == 64 and bill.digest != other.digest


def test_only_runs_of_one_scope_are_a_pair() -> None:
    found = chosen(run("ActualCost", scope="sub"), run("AmortizedCost", scope="other"))
    assert [bill.fault is None for bill in found.bills] == [False, False]


@pytest.mark.parametrize(("kind", "missing"), [("ActualCost", "AmortizedCost"), ("AmortizedCost", "ActualCost")])
@pytest.mark.parametrize(("age", "fault"), [(timedelta(hours=3), Transient), (timedelta(days=3), Rejected)])
def test_a_half_says_which_one_is_missing(kind: str, missing: str, age: timedelta, fault: type[Exception]) -> None:
    bill = only(chosen(run(kind, at=NOW - age)))
    assert isinstance(bill.fault, fault)
    assert f"the {missing} export of the same scope is missing" in str(bill.fault)


def test_actual_cost_may_be_taken_alone() -> None:
    actual, amortized = run("ActualCost"), run("AmortizedCost")
    assert only(chosen(actual, amortized, basis="actual")).runs == (actual,)
    assert only(chosen(actual, basis="actual")).fault is None
    assert "only an amortized-cost export" in str(only(chosen(amortized, basis="actual")).fault)


FEBRUARY: dict[str, Any] = {"first": date(2026, 2, 1), "last": date(2026, 2, 28)}


def test_halves_of_different_days_wait_for_each_other() -> None:
    late, early = run("ActualCost", **FEBRUARY), run("AmortizedCost", **FEBRUARY, at=TODAY - timedelta(days=1))
    bill = only(chosen(late, early))
    assert isinstance(bill.fault, Transient)
    assert "until 2026-02-10" in str(bill.fault) and "only until 2026-02-09" in str(bill.fault)
    stale = run("AmortizedCost", **FEBRUARY, at=NOW - timedelta(days=9))
    lone = only(chosen(run("ActualCost", **FEBRUARY, at=NOW - timedelta(days=3)), stale))
    assert isinstance(lone.fault, Rejected)


def test_halves_of_one_night_are_of_one_day() -> None:
    midnight = datetime(2026, 2, 10, tzinfo=UTC)
    before, after = midnight - timedelta(minutes=10), midnight + timedelta(minutes=10)
    pair = chosen(run("ActualCost", **FEBRUARY, at=before), run("AmortizedCost", **FEBRUARY, at=after))
    assert only(pair).fault is None


def test_of_a_closed_month_the_day_of_the_run_does_not_matter() -> None:
    assert only(chosen(run("ActualCost"), run("AmortizedCost", at=TODAY - timedelta(days=4)))).fault is None
    assert covered(run()) == date(2026, 1, 31)


def test_two_exports_of_one_kind_are_not_guessed_at() -> None:
    found = only(chosen(run("ActualCost", "a"), run("ActualCost", "b"), run("AmortizedCost", "m")))
    assert "a (ActualCost), b (ActualCost), m (AmortizedCost)" in str(found.fault)
    assert told(chosen(run(export="x"), run(export="y"))) == [("x", "2026-01", True), ("y", "2026-01", True)]


def test_exports_are_chosen_by_name() -> None:
    runs = run("ActualCost", "a"), run("ActualCost", "b"), run("AmortizedCost", "m"), run(export="f")
    assert told(chosen(*runs, names=["A", "m"])) == [("a + m", "2026-01", True)]
    assert told(chosen(*runs, names=["f"])) == [("f", "2026-01", True)]
    with pytest.raises(Rejected, match="called none here; there are: a, b, f, m"):
        chosen(*runs, names=["none"])


def test_exports_are_chosen_by_scope() -> None:
    ours, theirs, sheet = run(scope="subscriptions/a"), run(scope="subscriptions/b"), run("PriceSheet", scope="x")
    assert of_scope([ours, theirs, sheet], "/Subscriptions/A/") == [ours, sheet]
    assert of_scope([ours, theirs], "") == [ours, theirs]
    assert of_scope([sheet], "/x") == [sheet]
    with pytest.raises(Rejected, match="there are: /subscriptions/a, /subscriptions/b"):
        of_scope([ours, theirs, sheet], "/subscriptions/c")


def test_a_daily_and_a_monthly_export_that_are_both_named_are_one() -> None:
    daily, monthly = run(export="daily", at=TODAY - timedelta(days=5)), run(export="monthly")
    assert told(chosen(daily, monthly, names=["daily", "monthly"])) == [("monthly", "2026-01", True)]


def test_what_is_no_bill_is_told_once() -> None:
    found = chosen(run(), run("ReservationDetails"), run("ReservationDetails", at=TODAY - timedelta(days=1)))
    assert told(found) == [("focuscost", "2026-01", True)]
    [ignored] = found.ignored
    assert "of type ReservationDetails, no bill" in ignored


def test_a_usage_export_is_actual_cost_alone() -> None:
    usage = run("Usage")
    assert "actual cost alone" in str(only(chosen(usage)).fault)
    assert only(chosen(usage, basis="actual")).runs == (usage,)
    beside = chosen(usage, run())
    assert told(beside) == [("focuscost", "2026-01", True)] and "of type Usage" in beside.ignored[0]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({}, ""),
        ({"last": date(2026, 2, 1)}, ""),  # an end that is not part of it
        ({"last": date(2026, 2, 2)}, "several months"),
        ({"first": date(2025, 11, 1)}, "several months"),
        ({"first": date(2026, 1, 2)}, "first days"),
        ({"last": date(2026, 1, 15)}, "last days"),
        ({"first": date(2026, 2, 1), "last": date(2026, 2, 9)}, ""),  # to date
        ({"first": date(2026, 2, 1), "last": date(2026, 2, 5)}, "last days"),
    ],
)
def test_a_run_is_of_a_whole_month_or_of_one_to_date(changes: dict[str, Any], reason: str) -> None:
    found = misfit(run(**changes))
    assert reason in found and bool(found) == bool(reason)


def test_a_run_of_several_months_is_refused_for_each_that_has_nothing_better() -> None:
    long = run(export="history", first=date(2025, 11, 1))
    found = chosen(long, run())
    assert told(found) == [
        ("focuscost", "2026-01", True),
        ("history", "2025-11", False),
        ("history", "2025-12", False),
    ]
    assert "BillingMonthToDate" in str(found.bills[1].fault)
    [ignored] = found.ignored
    assert "several months" in ignored


def test_a_run_of_a_thousand_years_is_no_work() -> None:
    assert len(chosen(run(first=date(2000, 1, 1), last=date(2199, 12, 31))).bills) <= 24


def broken(export: str, at: datetime, fault: Rejected | Transient | None = None) -> Unread:
    spot = Spot(PLACE, f"{export}/20260101-20260131/{at:%d%H%M}x/manifest.json", at)
    return Unread(spot, fault or reject("it is not JSON", "Run it again.", "azure-manifest", file=spot.label))


def test_a_newer_manifest_that_cannot_be_read_is_the_months_fault() -> None:
    found = chosen(run(), unread=[broken("focuscost", TODAY + timedelta(hours=1))])
    assert "not JSON" in str(only(found).fault)


def test_it_is_no_other_exports_fault_where_folders_are_in_the_other_order() -> None:
    days = "20260101-20260131"
    sound = run(export="f", spot=Spot(PLACE, f"{days}/f/manifest.json", TODAY))
    later = [replace(broken("f", NOW), spot=Spot(PLACE, f"{days}/{name}/manifest.json", NOW)) for name in ("f", "g")]
    assert only(chosen(sound, unread=later[1:])).fault is None
    assert only(chosen(sound, unread=later)).fault is later[0].fault


def test_an_older_one_gives_way() -> None:
    found = chosen(run(), unread=[broken("focuscost", TODAY - timedelta(hours=1))])
    assert only(found).fault is None
    assert "not JSON" in found.ignored[0]


def test_one_of_a_month_without_any_other_stands_for_it() -> None:
    found = chosen(run(**FEBRUARY), unread=[broken("focuscost", TODAY)])
    assert told(found) == [("focuscost", "2026-01", False), ("focuscost", "2026-02", True)]


def test_one_of_an_export_that_is_not_meant_does_no_harm() -> None:
    found = chosen(run(export="f"), unread=[broken("other", TODAY)], names=["f"])
    assert told(found) == [("f", "2026-01", True)]


def test_a_run_with_broken_files_is_the_months_fault_and_not_the_run_before() -> None:
    fault = reject("blobs is empty", "Run it again.", "azure-manifest")
    found = chosen(run(at=TODAY - timedelta(days=1)), run(parts=(), fault=fault))
    assert only(found).fault is fault


def test_a_price_sheet_goes_with_the_bills_of_its_scope() -> None:
    january, february = run("PriceSheet"), run("PriceSheet", **FEBRUARY)
    newer = run("PriceSheet", at=TODAY + timedelta(hours=1))
    march = run(first=date(2026, 3, 1), last=date(2026, 3, 31), at=datetime(2026, 4, 2, tzinfo=UTC))
    inner = run(export="inner", scope="sub/profile", **FEBRUARY)
    found = {
        bill.export + str(bill.period): bill.prices
        for bill in chosen(january, february, newer, march, inner, run(), run(export="o", scope="sub2")).bills
    }
    assert found == {
        "focuscost2026-01": newer,
        "focuscost2026-03": february,
        "inner2026-02": february,
        "o2026-01": None,
    }


RUNS = st.lists(
    st.builds(
        run,
        st.sampled_from(["FocusCost", "ActualCost", "AmortizedCost", "Usage", "PriceSheet", "Else"]),
        st.sampled_from(["a", "b"]),
        at=st.datetimes(datetime(2025, 12, 1), datetime(2026, 2, 10), timezones=st.just(UTC)),
        first=st.dates(date(2025, 11, 1), date(2026, 2, 28)),
        last=st.dates(date(2025, 11, 1), date(2026, 2, 28)),
        scope=st.sampled_from(["", "s", "s/t"]),
    ),
    max_size=8,
)


@given(RUNS, st.sampled_from(["amortized", "actual"]))
def test_every_bill_is_of_one_month_and_of_runs_that_fit_it(runs: list[Run], basis: str) -> None:
    for bill in choose(runs, (), (), basis, NOW).bills:
        for one in bill.runs:
            assert (one.first.year, one.first.month) == (bill.period.year, bill.period.month)
        if bill.fault is None:
            assert len({one.scope for one in bill.runs}) == 1
            kinds = sorted(one.type for one in bill.runs)
            assert kinds in (["FocusCost"], ["ActualCost", "AmortizedCost"]) or basis == "actual"


def test_a_run_of_fewer_days_does_not_take_the_place_of_the_whole_month() -> None:
    whole = run(at=datetime(2026, 2, 1, 6, tzinfo=UTC))
    short = run(at=datetime(2026, 2, 2, 6, tzinfo=UTC), last=date(2026, 1, 30))
    assert only(chosen(whole, short)).runs == (whole,)


def test_of_exports_named_together_a_newer_one_that_cannot_be_read_is_the_months_fault() -> None:
    busy = Transient("the blob service is busy")
    names, other = ["daily", "monthly"], run(export="monthly", **FEBRUARY)
    later = broken("monthly", TODAY + timedelta(hours=1), busy)
    january, _ = chosen(run(export="daily"), other, unread=[later], names=names).bills
    assert january.fault is busy
    sooner = broken("monthly", TODAY - timedelta(hours=1), busy)
    january, _ = chosen(run(export="daily"), other, unread=[sooner], names=names).bills
    assert january.fault is None
