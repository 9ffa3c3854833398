"""Flawed FOCUS files given to `ledger validate`: each flaw is a finding with its place, or a clear refusal."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest

from bench.gen.focus_rows import write_commitments, write_focus
from tests.focus_files import as_csv, spoilt, table, validate, write_csv, write_parquet

Capsys = pytest.CaptureFixture[str]
Table = list[list[str]]
Flawed = tuple[str, Callable[[str], bytes], set[str]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("sound")


@pytest.fixture(scope="module")
def sound(folder: Path) -> Table:
    return table(folder)


@pytest.fixture(scope="module")
def typed(folder: Path) -> Path:
    return write_focus(folder / "typed.parquet", 200)


CELLS = (
    ("BilledCost", "1.5e3", "NumericFormat-A-002-M"),
    ("BilledCost", "NaN", "CAU-BilledCost-C-001-M"),
    ("BillingPeriodStart", "2025-09-01T00:00:00", "DateTimeFormat-A-003-M"),
    ("Tags", "{not json", "CAU-Tags-C-001-M"),
    ("ChargeCategory", "Bogus", "CAU-ChargeCategory-C-003-M"),
)


@pytest.mark.parametrize(("column", "value", "rule"), CELLS)
def test_a_bad_value_is_found_in_its_row(
    tmp_path: Path, capsys: Capsys, sound: Table, column: str, value: str, rule: str
) -> None:
    path = write_csv(tmp_path / "a.csv", spoilt(sound, {(7, column): value}))
    found = validate(capsys, path)
    assert found.code == 1
    assert value in [values.get(column) for row, values in found.places(rule) if row == 7], found.broken


def test_a_number_with_a_capital_e_is_only_warned_of(tmp_path: Path, capsys: Capsys, sound: Table) -> None:
    place = sound[0].index("BilledCost")
    value = f"{sound[3][place]}E0"
    found = validate(capsys, write_csv(tmp_path / "a.csv", spoilt(sound, {(3, "BilledCost"): value})))
    assert (found.code, found.broken) == (0, {"OWN-Number-001"})
    assert found.places("OWN-Number-001") == [(3, {"BilledCost": value})]


def test_a_missing_and_a_doubled_column_and_one_in_the_wrong_case(tmp_path: Path, capsys: Capsys, sound: Table) -> None:
    head = ["billedcost" if name == "BilledCost" else name for name in sound[0]]
    head[head.index("ResourceName")] = "ResourceId"
    head[head.index("Tags")] = "x_Labels"
    found = validate(capsys, write_csv(tmp_path / "a.csv", [head, *sound[1:]]))
    assert found.code == 1
    [[row, values]] = found.places("OWN-File-004")
    assert (row, values) == (None, {"column": "ResourceId"})
    assert {"CAU-CostAndUsage-D-006-M", "OWN-File-004"} <= found.broken


def test_rows_keep_their_numbers_behind_rows_that_cannot_be_read_and_lines_within_quotes(
    tmp_path: Path, capsys: Capsys, sound: Table
) -> None:
    rows = spoilt(sound, {(2, "ChargeDescription"): "one\ntwo\nthree", (9, "ChargeCategory"): "Bogus"})
    rows[4], rows[6] = rows[4][:-3], [*rows[6], "more"]
    found = validate(capsys, write_csv(tmp_path / "a.csv", rows))
    assert found.code == 1
    assert found.places("CAU-ChargeCategory-C-003-M") == [(9, {"ChargeCategory": "Bogus"})]
    uneven = [
        verdict for rule, verdict in found.verdicts.items() if rule.startswith("OWN-File") and verdict["examples"]
    ]
    assert [[one["row"] for one in verdict["examples"]] for verdict in uneven] == [[4, 6]]
    assert found.reports[0]["rows"] == len(sound) - 3


FLAWS: tuple[Flawed, ...] = (
    ("nul", lambda text: text.replace("commitment", "commit\0ment", 1).encode(), {"OWN-File-002"}),
    ("quote", lambda text: text.encode() + b'"never closed,a,b\n', {"OWN-File-006"}),
    ("latin", lambda text: text.replace("commitment", "f\xfcr", 1).encode("latin-1"), {"OWN-File-003"}),
    ("no-rows", lambda text: text.splitlines()[0].encode() + b"\n", {"OWN-File-005"}),
)


@pytest.mark.parametrize("flaw", FLAWS, ids=lambda flaw: flaw[0])
def test_a_flaw_of_the_file_is_a_finding(tmp_path: Path, capsys: Capsys, sound: Table, flaw: Flawed) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(flaw[1](as_csv(sound)))
    found = validate(capsys, path)
    assert found.broken == flaw[2]
    assert found.code == 1
    assert [one["file"] for rule in flaw[2] for one in found.verdicts[rule]["examples"]] == [str(path)]


TEXT = "BilledCost,Tags\n" + "".join(f"{cost},\n" for cost in range(5000))
UNREADABLE = {
    "empty.csv": b"",
    "utf16.csv": TEXT.encode("utf-16"),
    "cut.csv.gz": gzip.compress(TEXT.encode())[:-400],
    "flipped.csv.gz": gzip.compress(TEXT.encode())[:-8] + bytes(8),
    "picture.parquet": b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20,
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_a_file_that_cannot_be_read_is_refused_by_name(tmp_path: Path, capsys: Capsys, name: str) -> None:
    (tmp_path / name).write_bytes(UNREADABLE[name])
    found = validate(capsys, tmp_path / name)
    assert (found.code, found.broken) == (2, set())
    assert name in found.err


def test_a_compressed_file_conforms(tmp_path: Path, capsys: Capsys, sound: Table) -> None:
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(as_csv(sound).encode()))
    found = validate(capsys, tmp_path / "a.csv.gz")
    assert (found.code, found.broken, found.reports[0]["rows"]) == (0, set(), 200)


def test_instants_without_a_zone_are_warned_of(tmp_path: Path, capsys: Capsys, typed: Path) -> None:
    naive = "BillingPeriodStart AT TIME ZONE 'UTC' AS BillingPeriodStart"
    found = validate(capsys, write_parquet(tmp_path / "a.parquet", typed, naive))
    assert (found.code, found.broken) == (0, {"OWN-Zone-001"})


def test_a_floating_point_number_that_is_none_is_a_finding(tmp_path: Path, capsys: Capsys, typed: Path) -> None:
    costs = "CASE WHEN n = 5 THEN 'NaN'::DOUBLE ELSE BilledCost::DOUBLE END AS BilledCost"
    found = validate(capsys, write_parquet(tmp_path / "a.parquet", typed, costs))
    assert found.code == 1
    assert (5, {"BilledCost": "nan"}) in found.places("CAU-BilledCost-C-001-M")


def test_maps_are_key_value_columns_and_a_number_is_no_account_id(tmp_path: Path, capsys: Capsys, typed: Path) -> None:
    tags = "CASE WHEN Tags IS NULL THEN NULL ELSE MAP {'a': 'b'} END AS Tags"
    found = validate(capsys, write_parquet(tmp_path / "a.parquet", typed, tags))
    assert (found.code, found.broken) == (0, set())
    number = validate(capsys, write_parquet(tmp_path / "b.parquet", typed, "42::BIGINT AS SubAccountId"))
    assert "CAU-SubAccountId-C-001-M" in number.broken


def test_text_and_types_of_the_same_rows_are_judged_alike(
    tmp_path: Path, capsys: Capsys, sound: Table, typed: Path
) -> None:
    told = [validate(capsys, path) for path in (write_csv(tmp_path / "a.csv", sound), typed)]
    first, second = ({rule: one["status"] for rule, one in each.verdicts.items()} for each in told)
    assert first == second


def test_parts_of_differing_types_are_one_dataset(tmp_path: Path, capsys: Capsys, sound: Table, typed: Path) -> None:
    write_csv(tmp_path / "a.csv", spoilt(sound, {(5, "ChargeCategory"): "Bogus"}))
    write_parquet(tmp_path / "b.parquet", typed, "BilledCost::DOUBLE AS BilledCost")
    found = validate(capsys, tmp_path)
    assert found.reports[0]["rows"] == 400
    [place] = found.verdicts["CAU-ChargeCategory-C-003-M"]["examples"]
    assert (place["file"], place["row"]) == (str(tmp_path / "a.csv"), 5)


def test_both_datasets_in_a_folder_are_joined(tmp_path: Path, capsys: Capsys, typed: Path) -> None:
    alone = validate(capsys, typed)
    assert alone.verdicts["OWN-Join-001"]["status"] == "not checkable"
    write_commitments(tmp_path / "commitments.parquet")
    write_parquet(tmp_path / "costs.parquet", typed, "BilledCost AS BilledCost")
    found = validate(capsys, tmp_path)
    assert {report["dataset"] for report in found.reports} == {"CostAndUsage", "ContractCommitment"}
    assert found.verdicts["OWN-Join-001"]["status"] == "passed"
    assert found.code == 0, found.broken


def test_decimals_are_shown_without_the_zeros_of_their_type(tmp_path: Path, capsys: Capsys, typed: Path) -> None:
    costs = "(ListCost + 100)::DECIMAL(38, 24) AS ListCost"
    found = validate(capsys, write_parquet(tmp_path / "a.parquet", typed, costs), "--max-examples", "50")
    shown = [one["values"].get("ListCost") for verdict in found.verdicts.values() for one in verdict["examples"]]
    texts = [text for text in shown if text]
    assert texts
    assert not [text for text in texts if "." in text and text.endswith(("0", "."))]


def test_a_nul_byte_behind_a_value_of_many_lines_is_in_its_row(tmp_path: Path, capsys: Capsys, sound: Table) -> None:
    cells = {(2, "ChargeDescription"): "a\nb\nc", (5, "ChargeDescription"): "a\0c"}
    found = validate(capsys, write_csv(tmp_path / "a.csv", spoilt(sound, cells)))
    assert found.places("OWN-File-002") == [(5, {})]
