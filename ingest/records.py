"""Where the records of a delimited text begin and end, chunk by chunk, so that none grows without limit. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from ledger.faults import reject

RECORD_LIMIT = 16 * 1024 * 1024


@dataclass(slots=True)
class Records:
    """What has been read so far; `run` is the bytes of the record that is still open, which began on line `begun`.

    A line break inside quotes does not end a record. A whole record inside one chunk is within the limit.
    """

    label: str
    line: int = 1
    begun: int = 1
    run: int = 0
    quoted: bool = False

    def feed(self, chunk: bytes) -> None:
        """Rejected when the open record is longer than the limit."""
        first, last = self._breaks(chunk)
        if self.run + (len(chunk) if first < 0 else first) > RECORD_LIMIT:
            raise reject(
                f"line {self.begun} is longer than {RECORD_LIMIT // 1024 // 1024} MB",
                "This is not a provider's bill; check what was downloaded.",
                "line-too-long",
                file=self.label,
                row=data_row(self.begun),
            )
        if last >= 0:
            self.begun = self.line + chunk.count(b"\n", 0, last + 1)
        self.run = self.run + len(chunk) if last < 0 else len(chunk) - last - 1
        self.line += chunk.count(b"\n")
        self.quoted ^= chunk.count(b'"') % 2 == 1

    def _breaks(self, chunk: bytes) -> tuple[int, int]:
        """The first and the last line break outside quotes, -1 when there is none."""
        parts = chunk.split(b'"')
        first = _first(parts, skip=self.quoted)
        if first < 0:
            return -1, -1
        backward = [part[::-1] for part in reversed(parts)]
        ends_quoted = self.quoted ^ (len(parts) % 2 == 0)
        return first, len(chunk) - 1 - _first(backward, skip=ends_quoted)


def data_row(line: int) -> int | None:
    """Data rows count from 1, and the header is none."""
    return line - 1 if line > 1 else None


def _first(parts: list[bytes], *, skip: bool) -> int:
    """The first line break in every other part; the parts were joined by one byte each."""
    offset = 0
    for part in parts:
        found = -1 if skip else part.find(b"\n")
        if found >= 0:
            return offset + found
        offset, skip = offset + len(part) + 1, not skip
    return -1
