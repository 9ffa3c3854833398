"""What is installed, deployed and pinned: pyproject.toml, requirements, .funcignore and the folders agree."""

from __future__ import annotations

import fnmatch
import importlib.util
import re
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from tests.house.source import BESIDE, ROOMS, ROOT, files, modules, project, relative, top_level_modules

PINNED = re.compile(r"([A-Za-z0-9._-]+)(\[[a-z,]+\])?==[0-9][A-Za-z0-9.]*(; python_version [<>=]+ \"3\.\d+\")?")
OWN = "focus-governance-ledger"
REQUIREMENTS = [path for path in files() if re.fullmatch(r"(requirements.*|constraints)\.txt", path.name)]
STAYS_HERE = ("bench", "demo", "docs", "emulators", "infra", "samples", "tests", "tools")


def lines(path: Path) -> list[str]:
    text = path.read_text(encoding="utf-8").splitlines()
    return [line.strip() for line in text if line.strip() and not line.startswith(("#", "-c "))]


def distribution(requirement: str) -> str:
    match = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert match, requirement
    return re.sub(r"[-_.]+", "-", match[0]).lower()


def test_packages_listed_are_the_folders_there_are() -> None:
    folders = {module.name for module in modules() if module.path.name == "__init__.py" and module.room in ROOMS}
    assert set(project()["tool"]["setuptools"]["packages"]) == folders


def test_modules_listed_are_those_of_the_top_level() -> None:
    assert set(project()["tool"]["setuptools"]["py-modules"]) == top_level_modules()


def test_every_data_file_of_a_package_is_packaged() -> None:
    patterns = project()["tool"]["setuptools"]["package-data"]["*"]
    data = [path for path in files() if path.relative_to(ROOT).parts[0] in ROOMS and path.suffix not in (".py", ".md")]
    assert [relative(path) for path in data if not any(fnmatch.fnmatch(path.name, item) for item in patterns)] == []


@pytest.mark.parametrize("name", sorted({*ROOMS, *BESIDE, *top_level_modules()}))
def test_a_top_level_name_is_ours_alone(name: str) -> None:
    spec = importlib.util.find_spec(name)
    assert spec, name
    places = [spec.origin] if spec.origin else list(spec.submodule_search_locations or [])
    assert all(Path(str(place)).is_relative_to(ROOT) for place in places)
    assert set(packages_distributions().get(name, [])) <= {OWN}
    assert name not in sys.stdlib_module_names


@pytest.mark.parametrize("path", REQUIREMENTS, ids=relative)
def test_requirements_are_pinned(path: Path) -> None:
    assert [line for line in lines(path) if not PINNED.fullmatch(line)] == []


def test_the_project_needs_what_is_pinned() -> None:
    named = {distribution(item) for item in project()["project"]["dependencies"]}
    assert named == {distribution(line) for line in lines(ROOT / "requirements.txt")}


@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13"])
def test_one_version_of_the_functions_package_is_chosen(version: str) -> None:
    choices = [line for line in lines(ROOT / "requirements.txt") if distribution(line) == "azure-functions"]
    minor, boundary = int(version.split(".")[1]), 13
    chosen = [line for line in choices if (">=" in line.split(";")[1]) == (minor >= boundary)]
    assert len(chosen) == 1


def test_the_lock_file_names_no_registry() -> None:
    text = (ROOT / "tools/servers/azurite/package-lock.json").read_text(encoding="utf-8")
    assert re.findall(r'"resolved": "(?!https://registry\.npmjs\.org/)', text) == []


@pytest.mark.parametrize("folder", STAYS_HERE)
def test_a_folder_stays_out_of_wheel_and_zip(folder: str) -> None:
    assert f"{folder}/" in lines(ROOT / ".funcignore")
    assert folder not in project()["tool"]["setuptools"]["packages"]


def test_the_zip_carries_what_the_service_imports() -> None:
    kept = {*(f"{room}/" for room in ROOMS), "function_app.py", "host.json"}
    assert not kept & set(lines(ROOT / ".funcignore"))
