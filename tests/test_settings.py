"""Settings: every fault at once, nothing unknown, no bare numbers for money, the environment last."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

import wiring
from ledger.classify import DEFAULT_TAG_KEYS
from ledger.faults import Fault, Rejected
from settings import Settings, load

BUDGET = '[budgets.b]\nid = "/S/1/"\nscope = "/S/1"\ncurrency = "EUR"\namount = "1.10"\n'


def read(folder: Path, text: str, **env: str) -> Settings:
    path = folder / "ledger.toml"
    path.write_text(text, encoding="utf-8")
    return load(path, env)


def faults(folder: Path, text: str) -> tuple[Fault, ...]:
    with pytest.raises(Rejected) as refusal:
        read(folder, text)
    return refusal.value.faults


def test_without_a_file_there_are_defaults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert load(None, {}) == Settings()
    assert Settings().live is False and Settings().classification.tag_keys == DEFAULT_TAG_KEYS


def test_the_repository_s_own_file_is_sound() -> None:
    found = load(Path(__file__).resolve().parents[1] / "ledger.toml", {})
    assert [source.provider for source in found.sources] == ["aws", "azure", "snowflake"]
    assert not found.live and not any(budget.live for budget in found.budgets)


def test_a_named_file_has_to_exist(tmp_path: Path) -> None:
    with pytest.raises(Rejected):
        load(tmp_path / "none", {})
    with pytest.raises(Rejected):
        load(None, {"LEDGER_CONFIG": str(tmp_path / "none")})


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    text = """
        [ledgr]
        [sources.UPPER]
        provider = "aws"
        [sources.a]
        provider = "gcp"
        [sources.b]
        currency = "USD"
        [sources.c]
        provider = "aws"
        colour = "red"
        [budgets.d]
        id = "x"
        scope = "x"
        currency = "USD"
        amount = 1.5
        [budgets.e]
        id = "y"
        scope = "x"
        currency = "USD"
        amount = "one"
    """
    found = faults(tmp_path, text)
    assert {fault.column for fault in found} == {
        *("ledgr", "sources.UPPER", "sources.a", "sources.b", "sources.c"),
        *("budgets.d", "budgets.e"),
    }
    assert all(fault.rule == "settings" and fault.file and fault.advice for fault in found)


@pytest.mark.parametrize("amount", ["1.5", "1", "true", '"NaN"', '"Infinity"', '"-1"', '"0"', '"1,5"', "[]", "inf"])
def test_amounts_are_positive_decimals_in_quotes(amount: str, tmp_path: Path) -> None:
    assert [fault.column for fault in faults(tmp_path, BUDGET.replace('"1.10"', amount))] == ["budgets.b"]


@pytest.mark.parametrize("threshold", ['"0"', '"1.01"', '"-0.5"', "0.8"])
def test_thresholds_are_shares(threshold: str, tmp_path: Path) -> None:
    assert faults(tmp_path, f"{BUDGET}threshold = {threshold}\n")


def test_a_budget_is_read_exactly_and_is_not_live_by_default(tmp_path: Path) -> None:
    [budget] = read(tmp_path, BUDGET).budgets
    assert (budget.amount, budget.id, budget.opt_in_key, budget.opt_in_value) == (
        Decimal("1.10"),
        "/s/1",
        "ledger-stop",
        "b",
    )
    assert budget.live is False


@pytest.mark.parametrize("value", ['"true"', "1", '"yes"'])
def test_only_true_makes_anything_live(value: str, tmp_path: Path) -> None:
    """A misunderstood switch is a fault: off would surprise as much as on."""
    text = f"[ledger]\nlive = {value}\n{BUDGET}live = {value}\n"
    assert [fault.column for fault in faults(tmp_path, text)] == ["ledger", "budgets.b"]


def test_names_of_companies_are_read_as_they_stand(tmp_path: Path) -> None:
    text = '[entities]\n"Example Cloud Ltd." = "AWS"\nGCP = "Google Cloud"\n'
    assert read(tmp_path, text).entities == {"Example Cloud Ltd.": "AWS", "GCP": "Google Cloud"}


def test_every_wrong_name_of_a_company_is_told(tmp_path: Path) -> None:
    found = faults(tmp_path, '[entities]\nA = ""\nB = 1\nC = "fine"\nD = ["AWS"]\n[resellers]\nE = "gcp"\nF = "aws"\n')
    assert [(fault.column, fault.message) for fault in found] == [
        ("entities", "A is not empty"),
        ("entities", "B is a text in quotes"),
        ("entities", "D is a text in quotes"),
        ("resellers", "E is one of aws, azure, snowflake"),
    ]


def test_the_environment_comes_last(tmp_path: Path) -> None:
    text = '[ledger]\nstore = "here"\nlive = true\n'
    assert (read(tmp_path, text).store_url, read(tmp_path, text).live) == ("here", True)
    changed = read(tmp_path, text, LEDGER_STORE="az://c/p", LEDGER_LIVE="false")
    assert (changed.store_url, changed.live) == ("az://c/p", False)
    assert read(tmp_path, "", LEDGER_LIVE="True").live and not read(tmp_path, "", LEDGER_LIVE="maybe").live


@pytest.mark.parametrize(
    "text",
    [
        "[ledger",
        "ledger = 3",
        "sources = 3",
        '[sources]\na = "x"',
        "budgets = []",
        '[engine]\nthreads = "many"',
        "[engine]\nrow_group_size = -5",
        "[engine]\nspeed = 9",
        "[ledger]\nstor = 'x'",
        "[classification]\ntag_keys = 5",
        "[classification]\ncolour = 'red'",
        "[classification]\naccounts = 'x'",
        "[classification.accounts]\nx = 3",
        "[engine]\nthreads = true",
        "[engine]\nthreads = 100000",
        "[engine]\nrow_group_size = 99999999999999999999",
        "[ledger]\nstore = ''",
        "[ledger]\nliv = true",
        '[sources.a]\nprovider = ["aws"]',
        '[sources.a]\nprovider = "aws"\naccounts = [1]',
        '[sources.a]\nprovider = "aws"\nlocation = 3',
        "[classification.values]\nProduction = 'prod'",
        '[sources.a]\nprovider = "azure"\nbasis = "cash"',
        '[sources.a]\nprovider = "aws"\naccounts = "123"',
        '[sources.a]\nprovider = "aws"\naccounts = ["1"]\n[sources.b]\nprovider = "aws"\naccounts = ["1"]',
    ],
)
def test_what_makes_no_sense_is_refused(text: str, tmp_path: Path) -> None:
    assert all(fault.rule == "settings" for fault in faults(tmp_path, text))


FAULTY = """
    liv = true
    sources = 3
    [ledger]
    stroe = "x"
    live = "true"
    store = 7
    [engine]
    threads = -3
    memory_limit = "banana"
    row_group_size = 0
    speed = 9
    [classification]
    accounts = "x"
    tag_keys = "environment"
    colour = "red"
    [classification.values]
    Production = "prod"
    [budgets.b]
    currency = 5
    amount = "1,5"
    threshold = "80"
    live = 1
"""


def test_each_wrong_key_has_a_fault_of_its_own(tmp_path: Path) -> None:
    found = [(fault.column, fault.message.split()[0]) for fault in faults(tmp_path, FAULTY)]
    assert sorted(found, key=str) == [
        *(("budgets.b", key) for key in ("amount", "currency", "id", "live", "scope", "threshold")),
        *(("classification", key) for key in ("accounts", "colour", "tag_keys", "values")),
        *(("engine", key) for key in ("memory_limit", "row_group_size", "speed", "threads")),
        *(("ledger", key) for key in ("live", "store", "stroe")),
        ("liv", "liv"),
        ("sources", "sources"),
    ]


@pytest.mark.parametrize("limit", ["banana", "0GB", "-1", "1", "80%", "1 parsec", "1GB; SET threads=1", "100 bytes"])
def test_memory_is_a_size_that_the_engine_takes(limit: str, tmp_path: Path) -> None:
    assert faults(tmp_path, f'[engine]\nmemory_limit = "{limit}"\n')


@pytest.mark.parametrize("limit", ["1GB", "1.5 GiB", "512mb", "0.5GB"])
def test_a_memory_limit_that_is_taken_starts_the_engine(limit: str, tmp_path: Path) -> None:
    with wiring.engine(read(tmp_path, f'[engine]\nmemory_limit = "{limit}"\nthreads = 1\n')) as connection:
        assert connection.execute("SELECT current_setting('threads')").fetchone() == (1,)


def test_faults_do_not_repeat_what_may_be_secret(tmp_path: Path) -> None:
    text = '[ledger]\nstore = ["az://c?sig=secret"]\n[engine]\nmemory_limit = "secret"\n'
    assert "secret" not in " ".join(map(str, faults(tmp_path, text)))


def test_text_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    (tmp_path / "ledger.toml").write_bytes(b"# Z\xfcrich")
    with pytest.raises(Rejected):
        load(tmp_path / "ledger.toml", {})


def test_an_unknown_source_is_named() -> None:
    with pytest.raises(Rejected, match="nobody"):
        Settings().source("nobody")
