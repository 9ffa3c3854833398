"""`python -m tests.golden.bless` writes the golden rows anew; read the difference before committing it."""

from __future__ import annotations

from tests.golden.lines import AGREEMENTS, BESIDE, CASES, REPORTS, UPGRADES, golden, rows, shown

if __name__ == "__main__":
    for case in (*CASES, *UPGRADES, *REPORTS, *AGREEMENTS, *BESIDE):
        golden(case).write_text("\n".join(shown(rows(case))) + "\n", encoding="utf-8")
        print(golden(case).name)
