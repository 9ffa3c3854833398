"""New exports of Azure whose answer never comes: read back before anything is said of them."""

from __future__ import annotations

import pytest

from emulators.arm import Arm
from emulators.control_plane import Dropped, Reply
from emulators.cost_exports import ExportsApi
from emulators.cost_management import Asked
from tests.test_cli_azure_exports import PLACE, SUBSCRIPTION, Run, export
from tests.test_cli_azure_exports import api as api
from tests.test_cli_azure_exports import arm as arm
from tests.test_cli_azure_exports import run as run


@pytest.mark.parametrize("answered_again", [True, False], ids=["the-next-is-refused", "never-answered"])
def test_an_export_whose_answer_is_lost_is_read_back(answered_again: bool, arm: Arm, api: ExportsApi, run: Run) -> None:
    lost: list[str] = []

    def lossy(asked: Asked) -> Reply:
        if asked.method != "PUT" or (lost and answered_again):
            return api(asked)
        lost.append(asked.rest[0])
        api(asked)
        raise Dropped

    arm.cost.handlers["exports"] = lossy
    code, document, _ = run(*PLACE, "--apply", "--type", "FocusCost", "--last-month")
    assert (code, document["done"]) == (
        0,
        [{"name": "ledger-focus", "created": True, "ran": True, "fault": None, "later": False}],
    )
    assert [name for name, _ in api.runs] == ["ledger-focus"] and lost


def test_an_export_of_somebody_else_is_not_taken_for_the_own_whose_answer_was_lost(
    arm: Arm, api: ExportsApi, run: Run
) -> None:
    def theirs(asked: Asked) -> Reply:
        if asked.method == "PUT":
            api.add(SUBSCRIPTION, "ledger-focus", export("definition.timeframe", "TheLastMonth"))
            raise Dropped
        return api(asked)

    arm.cost.handlers["exports"] = theirs
    code, document, _ = run(*PLACE, "--apply", "--type", "FocusCost", "--last-month")
    [done] = document["done"]
    assert (code, done["created"], done["later"], api.runs) == (3, False, True, [])


def test_an_export_that_cannot_be_read_back_is_neither_created_nor_not(arm: Arm, api: ExportsApi, run: Run) -> None:
    def silent(asked: Asked) -> Reply:
        if asked.method == "PUT" or "PUT" in {one.method for one in arm.cost.asked}:
            raise Dropped
        return api(asked)

    arm.cost.handlers["exports"] = silent
    code, document, _ = run(*PLACE, "--apply", "--type", "FocusCost")
    assert (code, document["done"][0]["later"]) == (3, True)
    assert "whether it was created is not known" in document["done"][0]["fault"]
