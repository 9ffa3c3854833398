"""The emulated Resource Manager, found by whatever asks in this process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

import pytest

from emulators.arm import Arm
from emulators.cloud import Cloud


@contextmanager
def found_arm(now: datetime, monkeypatch: pytest.MonkeyPatch) -> Iterator[Arm]:
    with Arm(Cloud(now)) as running:
        for name, value in running.environment().items():
            monkeypatch.setenv(name, value)
        yield running
