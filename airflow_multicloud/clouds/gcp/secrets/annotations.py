"""A secret's labels and annotations: they hold its tags, and this package's notes.

A tag that fits the rules of labels is a label, by which people filter and bills are split; any
other one is an annotation. Tags whose names fit neither are in one annotation, as JSON.

Annotations "exist to allow client tools to store their own state information"; that, and the rules
below: https://cloud.google.com/secret-manager/docs/reference/rest/v1/projects.secrets.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from google.cloud.secretmanager_v1.types import resources

from airflow_multicloud.adapters.answers import MALFORMED
from airflow_multicloud.adapters.secret_tokens import is_token
from airflow_multicloud.clouds.gcp.secrets.naming import RULES, refused

#: The write that was begun last; see :class:`Begun`.
WRITE: Final = "multicloud-write"
#: What a removal disabled; see :class:`Removal`.
REMOVED: Final = "multicloud-removed"
#: Tags whose names are none of an annotation's.
_TAGS: Final = "multicloud-tags"
_OURS: Final = (WRITE, REMOVED, _TAGS)

# Letters of other alphabets may be in labels, too; in annotations, they are safe.
_LABEL_KEY: Final = re.compile(r"[a-z][a-z0-9_-]{0,62}")
_LABEL_VALUE: Final = re.compile(r"[a-z0-9_-]{0,63}")
_ANNOTATION_KEY: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?")
#: Bytes of all keys and values of annotations: "less than 16KiB".
_ANNOTATIONS: Final = 16_384
#: Bytes of these that are kept for what this package notes: a token, and a removal.
_KEPT: Final = 2_048
#: Versions that a note of a removal may name; a secret has never so many.
_VERSIONS: Final = 100_000
#: The largest number of a version: Google's are of 64 bits.
_LAST: Final = (1 << 63) - 1
_ATTEMPT: Final = re.compile(r"(?:[0-9a-f]{32}\.[0-9]{1,9})?")


@dataclass(frozen=True, slots=True)
class Begun:
    """A write, as it is noted before its version is added.

    What was written with its token, if anything, is the version after :attr:`after`.

    :param token: the caller's.
    :param after: the number of the newest version then; 0 when there was none.
    :param attempt: ``<call>.<number>``, a random id of the call of the hook and which of its tries
        this is; empty when nothing is going to be added.
    :param before: the token with which version :attr:`after` was written, if one is known.
    """

    token: str
    after: int
    attempt: str = ""
    before: str | None = None

    def to_text(self) -> str:
        """As it is noted: ``{"token": "…", "after": 7, "attempt": "…", "before": "…"}``."""
        told = {"token": self.token, "after": self.after, "attempt": self.attempt}
        return json.dumps(told if self.before is None else {**told, "before": self.before})

    def token_of(self, number: int) -> str | None:
        """The token with which a version was written; ``None`` when it is not known."""
        return {self.after: self.before, self.after + 1: self.token}.get(number)

    def is_held_against(self, other: Begun) -> bool:
        """Whether a version of this write may be on its way, from another call of the hook."""
        call, its = (one.attempt.partition(".")[0] for one in (self, other))
        return bool(call) and call != its

    @staticmethod
    def noted_in(secret: resources.Secret) -> Begun | None:
        """The write that is noted; ``None`` when none is, or this package can't have noted it.

        Whoever can change the secret's annotations can write anything there.
        """
        try:
            told = json.loads(secret.annotations[WRITE])
            before, attempt = told.get("before"), told["attempt"]
            if not is_token(told["token"]) or not (before is None or is_token(before)):
                return None
            if not _ATTEMPT.fullmatch(attempt):
                return None
            return Begun(told["token"], _number(told["after"]), attempt, before)
        except MALFORMED:
            return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """A removal, as it is noted.

    :param newest: the version that was the newest; with a newer one, the secret is in use again.
    :param enabled: the versions that were enabled, which recovering enables again.
    :param done: the newest version's etag once all of these were disabled; it is another one when
        somebody has enabled that version since, also if it is disabled again. ``None`` before.
    """

    newest: int
    enabled: tuple[int, ...]
    done: str | None = None

    def to_text(self) -> str:
        """As it is noted: ``{"newest": 7, "enabled": "1-3,7", "done": "<etag>"}``."""
        told = {"newest": self.newest, "enabled": _runs(self.enabled), "done": self.done}
        return json.dumps(told)

    @staticmethod
    def noted_in(secret: resources.Secret) -> Removal | None:
        """The removal that is noted; ``None`` when none is, or this package can't have noted it."""
        try:
            told = json.loads(secret.annotations[REMOVED])
            done = told["done"]
            if not (done is None or isinstance(done, str)):
                return None
            return Removal(
                newest=_number(told["newest"]), enabled=_numbers(told["enabled"]), done=done
            )
        except MALFORMED:
            return None


def tags_in(secret: resources.Secret) -> dict[str, str]:
    """The tags of a secret: labels, and what people and other tools wrote into annotations."""
    noted = {key: value for key, value in secret.annotations.items() if key not in _OURS}
    return {**noted, **_listed(secret.annotations.get(_TAGS, "{}")), **secret.labels}


def put_tags(tags: Mapping[str, str], secret: resources.Secret) -> None:
    """Make these the tags of a secret's message; the notes in it stay.

    :raises SecretsError: ``invalid_argument`` when the cloud can't take them.
    """
    if len(tags) > RULES.tag_count:
        raise refused(f"tags: {len(tags)} given, at most {RULES.tag_count} allowed on Google Cloud")
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    listed: dict[str, str] = {}
    for key, value in sorted(tags.items()):
        if _LABEL_KEY.fullmatch(key) and _LABEL_VALUE.fullmatch(value):
            labels[key] = value
        elif _ANNOTATION_KEY.fullmatch(key) and key not in _OURS:
            annotations[key] = value
        else:
            listed[key] = value
    if listed:
        annotations[_TAGS] = json.dumps(listed, sort_keys=True)
    size = _size(annotations)
    if size > _ANNOTATIONS - _KEPT:
        raise refused(
            f"tags: {size} bytes of tags that do not fit Google's rules of labels given, at most "
            f"{_ANNOTATIONS - _KEPT} allowed in a secret's annotations; give fewer, or values of "
            "small letters, digits, '-' and '_', up to 63 characters"
        )
    notes = {key: secret.annotations[key] for key in (WRITE, REMOVED) if key in secret.annotations}
    secret.labels = labels
    secret.annotations = {**annotations, **notes}


def put_note(key: str, text: str, secret: resources.Secret) -> None:
    """Note something in a message of a secret.

    :raises SecretsError: ``invalid_argument`` when there is no room for it. Trying again does not
        help: what is in its place is somebody else's.
    """
    secret.annotations[key] = text
    if (size := _size(secret.annotations)) >= _ANNOTATIONS:
        sizes = {one: _size({one: text}) for one, text in secret.annotations.items() if one != key}
        largest = max(sizes, key=lambda one: sizes[one], default="")
        raise refused(
            f"secret {secret.name}: with this package's note {key!r} its annotations would have "
            f"{size} bytes, fewer than {_ANNOTATIONS} are allowed; shorten or remove some of them "
            f"there (the largest is {largest!r}, {sizes.get(largest, 0)} bytes)"
        )


def _size(annotations: Mapping[str, str]) -> int:
    try:
        return sum(len(key.encode()) + len(value.encode()) for key, value in annotations.items())
    except UnicodeEncodeError:
        raise refused("tags: one has a text that has no UTF-8") from None


def _listed(text: str) -> dict[str, str]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if isinstance(found, dict) and all(isinstance(value, str) for value in found.values()):
        return found
    return {_TAGS: text}  # Somebody else wrote it.


def _number(told: object) -> int:
    """A version's number, 0 for none, as this package notes it.

    :raises ValueError: for anything else; ``True`` and ``7.0`` are none, either.
    """
    if type(told) is not int or not 0 <= told <= _LAST:
        raise ValueError("it is no number of a version")
    return told


def _runs(numbers: tuple[int, ...]) -> str:
    """``1,2,3,7`` as ``1-3,7``."""
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and runs[-1][1] == number - 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ",".join(str(a) if a == b else f"{a}-{b}" for a, b in runs)


def _numbers(text: str) -> tuple[int, ...]:
    found: list[int] = []
    for run in filter(None, text.split(",")):
        first, _, last = run.partition("-")
        found += range(int(first), int(last or first) + 1)[: _VERSIONS + 1]
        if len(found) > _VERSIONS:
            raise ValueError("it names more versions than a secret has")
    return tuple(found)
