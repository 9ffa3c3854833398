"""Rules over a commitment's whole term: which commitments the rows cover from the first to the last day. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from focus.fields import Facts

KEY = "CommitmentDiscountId"
NEEDED = ("ContractCommitmentId", "ContractCommitmentPeriodStart", "ContractCommitmentPeriodEnd")
UNKNOWN = "needs every row of a commitment's whole term; no ContractCommitment beside these rows tells its term"
UNCOVERED = "needs every row of a commitment's whole term; these rows cover no term from its first to its last day"


@dataclass(frozen=True, slots=True)
class Terms:
    """Rows of `relation`, beside ContractCommitment rows that say when each commitment begins and ends."""

    relation: str
    commitments: str
    facts: Facts

    def counts(self) -> str:
        """One row: commitments of these rows whose term is covered, and those whose term is not or is unknown."""
        key = self.facts.text(KEY)
        used = f"SELECT DISTINCT {key} AS id FROM ({self.relation}) WHERE {key} IS NOT NULL"
        inside = f"id IN ({self._covered()})"
        return f"SELECT count(*) FILTER (WHERE {inside}), count(*) FILTER (WHERE NOT {inside}) FROM ({used})"

    def rows(self) -> str:
        """The rows of commitments whose term is covered."""
        return f"SELECT * FROM ({self.relation}) WHERE {self.facts.text(KEY)} IN ({self._covered()})"

    def _covered(self) -> str:
        """Ids whose every period lies between the first and the last instant charged."""
        first, last = self.facts.instant("ChargePeriodStart"), self.facts.instant("ChargePeriodEnd")
        span = f"SELECT min({first}) AS first, max({last}) AS last FROM ({self.relation})"
        name, start, end = (f'"{column}"' for column in NEEDED)
        begins, ends = (f"TRY_CAST({column} AS TIMESTAMPTZ)" for column in (start, end))
        return f"""SELECT CAST({name} AS VARCHAR) FROM ({self.commitments}), ({span})
            WHERE {name} IS NOT NULL GROUP BY 1
            HAVING bool_and(coalesce({begins} >= first AND {ends} <= last, false))"""
