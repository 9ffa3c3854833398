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
        if self.run + len(chunk) > RECORD_LIMIT and self.run + _open_bytes(chunk, self.quoted) > RECORD_LIMIT:
            raise reject(
                f"line {self.begun} is longer than {RECORD_LIMIT // 1024 // 1024} MB",
                "This is not a provider's bill; check what was downloaded.",
                "line-too-long",
                file=self.label,
                row=data_row(self.begun),
            )
        self.quoted ^= chunk.count(b'"') % 2 == 1
        last, breaks = _last_break(chunk, self.quoted), chunk.count(b"\n")
        if last >= 0:
            self.begun = self.line + breaks - chunk.count(b"\n", last + 1)
        self.run = self.run + len(chunk) if last < 0 else len(chunk) - last - 1
        self.line += breaks

    @property
    def lines(self) -> int:
        """All lines so far, the open one too if it holds anything."""
        return self.line if self.run else self.line - 1


def data_row(line: int) -> int | None:
    """Data rows count from 1, and the header is none."""
    return line - 1 if line > 1 else None


def _open_bytes(chunk: bytes, quoted: bool) -> int:
    """Bytes up to the first line break outside quotes, or all; `quoted` is how the chunk begins."""
    start = 0
    while start <= len(chunk):
        quote = chunk.find(b'"', start)
        end = len(chunk) if quote < 0 else quote
        found = -1 if quoted else chunk.find(b"\n", start, end)
        if found >= 0:
            return found
        start, quoted = end + 1, not quoted
    return len(chunk)


def _last_break(chunk: bytes, quoted: bool) -> int:
    """The last line break outside quotes, -1 when there is none; `quoted` is how the chunk ends."""
    end = len(chunk)
    while end >= 0:
        quote = chunk.rfind(b'"', 0, end)
        found = -1 if quoted else chunk.rfind(b"\n", quote + 1, end)
        if found >= 0:
            return found
        end, quoted = quote, not quoted
    return -1
