"""What an Arrow IPC file (Feather) unpacks to, read off its messages before anything is unpacked.

A compressed buffer begins with its unpacked length, and Arrow takes that much memory at once. The lengths stand where
the message's metadata say, a flatbuffer of which only the few fields that lead there are read.

Source: https://arrow.apache.org/docs/format/Columnar.html (Message.fbs, Schema.fbs), https://flatbuffers.dev/internals.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

import pyarrow as pa

_RECORDS, _DICTIONARY = 3, 2
"""Kinds of messages that hold buffers."""

_CELL = 8
"""Bytes at least that a cell takes as a number of numpy's: a column of nulls has no buffer."""


def unpacked_sizes(messages: pa.MessageReader) -> Iterator[int]:
    """Bytes that each message unpacks to at least, itself included.

    Raises:
        struct.error, ValueError, pyarrow.ArrowException: it is damaged.
    """
    while True:
        try:
            message = messages.read_next_message()
        except StopIteration:
            return
        body = b"" if message.body is None else message.body
        yield len(body) + _declared(message.metadata.to_pybytes(), body)


def _declared(metadata: bytes, body: pa.Buffer | bytes) -> int:
    """Bytes of the buffers when unpacked, or of the cells in a table; 0 for a message without buffers."""
    message = _Table(metadata, struct.unpack_from("<I", metadata)[0])
    kind = message.number(1, "<B")
    if kind not in (_RECORDS, _DICTIONARY):
        return 0
    batch = message.table(2)
    if kind == _DICTIONARY:
        batch = batch.table(1)
    cells = _CELL * sum(max(length, 0) for length, _ in batch.pairs(1))
    if not batch.has(3):  # not compressed
        return cells
    sizes = [struct.unpack_from("<q", body, offset)[0] for offset, length in batch.pairs(2) if length >= _CELL]
    return max(cells, sum(size for size in sizes if size > 0))


class _Table:
    """A table of a flatbuffer."""

    def __init__(self, data: bytes, at: int) -> None:
        self._data, self._at = data, at
        self._fields = at - struct.unpack_from("<i", data, at)[0]
        if not 0 <= self._fields < len(data):
            raise ValueError("its metadata are damaged")

    def has(self, field: int) -> bool:
        return bool(self._place(field))

    def number(self, field: int, form: str) -> int:
        place = self._place(field)
        return int(struct.unpack_from(form, self._data, place)[0]) if place else 0

    def table(self, field: int) -> _Table:
        return _Table(self._data, self._target(field))

    def pairs(self, field: int) -> Iterator[tuple[int, int]]:
        """The numbers of a vector of pairs: length and nulls of each column, offset and length of each buffer."""
        if not self.has(field):
            return iter(())
        target = self._target(field)
        count = struct.unpack_from("<I", self._data, target)[0]
        return struct.iter_unpack("<qq", self._data[target + 4 : target + 4 + 16 * count])

    def _target(self, field: int) -> int:
        place = self._place(field)
        if not place:
            raise ValueError("its metadata are damaged")
        return int(place + struct.unpack_from("<I", self._data, place)[0])

    def _place(self, field: int) -> int:
        """Where a field's value lies; 0 if it has none."""
        (size,) = struct.unpack_from("<H", self._data, self._fields)
        if 4 + 2 * field + 2 > size:
            return 0
        (offset,) = struct.unpack_from("<H", self._data, self._fields + 4 + 2 * field)
        return self._at + offset if offset else 0
