"""The pages say what is so: commands exist, options are documented, links lead somewhere."""

from __future__ import annotations

import argparse
import re
from collections.abc import Collection, Iterator
from pathlib import Path

import pytest

import cli
from tests.house.source import ROOT, files, relative

HAND_WRITTEN = (".bicep", ".md", ".py", ".sql", ".toml", ".txt", "")
LINK = r"\]\((?!https?://|#)([^)#]+)"
EXCUSE = re.compile(r"#\s*(noqa: [A-Z0-9, ]+|type: ignore\[[a-z, -]+\])\s+(#|-)\s*\w+")


def texts() -> list[Path]:
    return [path for path in files() if path.suffix in HAND_WRITTEN]


def found(pattern: str, allowed: Collection[str] = ()) -> list[tuple[str, str]]:
    """(file, match) of every match in the repository's hand-written texts that is not allowed."""
    pairs = [(relative(path), hit) for path in texts() for hit in re.findall(pattern, path.read_text(encoding="utf-8"))]
    return [pair for pair in pairs if pair[1] not in allowed]


def commands() -> dict[str, argparse.ArgumentParser]:
    """Every command by its words: `summary`, `azure exports`."""
    return dict(_commands(cli.parser(), ()))


def _commands(parser: argparse.ArgumentParser, words: tuple[str, ...]) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    groups = [item for item in parser._actions if isinstance(item, argparse._SubParsersAction)]
    if not groups:
        yield " ".join(words), parser
    for name, inner in [pair for group in groups for pair in group.choices.items()]:
        yield from _commands(inner, (*words, name))


def options(command: argparse.ArgumentParser) -> set[str]:
    return {option for action in command._actions for option in action.option_strings if option.startswith("--")}


def sections() -> dict[str, str]:
    text = (ROOT / "docs/cli.md").read_text(encoding="utf-8")
    return dict(re.findall(r"^## ledger ([a-z ]+)\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL))


def test_every_command_has_its_section() -> None:
    assert set(sections()) == set(commands())


@pytest.mark.parametrize("name", sorted(commands()))
def test_a_section_lists_the_options_there_are(name: str) -> None:
    listed = set(re.findall(r"^\| `(--[a-z-]+)", sections()[name], re.MULTILINE))
    assert listed == options(commands()[name]) - {"--help"}


def test_make_targets_that_are_named_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert found(r"`make ([a-z-]+)", allowed=targets) == []


def test_no_text_names_a_machine() -> None:
    assert found(r"/(?:root|work|home/\w+|Users/\w+)/") == []


def test_nothing_is_left_for_later() -> None:
    assert found(r"\b(?:TO" + r"DO|FIX" + r"ME)\b") == []


def test_an_exception_from_a_rule_says_why() -> None:
    lines = [(path, line) for path in texts() if path.suffix == ".py" for line in path.read_text().splitlines()]
    excused = [(relative(path), line) for path, line in lines if re.search(r"#\s*(noqa|type: ignore)", line)]
    assert [pair for pair in excused if not EXCUSE.search(pair[1])] == []


def test_a_link_leads_to_a_file() -> None:
    pages = [path for path in files() if path.suffix == ".md"]
    links = [(path, link) for path in pages for link in re.findall(LINK, path.read_text(encoding="utf-8"))]
    assert [(relative(path), link) for path, link in links if not (path.parent / link).exists()] == []


def test_the_readme_gives_the_two_commands() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "make demo" in text
    assert "make test" in text
    assert "make test" in (ROOT / ".ci/run").read_text(encoding="utf-8")


def test_every_key_of_the_settings_file_is_explained() -> None:
    code = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "settings").glob("*.py"))
    page = (ROOT / "docs/settings.md").read_text(encoding="utf-8")
    keys = set(re.findall(r'entry\.(?:take|need)\("(\w+)"', code))
    assert len(keys) > 15
    assert {key for key in keys if f"`{key}`" not in page} == set()
