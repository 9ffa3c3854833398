"""The page of invariants tells what there is: each test it names exists, each number is one, and it is up to date."""

from __future__ import annotations

from tests.house.invariants import PAGE, all_tests, invariants, numbers, page, proven_by

KNOWN = invariants()
TESTS = all_tests()


def test_there_are_twenty_six_each_once() -> None:
    assert [one.number for one in KNOWN] == list(range(1, 27))


def test_every_test_that_is_named_exists() -> None:
    assert [test for one in KNOWN for test in one.more if test not in TESTS] == []


def test_every_number_in_a_tests_name_is_an_invariant() -> None:
    assert {number for test in TESTS for number in numbers(test)} <= {one.number for one in KNOWN}


def test_what_no_test_proves_is_said_to_be_open() -> None:
    assert [one.number for one in KNOWN if not proven_by(one, TESTS) and not one.open] == []


def test_a_name_may_prove_several() -> None:
    assert numbers("tests/x.py::test_invariant_3_15_a_lock") == {3, 15}
    assert numbers("tests/x.py::test_invariants_hold") == set()


def test_the_page_is_what_the_generator_writes() -> None:
    """Write it anew: python -m tests.house.invariants"""
    assert PAGE.read_text(encoding="utf-8") == page()
