"""The host's settings that the product relies on."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.host.functions_host import ROOT


@pytest.fixture
def document() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((ROOT / "host.json").read_text())
    return found


def test_a_message_has_five_tries_half_a_minute_apart(document: dict[str, Any]) -> None:
    queues = document["extensions"]["queues"]
    assert (queues["maxDequeueCount"], queues["visibilityTimeout"]) == (5, "00:00:30")


def test_messages_are_base64(document: dict[str, Any]) -> None:
    assert document["extensions"]["queues"]["messageEncoding"] == "base64"


def test_the_extension_bundle_is_named(document: dict[str, Any]) -> None:
    assert document["version"] == "2.0"
    assert document["extensionBundle"]["id"] == "Microsoft.Azure.Functions.ExtensionBundle"


def test_the_sample_settings_hold_no_secret_and_stop_nothing(sample_values: dict[str, str]) -> None:
    assert sample_values["AzureWebJobsStorage"] == "UseDevelopmentStorage=true"
    assert sample_values["LEDGER_LIVE"] == "false"
