"""How a copy is known to be ours, and how a repeated write is known to be the same one."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID, uuid5

from airflow_multicloud.ports.secrets import Secret, SecretVersion

#: The tag of a secret that a synchronisation made.
COPY_TAG = "airflow-multicloud-copy"
#: The tag of a secret that was there before, and whose value a synchronisation replaced.
FROM_TAG = "airflow-multicloud-from"
#: Tags that are never copied: they are of one source and one destination.
OWN_TAGS = frozenset({COPY_TAG, FROM_TAG})

_FORMAT = "v1"
#: Hexadecimal digits. A label's value of Google Cloud has at most 63 characters.
_OF_PAIR, _OF_VERSION, _OF_TOKEN = 24, 16, 16
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
        """An identity that no other pair has: 96 bits of the SHA-256 of all three."""
        return _digest(_OF_PAIR, self.source, self.destination, self.name)

    def mark(self, version: str, token: str) -> str:
        """The value of the tag of a copy that was written from this version of the source.

        ``v1-<identity>-<64 bits of the SHA-256 of the identity and the version's id>-<64 bits of
        that of the identity and the token>``.

        :param token: with which the copy was written.
        """
        of_version = _digest(_OF_VERSION, self.identity, version)
        of_token = _digest(_OF_TOKEN, self.identity, token)
        return f"{self._beginning}{of_version}-{of_token}"

    def made(self, tags: Mapping[str, str]) -> bool:
        """Whether the tags say that this pair's synchronisation made the secret."""
        return tags.get(COPY_TAG, "").startswith(self._beginning)

    def tag_of(self, tags: Mapping[str, str]) -> str | None:
        """The tag that has a mark of this pair; ``None`` when there is none."""
        marked = (key for key in (COPY_TAG, FROM_TAG) if key in tags)
        return next((key for key in marked if tags[key].startswith(self._beginning)), None)

    def wrote(self, tags: Mapping[str, str], version: str) -> bool:
        """Whether the tags say that the last write of this pair was of this version."""
        of_version = _digest(_OF_VERSION, self.identity, version)
        return self._marked(tags).startswith(f"{self._beginning}{of_version}-")

    def is_last(self, tags: Mapping[str, str], token: str | None) -> bool:
        """Whether the tags say that the last write of this pair was with this token."""
        if token is None:
            return False
        return self._marked(tags).endswith(f"-{_digest(_OF_TOKEN, self.identity, token)}")

    def last_write(
        self, copy: Secret, versions: Iterable[SecretVersion], source: Sequence[str]
    ) -> str | None:
        """The source's version that this pair wrote last, as far as can be told.

        The newest copy that has a token of this pair's tells, also one that somebody has moved
        the destination away from; else the tags do.

        :param versions: the destination's, the newest first.
        :param source: ids of the source's versions.
        :return: "" for one that the source does not tell of any more; ``None`` when nothing tells
            of a write.
        """
        listed = sorted(versions, key=lambda version: version.created_at, reverse=True)
        known = self._tokens(listed, source)
        ours = [one for one in listed if one.token in known]
        # Some clouds tell times to the second, so what was written over which is looked at first.
        replaced = {known[one.token or ""][1] for one in ours}
        for version in ours:
            if version.id not in replaced:
                return known[version.token or ""][0]
        if self.tag_of(copy.tags) is None:
            return None
        return next((one for one in source if self.wrote(copy.tags, one)), "")

    def written_from(
        self, token: str | None, versions: Iterable[SecretVersion], source: Sequence[str]
    ) -> str | None:
        """The source's version that this token is for; ``None`` for a token of another pair."""
        found = self._tokens(tuple(versions), source).get(token or "")
        return None if found is None else found[0]

    def token(self, version: str, replaces: str | None) -> str:
        """The same for whoever writes this version over the same one, in whatever run.

        What is replaced is part of it: AWS takes a token that it knows for the repetition of a
        write of long ago, and would leave a later value current.
        """
        parts = (self.source, version, self.destination, self.name, replaces or "")
        return str(uuid5(_NAMESPACE, _joined(parts)))

    @property
    def _beginning(self) -> str:
        return f"{_FORMAT}-{self.identity}-"

    def _marked(self, tags: Mapping[str, str]) -> str:
        key = self.tag_of(tags)
        return "" if key is None else tags[key]

    def _tokens(
        self, versions: Sequence[SecretVersion], source: Sequence[str]
    ) -> Mapping[str | None, tuple[str, str | None]]:
        """Token → the source's version and the one replaced, for all that may be over these."""
        replaced = [None, *(version.id for version in versions)]
        return {self.token(one, before): (one, before) for one in source for before in replaced}


def _digest(digits: int, *parts: str) -> str:
    # Tokens are what a cloud tells, also where that is half of a character.
    return hashlib.sha256(_joined(parts).encode(errors="surrogatepass")).hexdigest()[:digits]


def _joined(parts: tuple[str, ...]) -> str:
    # With their lengths: no two lists of parts give the same text.
    return "".join(f"{len(part)}:{part}" for part in parts)
