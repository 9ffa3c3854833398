"""Files and functions stay short enough to be read in one go."""

from __future__ import annotations

from statistics import median, quantiles

from tests.house.source import Body, modules, relative

LONGEST_FILE = 350
LONGEST_BODY = 40
MEDIAN_BODY = 6
NINE_IN_TEN = 22
VAGUE = ("common", "helper", "helpers", "manager", "misc", "util", "utils")


def bodies() -> list[Body]:
    return [body for module in modules() if module.room != "tests" for body in module.bodies()]


def test_a_file_fits_on_a_few_screens() -> None:
    lengths = {relative(module.path): len(module.path.read_text(encoding="utf-8").splitlines()) for module in modules()}
    assert {name: lines for name, lines in lengths.items() if lines >= LONGEST_FILE} == {}


def test_no_function_is_too_long_to_read() -> None:
    assert [body for module in modules() for body in module.bodies() if body.lines > LONGEST_BODY] == []


def test_most_functions_are_a_handful_of_lines() -> None:
    lines = [body.lines for body in bodies()]
    assert median(lines) <= MEDIAN_BODY
    assert quantiles(lines, n=10)[-1] < NINE_IN_TEN


def test_names_say_what_a_module_is_about() -> None:
    assert [module.name for module in modules() if set(module.name.split(".")) & set(VAGUE)] == []
