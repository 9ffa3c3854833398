"""One spelling per value, one order per machine, and alerts that survive the record."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance import streams
from governance.alert import parse
from governance.canonical import canonical, digest, plain
from governance.model import Alert
from tests.governance.scene import BUDGETS, NOW, machine, payload

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)


@given(st.dictionaries(st.text(max_size=5), values, max_size=4))
def test_the_order_of_keys_does_not_matter_and_nothing_is_lost(value: dict[str, object]) -> None:
    backwards = dict(reversed(value.items()))
    assert canonical(value) == canonical(backwards)
    assert json.loads(canonical(value)) == value


def test_money_keeps_its_digits_and_a_float_is_refused() -> None:
    assert canonical({"spent": Decimal("0.800")}) == b'{"spent":"0.800"}'
    assert canonical(Decimal("1E+3")) == b'"1000"'
    with pytest.raises(TypeError):
        canonical({"spent": 0.8})


def test_one_order_per_run_and_machine_however_its_id_is_written() -> None:
    id = machine("a").id
    assert streams.order_key("run", id) == streams.order_key("run", id.upper())
    assert streams.order_key("run", id) != streams.order_key("other", id)
    assert streams.order_key("run", id) != streams.order_key("run", machine("b").id)


def test_a_budget_is_found_however_its_id_is_written() -> None:
    assert streams.budget_of(BUDGETS, BUDGETS[1].id.upper()) is BUDGETS[1]
    assert streams.budget_of(BUDGETS, "x") is None


@pytest.mark.parametrize("form", ["common-actual", "common-forecast", "legacy", "legacy-short"])
def test_an_alert_comes_back_from_the_record_as_it_was(form: str) -> None:
    alert = parse(payload(form), budgets=BUDGETS, now=NOW)
    assert isinstance(alert, Alert)
    body = plain(alert)
    assert isinstance(body, dict)
    assert streams.alert_of(json.loads(json.dumps(body))) == alert


def test_a_seal_is_given_to_anything() -> None:
    odd = [b"x", None, 1.5, {"x": float("nan")}, object, datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=1)))]
    assert len({streams.seal(one) for one in odd}) == len(odd)
    assert streams.seal({"a": 1, "b": 2}) == streams.seal({"b": 2, "a": 1}) == digest({"a": 1, "b": 2})
    assert streams.seal(datetime(2026, 1, 1, tzinfo=UTC)) == digest("2026-01-01T00:00:00+00:00")
