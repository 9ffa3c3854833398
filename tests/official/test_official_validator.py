"""`ledger validate --focus 1.2` beside the official validator: rule by rule equal, or known to be wrong there and why.

Files: a sound one of 200 rows, and the same with planted faults. The official runs need its own environment.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path

import pytest

from bench import official
from bench.gen.focus_rows import write_focus
from focus import versions
from tests.official.faults import FILES, ROWS, plant

KNOWN = json.loads((Path(__file__).parent / "known-false-results.json").read_text(encoding="utf-8"))["results"]
VERDICTS = ("passed", "violated")
pytestmark = pytest.mark.xdist_group("official")  # one worker runs the validator, once a file
# A rule and the official verdict that ours is not.
Disagreement = tuple[str, str]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    folder = tmp_path_factory.mktemp("official")
    sound = write_focus(folder / "rows.csv", ROWS, "1.2", "csv")
    return {name: plant(faults, sound, folder / f"{name}.csv") for name, faults in FILES.items()}


@pytest.fixture(scope="module")
def ours(files: Mapping[str, Path]) -> Callable[[str], Mapping[str, str]]:
    """Rule id to our status on a file, by the command itself."""
    return cache(lambda name: validated(files[name]))


@pytest.fixture(scope="module")
def theirs(files: Mapping[str, Path]) -> Callable[[str], Mapping[str, str]]:
    if official.command() is None:
        pytest.skip(official.SET_UP)
    return cache(lambda name: official.verdicts(files[name]))


def validated(data: Path) -> Mapping[str, str]:
    command = [str(Path(sys.executable).with_name("ledger")), "validate", str(data), "--focus", "1.2"]
    options = ["--applicability", "all", "--format", "json"]
    done = subprocess.run([*command, *options], capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stderr
    return {verdict["rule"]: verdict["status"] for verdict in json.loads(done.stdout)["reports"][0]["verdicts"]}


def disagreements(their: Mapping[str, str], our: Mapping[str, str]) -> set[Disagreement]:
    """Rules that are violated on one side only, among those of which the official validator says something."""
    both = {rule for rule in their.keys() & our.keys() if their[rule] in VERDICTS}
    return {(rule, their[rule]) for rule in both if (their[rule] == "violated") != (our[rule] == "violated")}


def known() -> Iterator[tuple[Disagreement, bool]]:
    """(disagreement, whether the files here show it)."""
    for group in KNOWN:
        yield from (((rule, group["official"]), group["shown"]) for rule in group["rules"])


def test_every_planted_fault_is_reported_under_its_rule(ours: Callable[[str], Mapping[str, str]]) -> None:
    wanted = {(name, fault.rule) for name, faults in FILES.items() for fault in faults if fault.rule}
    assert {(name, rule) for name, rule in wanted if ours(name)[rule] != "violated"} == set()


@pytest.mark.parametrize("name", ["sound", "digits"])
def test_a_sound_file_breaks_no_rule(ours: Callable[[str], Mapping[str, str]], name: str) -> None:
    assert [rule for rule, status in ours(name).items() if status == "violated"] == []


def test_a_null_is_of_no_wrong_type(ours: Callable[[str], Mapping[str, str]]) -> None:
    types = [entry["id"] for entry in versions.rule_entries("1.2") if entry["kind"] == "type"]
    assert [rule for rule in types if ours("nulls")[rule] == "violated"] == []


@pytest.mark.optional
@pytest.mark.parametrize("name", FILES)
def test_the_official_verdicts_differ_only_where_they_are_known_to_be_wrong(
    ours: Callable[[str], Mapping[str, str]], theirs: Callable[[str], Mapping[str, str]], name: str
) -> None:
    assert disagreements(theirs(name), ours(name)) - {result for result, _ in known()} == set()


@pytest.mark.optional
def test_every_false_result_that_can_be_shown_is_shown(
    ours: Callable[[str], Mapping[str, str]], theirs: Callable[[str], Mapping[str, str]]
) -> None:
    seen = {result for name in FILES for result in disagreements(theirs(name), ours(name))}
    assert {result for result, shown in known() if shown} - seen == set()


def test_known_false_results_are_of_rules_that_exist() -> None:
    ids = {
        entry["id"].removeprefix("CAU-") for version in versions.VERSIONS for entry in versions.rule_entries(version)
    }
    assert {rule for (rule, _), _ in known()} <= ids
    assert all(group["why"].endswith(".") for group in KNOWN)


def test_the_console_output_is_read_to_the_last_rule() -> None:
    text = "Total: 3 | Pass: 1 | Fail: 1 | Skipped: 1\n✅ A-C-001-M: PASS  (violations=0)\n"
    text += "❌ B-C-002-O: FAIL  (violations=4, msg=x)\n⏭️ C-A-003-C: SKIPPED  (reason=y)\n"
    assert official.parsed(text) == {"A-C-001-M": "passed", "B-C-002-O": "violated", "C-A-003-C": "skipped"}
    with pytest.raises(ValueError, match="2 verdicts read"):
        official.parsed(text[: text.rindex("\n⏭️")])
