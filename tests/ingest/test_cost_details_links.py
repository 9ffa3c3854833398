"""Parts of Cost Details reports behind links: cut, busy, gone bad, restated, and never seen by anyone."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta

import pytest

from emulators.blob_links import Blobs
from emulators.cost_reports import BOM
from ledger.faults import Rejected, Transient
from tests.asked_reports import ENROLLMENT, PARTS, Asking


def test_a_cut_download_goes_on_where_it_broke_off(asking: Asking) -> None:
    asking.reports.blobs.cut = 2
    assert asking.fetched() == asking.whole
    ranges = [headers["Range"] for headers in asking.reports.blobs.got if "Range" in headers]
    assert ranges == ["bytes=5-", "bytes=8-"]


@pytest.mark.parametrize("status", [408, 429, 500, 503])
def test_a_busy_blob_host_is_waited_for(asking: Asking, status: int) -> None:
    asking.reports.blobs.answers = [(status, {"Retry-After": "9"})]
    assert asking.fetched() == asking.whole
    assert 9 in asking.waited


def test_a_connection_that_is_cut_again_and_again_comes_later(asking: Asking) -> None:
    asking.reports.blobs.cut = 99
    with pytest.raises(Transient, match=r"part 1: \d+ of 11 bytes came in 4 connections"):
        asking.fetched()


@pytest.mark.parametrize("host", ["127.0.0.1:99999", "a..b", "x" * 80])
def test_a_host_that_cannot_be_comes_later(asking: Asking, host: str) -> None:
    blob = {"blobLink": f"https://{host}/x?sig=topsecret", "byteCount": 3}
    asking.reports.changes = {"blobs": [blob], "blobCount": 1, "byteCount": 3}
    with pytest.raises(Transient, match="0 of 3 bytes") as caught:
        asking.fetched()
    assert "topsecret" not in f"{caught.value} {caught.value.__cause__} {caught.value.__context__}"


@pytest.mark.parametrize("size", [10, 12])
def test_a_part_of_another_length_than_told_comes_later(asking: Asking, size: int) -> None:
    link = asking.reports.blobs.put(BOM + b"a,b\n1,2\n")
    asking.reports.changes = {"blobs": [{"blobLink": link, "byteCount": size}], "blobCount": 1, "byteCount": size}
    with pytest.raises(Transient, match=r"longer than the 10|11 of 12 bytes"):
        asking.fetched()
    assert list(asking.folder.iterdir()) == []


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(asking: Asking, status: int) -> None:
    with Blobs() as other:
        asking.reports.blobs.answers = [(status, {"Location": other.put(b"x")})]
        with pytest.raises(Rejected, match=f"answers {status}"):
            asking.fetched()
        assert other.got == []


def test_links_past_their_time_are_not_asked_and_the_report_is_made_again(asking: Asking) -> None:
    source = asking.source()
    [offer] = source.offers()
    asking.now = datetime.now(UTC) + timedelta(hours=2)
    asking.reports.lifetime = timedelta(days=1)
    source.download(offer.files[0], asking.folder / "a")
    assert (asking.folder / "a").read_bytes() == BOM + PARTS["ActualCost"][0]
    assert (len(asking.reports.blobs.got), len(asking.reports.questions)) == (1, 3)


def test_a_month_that_ends_meanwhile_is_asked_for_as_on_the_day_it_was_begun_with(asking: Asking) -> None:
    asking.now, asking.passing = datetime(2026, 1, 31, 23, 59, 59, tzinfo=UTC), timedelta(seconds=1)
    source = asking.source()
    [offer] = source.offers()
    asking.reports.blobs.expire()
    source.download(offer.files[0], asking.folder / "a")
    asked = [question["timePeriod"] for question in asking.reports.questions]
    assert asked == [{"start": "2026-01-01", "end": "2026-01-31"}] * 3
    assert asking.now.month == 2


def test_links_that_went_bad_between_two_parts_are_made_again_and_what_was_read_is_held_against_it(
    asking: Asking,
) -> None:
    source = asking.source()
    [offer] = source.offers()
    source.download(offer.files[0], asking.folder / "a")
    asking.reports.blobs.expire()
    source.download(offer.files[1], asking.folder / "b")
    assert (asking.folder / "b").read_bytes() == BOM + PARTS["ActualCost"][1]
    assert sorted(path.name for path in asking.folder.iterdir()) == ["a", "b"]
    assert len(asking.reports.questions) == 3


@pytest.mark.parametrize(
    "parts", [[b"a,b\n1,9\n", b"a,b\n3,4\n"], [b"a,b\n1,2\n"], [b"a,b\n1,2\n", b"a,b\n3,4\n5,6\n"]]
)
def test_a_report_that_changed_meanwhile_comes_later(asking: Asking, parts: list[bytes]) -> None:
    source = asking.source()
    [offer] = source.offers()
    source.download(offer.files[0], asking.folder / "a")
    asking.reports.blobs.expire()
    asking.reports.give(ENROLLMENT, "ActualCost", "2026-01", *parts)
    with pytest.raises(Transient, match="changed while it was being read"):
        source.download(offer.files[1], asking.folder / "b")
    assert [path.name for path in asking.folder.iterdir()] == ["a"]


def test_links_that_go_bad_twice_come_later(asking: Asking) -> None:
    source = asking.source()
    [offer] = source.offers()
    asking.reports.blobs.answers = [(403, {}), (404, {})]
    with pytest.raises(Transient, match="no longer good"):
        source.download(offer.files[0], asking.folder / "a")
    assert len(asking.reports.questions) == 3


def test_a_report_is_made_again_once_and_not_for_each_part(asking: Asking) -> None:
    source = asking.source()
    [offer] = source.offers()
    asking.reports.blobs.expire()
    source.download(offer.files[0], asking.folder / "a")
    asking.reports.blobs.expire()
    with pytest.raises(Transient, match="made again once already"):
        source.download(offer.files[1], asking.folder / "b")
    assert len(asking.reports.questions) == 3


def test_no_link_is_in_any_log_or_message(asking: Asking, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    asking.reports.blobs.cut = 99
    with pytest.raises(Transient) as caught:
        asking.fetched()
    secrets = [path.partition("sig=")[2] for path in asking.reports.blobs.held]
    chain = f"{caught.value!r} {caught.value.__cause__!r} {caught.value.__context__!r}"
    assert len(secrets) == 3 and not any(one in caplog.text + chain for one in secrets)
