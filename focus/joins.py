"""The rule across datasets: what a charge draws on is a contract commitment that is there. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from focus.named_checks import elements

COLUMN = "ContractApplied"
KEYS = ("ContractCommitmentId", "ContractId")


@dataclass(frozen=True, slots=True)
class Join:
    """Rows of `relation`, with `text` as SQL for their ContractApplied, beside the rows of `commitments`."""

    relation: str
    commitments: str
    text: str

    def counts(self) -> str:
        """One row: rows in scope, and rows that name a pair of commitment and contract that is not there."""
        return (
            f"SELECT coalesce(sum(n), 0)::BIGINT, coalesce(sum(n) FILTER (WHERE bad), 0)::BIGINT FROM ({self._texts()})"
        )

    def examples(self, limit: int) -> str:
        """(file, row, text) of the first row with each text that breaks the rule."""
        return f"SELECT place.f, place.r, applied FROM ({self._texts()}) WHERE bad ORDER BY 1, 2 LIMIT {limit}"

    def _texts(self) -> str:
        """Each distinct text with its rows, its first place, and whether it is bad; a key without value is no pair."""
        named = ", ".join(f"json_extract_string(e, '$.{key}') AS {key}" for key in KEYS)
        given = " AND ".join(f"{key} IS NOT NULL" for key in KEYS)
        return f"""
            WITH used AS (
                SELECT {self.text} AS applied, count(*) AS n, min({{'f': "#file", 'r': "#row"}}) AS place
                FROM ({self.relation}) WHERE {self.text} IS NOT NULL GROUP BY 1
            ), pairs AS (
                SELECT applied, {named} FROM (SELECT applied, unnest({elements("applied")}) AS e FROM used)
            ), missing AS (
                SELECT DISTINCT applied FROM (SELECT * FROM pairs WHERE {given})
                ANTI JOIN ({self.commitments}) AS known USING ({", ".join(KEYS)})
            )
            SELECT n, place, applied, applied IN (SELECT applied FROM missing) AS bad FROM used
        """
