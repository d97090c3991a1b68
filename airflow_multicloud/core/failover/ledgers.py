"""The ledger of one copy, in which several threads look up one object after the other."""

from __future__ import annotations

import threading
import time
from bisect import bisect_left
from collections import OrderedDict

from airflow_multicloud.core.endpoints import Endpoint
from airflow_multicloud.core.ledger import reading, segments
from airflow_multicloud.core.ledger.entries import Entry
from airflow_multicloud.core.ledger.reading import Head
from airflow_multicloud.core.ledger.refs import SegmentRef
from airflow_multicloud.errors import CloudError, ErrorKind

#: Seconds after which it is worth looking for a newer commit.
AGAIN = 1.0


class CopyLedger:
    """The newest commit of a copy's bucket, read once, and the segments looked into last.

    Objects are asked for in about the order of their keys. So of each sorted run one segment is
    held, and one more: some megabytes each.
    """

    def __init__(self, end: Endpoint) -> None:
        self._end = end
        self._reading = threading.Lock()
        self._looking = threading.Lock()
        self._head: Head | None = None
        self._read_at: float | None = None
        self._segments: OrderedDict[str, dict[str, Entry]] = OrderedDict()

    def head(self) -> Head | None:
        """The newest commit; ``None`` when there is no ledger, or none that may be read.

        Reading the object itself will say then what is the matter, if anything.
        """
        with self._reading:
            if self._read_at is None:
                self._read()
            return self._head

    def newer(self, than: Head | None) -> Head | None:
        """The newest commit, read again unless that was just done; ``None`` for the same one."""
        with self._reading:
            if self._read_at is None or time.monotonic() - self._read_at >= AGAIN:
                self._read()
            same = than is not None and self._head is not None and than.mark == self._head.mark
            return None if same else self._head

    def entry(self, head: Head, key: str) -> Entry | None:
        """What a commit's state says of one key, as :meth:`Head.entry` does."""
        recent = head.commit.recent
        at = bisect_left(recent, key, key=lambda entry: entry.key)
        if at < len(recent) and recent[at].key == key:
            return None if recent[at].removed else recent[at]
        most = len(head.commit.segments) + 1
        for run in reversed(head.commit.segments):
            at = bisect_left(run, key, key=lambda ref: ref.last)
            if at < len(run) and run[at].first <= key:
                found = self._segment(run[at], most=most).get(key)
                if found is not None:
                    return None if found.removed else found
        return None

    def _read(self) -> None:
        try:
            self._head = reading.newest(self._end)
        except CloudError as err:
            if err.kind not in (ErrorKind.PERMISSION_DENIED, ErrorKind.NOT_FOUND):
                raise
            self._head = None
        self._read_at = time.monotonic()

    def _segment(self, ref: SegmentRef, *, most: int) -> dict[str, Entry]:
        with self._looking:
            found = self._segments.pop(ref.sha256, None)
            if found is None:
                while len(self._segments) >= most:
                    self._segments.popitem(last=False)
                found = {entry.key: entry for entry in segments.read(self._end, ref)}
            self._segments[ref.sha256] = found
            return found
