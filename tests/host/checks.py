"""The checks the host itself makes before it runs an app, which indexing alone does not."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from tests.host.functions_host import Function

SETTING = re.compile(r"%([^%]+)%")
QUEUE = re.compile(r"(?=.{3,63}$)[a-z0-9]+(-[a-z0-9]+)*")
CRON_RANGES = ((0, 59), (0, 59), (0, 23), (1, 31), (1, 12), (0, 6))
CRON_PART = re.compile(r"(\*|\d+(-\d+)?)(/\d+)?")
BUILT_IN = {"httptrigger", "http", "timertrigger"}


def problems(app: Path, functions: Iterable[Function], values: Mapping[str, str]) -> list[str]:
    """Everything the host would refuse, as sentences; empty when it would start."""
    found = list(functions)
    return [*_settings_file(values), *_bundle(app, found), *(line for one in found for line in _function(one, values))]


def resolved(text: str, values: Mapping[str, str]) -> str:
    """%NAME% replaced by the app setting; KeyError names one that is not set."""
    return SETTING.sub(lambda match: values[match[1]], text)


def cron_fields(schedule: str) -> list[str]:
    """What is wrong with a six-field NCRONTAB schedule of numbers; names of days and months are left out on purpose."""
    fields = schedule.split()
    if len(fields) != 6:
        return [f"a schedule has six fields, not {len(fields)}: {schedule!r}"]
    return [
        f"field {place} of {schedule!r} is {field!r}"
        for place, (field, limits) in enumerate(zip(fields, CRON_RANGES, strict=True), start=1)
        if not all(_cron_part(part, *limits) for part in field.split(","))
    ]


def _cron_part(part: str, low: int, high: int) -> bool:
    if not CRON_PART.fullmatch(part):
        return False
    numbers = [int(digits) for digits in re.findall(r"\d+", part.partition("/")[0])]
    step = part.partition("/")[2]
    return all(low <= number <= high for number in numbers) and numbers == sorted(numbers) and step != "0"


def _settings_file(values: Mapping[str, Any]) -> list[str]:
    return [f"setting {name} is not a string" for name, value in values.items() if not isinstance(value, str)]


def _bundle(app: Path, functions: Iterable[Function]) -> list[str]:
    kinds = {str(binding["type"]).lower() for function in functions for binding in function.bindings}
    bundle = json.loads((app / "host.json").read_text()).get("extensionBundle", {})
    if not kinds - BUILT_IN or bundle.get("id") == "Microsoft.Azure.Functions.ExtensionBundle":
        return []
    return ["host.json names no extension bundle, but a binding needs one"]


def _function(function: Function, values: Mapping[str, str]) -> Iterator[str]:
    for binding in function.bindings:
        for line in _binding(binding, values):
            yield f"{function.name}: {line}"


def _binding(binding: Mapping[str, Any], values: Mapping[str, str]) -> Iterator[str]:
    texts = {key: value for key, value in binding.items() if isinstance(value, str)}
    missing = {name for text in texts.values() for name in SETTING.findall(text) if name not in values}
    if missing:
        yield f"unresolved setting {', '.join(sorted(missing))}"
        return
    if "schedule" in texts:
        yield from cron_fields(resolved(texts["schedule"], values))
    if "queueName" in texts and not QUEUE.fullmatch(resolved(texts["queueName"], values)):
        yield f"{texts['queueName']!r} is not a queue name"
    if "connection" in texts and not any(name.split("__")[0] == texts["connection"] for name in values):
        yield f"connection {texts['connection']} is not set"
