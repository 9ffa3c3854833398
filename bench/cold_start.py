"""What a cold instance imports before its first delivery of a bucket is at work; `python -m bench.cold_start` alone.

Fresh processes import step by step, in the order in which the function meets the packages; a step's share is what it
adds to those before it. The ledger is in blob storage, as it is where functions run.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from statistics import median

from bench.figure import Figure

ROOT = Path(__file__).resolve().parents[1]
PROCESSES = 7
MOST = 1.5
STEPS = {
    "azure.functions": "import azure.functions",
    "the triggers": "import function_app",
    "wiring, settings": "import wiring; wiring.settings({})",
    "duckdb": "import duckdb",
    "deltalake": "import deltalake",
    "ingest, ledger": "import ingest.intake, ingest.remote, ingest.sources.folder, ingest.sources.aws, ledger.book",
    "azure.storage.blob": "import adapters.blob, adapters.storage_account, azure.storage.blob",
    "azure.identity": "import adapters.identity, azure.identity",
    "boto3, botocore": "import boto3, botocore.config",
    "a client of S3": "from adapters.aws_session import clients; clients({})('s3', 'us-east-1')",
}
PROGRAM = """
import json, time
spent = {{}}
for name, statement in json.loads({steps!r}).items():
    start = time.perf_counter()
    exec(statement)
    spent[name] = time.perf_counter() - start
print(json.dumps(spent))
"""


def figures() -> Iterator[Figure]:
    found = [_one() for _ in range(PROCESSES)]
    for name in STEPS:
        print(f"  cold start, {name:<20} {median(spent[name] for spent in found):6.3f} s")
    whole = median(sum(spent.values()) for spent in found)
    yield Figure("imports of a cold ingest function, delivery in S3, s", whole, MOST)


def _one() -> Mapping[str, float]:
    program = PROGRAM.format(steps=json.dumps(STEPS))
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True, capture_output=True, text=True)
    spent: Mapping[str, float] = json.loads(done.stdout)
    return spent


if __name__ == "__main__":
    missed = []
    for figure in figures():
        print(figure, flush=True)
        missed += [] if figure.met else [figure]
    sys.exit(1 if missed else 0)
