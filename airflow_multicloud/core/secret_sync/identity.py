"""By what a copy is known as ours, and a write as the same one."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID, uuid5

#: The tag of a secret that a synchronisation made.
COPY_TAG = "airflow-multicloud-copy"
#: The tag of a secret that was there before, and whose value a synchronisation replaced.
FROM_TAG = "airflow-multicloud-from"
#: Tags that are never copied: they are of one source and one destination.
OWN_TAGS = frozenset({COPY_TAG, FROM_TAG})

_FORMAT = "v1"
#: Hexadecimal digits. A label's value of Google Cloud has at most 63 characters.
_OF_PAIR, _OF_VERSION = 32, 24
_NAMESPACE = UUID("5f0f0b5e-5c0b-5a55-9a0e-3f6d5f1f2f60")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A secret of one store, and its copy in another.

    :param source: the source's full name, as its cloud gives it.
    :param destination: the destination's, likewise.
    :param name: the secret's, the same in both.
    """

    source: str
    destination: str
    name: str

    @property
    def identity(self) -> str:
        """What no other pair has: 128 bits of the SHA-256 of all three."""
        return _digest(_OF_PAIR, self.source, self.destination, self.name)

    def mark(self, version: str) -> str:
        """The value of the tag of a copy that was written from this version of the source.

        ``v1-<identity>-<96 bits of the SHA-256 of the identity and the version's id>``.
        """
        return f"{_FORMAT}-{self.identity}-{_digest(_OF_VERSION, self.identity, version)}"

    def made(self, tags: Mapping[str, str]) -> bool:
        """Whether the tags say that this pair's synchronisation made the secret."""
        return tags.get(COPY_TAG, "").startswith(f"{_FORMAT}-{self.identity}-")

    def wrote(self, tags: Mapping[str, str], version: str) -> bool:
        """Whether the tags say that the last write of this pair was of this version."""
        mark = self.mark(version)
        return any(tags.get(key) == mark for key in OWN_TAGS)

    def token(self, version: str, replaces: str | None) -> str:
        """The same for whoever writes this version over the same one, in whatever run.

        What is replaced is part of it: AWS takes a token that it knows for the repetition of a
        write of long ago, and would leave a later value current.
        """
        parts = (self.source, version, self.destination, self.name, replaces or "")
        return str(uuid5(_NAMESPACE, _joined(parts)))


def _digest(digits: int, *parts: str) -> str:
    return hashlib.sha256(_joined(parts).encode()).hexdigest()[:digits]


def _joined(parts: tuple[str, ...]) -> str:
    # With their lengths: no two lists of parts give the same text.
    return "".join(f"{len(part)}:{part}" for part in parts)
