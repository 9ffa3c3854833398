"""How far contracts are used: pools, what is left, when it is used up, what is lost; unknown where rows are missing."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ledger.burn_down import BY_THE_HOUR, Standing, as_json, shares, standing, told
from ledger.contracts import Draw, Held, Pool, Term, pools
from ledger.delivery import Period

FIRST, LAST = date(2026, 1, 1), date(2026, 3, 31)
CAPACITY = Term("snow", "9", "9/capacity", "capacity", "USD", "", Decimal(300), FIRST, LAST, True)
MORE = replace(CAPACITY, id="9/more", type="additional capacity", amount=Decimal(50), first=date(2026, 2, 1))
FREE = replace(CAPACITY, id="9/free", type="free usage", amount=Decimal(20))
NEXT = replace(CAPACITY, id="9/next", first=date(2026, 4, 1), last=date(2027, 3, 31))
PLAN = replace(CAPACITY, contract="p", id="p", type="Savings Plan", is_item=False)


def draw(day: date, money: int | Decimal, **fields: Any) -> Draw:
    one = Draw("9", "9/capacity", "capacity", "USD", day, Decimal(money), Decimal(0))
    return replace(one, **fields)


def of(found: object, *names: str) -> tuple[Any, ...]:
    return tuple(getattr(found, name) for name in names)


def until(last: date, first: date = FIRST) -> Held:
    days = tuple(first + timedelta(days=number) for number in range((last - first).days + 1))
    return Held(days, frozenset(Period(day.year, day.month) for day in days))


def stand(*draws: Draw, held: Held, terms: tuple[Term, ...] = (CAPACITY,)) -> Standing:
    [pool], unknown = pools(terms, draws)
    assert unknown == []
    return standing(pool, held)


def test_what_is_left_is_used_up_at_the_rate_of_the_last_days() -> None:
    found = stand(draw(date(2026, 1, 5), 150), draw(date(2026, 1, 10), 50), held=until(date(2026, 1, 10)))
    assert of(found, "used", "left") == (200, 100)
    assert found.burn is not None and of(found.burn, "rate", "days") == (20, 10)
    assert of(found, "exhausted", "unused") == (date(2026, 1, 15), 0)


def test_the_rate_is_that_of_the_last_thirty_days_with_data() -> None:
    found = stand(draw(FIRST, 100), draw(date(2026, 2, 10), 30), held=until(date(2026, 2, 10)))
    assert found.burn is not None
    assert of(found.burn, "rate", "days", "since") == (1, 30, date(2026, 1, 12))
    assert of(found, "exhausted", "unused") == (None, 170 - 49)


def test_a_contract_that_is_over_has_lost_what_is_left() -> None:
    found = stand(draw(FIRST, 100), held=until(date(2026, 4, 20)))
    assert of(found, "exhausted", "unused") == (None, 200)


def test_a_contract_that_was_used_up_says_on_which_day() -> None:
    found = stand(draw(FIRST, 100), draw(date(2026, 1, 7), 200), held=until(date(2026, 2, 1)))
    assert of(found, "left", "exhausted", "unused") == (0, date(2026, 1, 7), 0)


def test_of_a_contract_that_nothing_was_drawn_from_all_is_lost() -> None:
    found = stand(held=until(date(2026, 1, 10)))
    assert of(found, "used", "left", "exhausted", "unused") == (0, 300, None, 300)


def test_the_balance_that_the_provider_states_is_held_against_the_rows() -> None:
    found = stand(draw(FIRST, 100, balance=Decimal(199)), draw(date(2026, 1, 7), 50), held=until(date(2026, 1, 7)))
    assert found.stated is not None
    assert of(found.stated, "day", "balance", "difference") == (FIRST, 199, 1)
    assert found.left == 150


def test_where_months_are_missing_the_stated_balance_is_what_is_left() -> None:
    held = until(date(2026, 2, 20), date(2026, 2, 1))
    drawn = (draw(date(2026, 2, 10), 40, balance=Decimal(60)), draw(date(2026, 2, 20), 10))
    found = stand(*drawn, held=held)
    assert found.notes == ("the ledger lacks months of it: 2026-01",)
    assert of(found, "used", "left", "exhausted") == (50, 50, date(2026, 3, 12))
    assert found.stated is not None and found.stated.difference is None
    assert stand(replace(drawn[0], balance=None), held=held).left is None


def test_items_of_one_balance_are_used_one_after_the_other() -> None:
    drawn = (draw(date(2026, 1, 5), 290), draw(date(2026, 2, 5), 25))
    found = stand(*drawn, held=until(date(2026, 2, 5)), terms=(MORE, CAPACITY))
    assert of(found, "used", "left") == (315, 35)
    used: dict[str, Any] = {term.id: share for term, share in shares(found.pool, found.used or Decimal(0))}
    assert used == {"9/capacity": 300, "9/more": 15}


def test_free_usage_a_later_term_and_other_currencies_are_pools_apart() -> None:
    euros = replace(CAPACITY, id="e", contract="10", currency="EUR")
    made, _ = pools((FREE, NEXT, MORE, CAPACITY, euros), ())
    assert [[term.id for term in pool.terms] for pool in made] == [
        ["e"],
        ["9/capacity", "9/more"],
        ["9/next"],
        ["9/free"],
    ]


def test_a_line_without_an_item_is_placed_by_its_contract_and_balance_or_told() -> None:
    fee = draw(date(2026, 1, 5), 7, commitment="")
    old = draw(date(2026, 1, 5), 8, commitment="9/capacity/as-it-was")
    strangers = [
        replace(fee, contract="8"),
        replace(fee, kind="rollover"),
        replace(fee, currency="EUR"),
        replace(fee, day=date(2026, 4, 1)),
    ]
    [pool], unknown = pools((CAPACITY,), [fee, old, *strangers])
    assert (pool.draws, unknown) == ((fee, old), strangers)


def test_what_is_committed_to_by_the_hour_has_nothing_to_burn_down() -> None:
    one = draw(FIRST, 100, contract="p", commitment="p", kind="")
    found = stand(one, held=until(FIRST), terms=(PLAN,))
    assert of(found, "used", "left", "unused", "notes") == (100, None, None, (BY_THE_HOUR,))
    hours = replace(PLAN, unit="Hours", type="Reserved Instance")
    assert stand(replace(one, quantity=Decimal(24)), held=until(FIRST), terms=(hours,)).used == 24


def test_an_amount_that_is_not_told_leaves_the_rest_unknown() -> None:
    found = stand(draw(FIRST, 1), held=until(FIRST), terms=(replace(CAPACITY, amount=None),))
    assert of(found, "used", "left", "exhausted", "unused") == (1, None, None, None)
    assert found.notes


AMOUNTS = st.decimals("-99", "99", places=6)
DRAWS = st.lists(
    st.builds(draw, st.integers(0, 120).map(lambda days: FIRST + timedelta(days=days)), AMOUNTS), max_size=8
)


@given(DRAWS, st.permutations([CAPACITY, MORE, FREE, NEXT]))
def test_every_draw_is_counted_once_and_shared_out_whole(draws: list[Draw], terms: list[Term]) -> None:
    made, unknown = pools(terms, draws)
    taken = [pool.taken(pool.draws) for pool in made]
    assert sum(taken, Decimal(0)) + sum((one.money for one in unknown), Decimal(0)) == sum(
        (one.money for one in draws), Decimal(0)
    )
    for pool, used in zip(made, taken, strict=True):
        assert sum((share for _, share in shares(pool, used)), Decimal(0)) == used


@given(DRAWS, st.integers(0, 200))
def test_what_is_left_is_never_both_used_up_and_lost(draws: list[Draw], days: int) -> None:
    held = until(FIRST + timedelta(days=days))
    pool = Pool((CAPACITY,), tuple(one for one in draws if one.day <= held.days[-1]))
    found = standing(pool, held)
    assert found.left is not None and found.used is not None and found.left + found.used == 300
    assert found.unused is not None and found.unused >= 0
    assert not (found.exhausted and found.unused)


def test_what_is_counted_in_no_unit_of_its_own_is_counted_in_that_of_its_draws() -> None:
    """A reservation that was bought before the ledger began."""
    term = replace(PLAN, type="Reservation", amount=None, is_counted=True)
    draws = [
        draw(FIRST, 0, contract="p", commitment="p", quantity=Decimal(10), unit=unit) for unit in ("Hours", "Hours")
    ]
    [pool], _ = pools([term], draws)
    assert (pool.unit, as_json(standing(pool, until(FIRST)))["used"]) == ("Hours", "20.00")
    assert "of an amount that is not told 20.00 Hours used" in "".join(told(as_json(standing(pool, until(FIRST)))))
    for unknown in ([], [draws[0], replace(draws[1], unit="GB")]):
        found = as_json(standing(replace(pool, draws=tuple(unknown)), until(FIRST)))
        assert (found["used"], found["unit"]) == (None, None)
        assert "how much of it was used is not told" in "".join(told(found))
