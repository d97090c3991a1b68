"""How what a deployment makes is named and labelled: this, and nothing else, finds it again.

The values are legal on every cloud as they are (Compute Engine's labels are the narrowest), so that
no cloud changes them.
"""

from __future__ import annotations

import hashlib
import re
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from airflow_multicloud.errors import DeploymentError, ErrorKind
from airflow_multicloud.labels import DEPLOYMENT_LABEL, LabelRules
from airflow_multicloud.ports.compute import Instance

DEPLOYMENT = DEPLOYMENT_LABEL
TARGET = "multicloud-target"
SLOT = "multicloud-slot"
SPEC = "multicloud-spec"
GENERATION = "multicloud-generation"
REVISION = "multicloud-revision"
ORDER = "multicloud-order"
STANDING = "multicloud-standing"

#: Of tokens; made once, at random.
_NAMESPACE = uuid.UUID("5f0d3b0e-2f6a-4c57-9c2e-3d3f2f8f6a11")
_ID = re.compile(r"[a-z](?:[a-z0-9-]{0,38}[a-z0-9])?")
#: Digits of a candidate's digest in a label: 64 bits, of a handful that are compared.
_SPEC_DIGITS = 16
#: What this package writes into each label.
_FORMS = {
    DEPLOYMENT: _ID,
    TARGET: _ID,
    SLOT: re.compile(r"[0-9]{1,15}"),
    SPEC: re.compile(rf"[0-9a-f]{{{_SPEC_DIGITS}}}"),
    GENERATION: re.compile(r"[0-9]{1,15}"),
    REVISION: re.compile(r"[a-z0-9_-]{1,63}"),
    ORDER: re.compile(r"[0-9]{1,15}"),
    STANDING: re.compile(r"new|current|replaced"),
}
_RULES = LabelRules(illegal=r"[^a-z0-9_-]", longest=63, lower=True)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


class Standing(StrEnum):
    """What a deployment thinks of an instance."""

    #: Its health is not known yet.
    NEW = "new"
    #: It was healthy when its rollout took it for good.
    CURRENT = "current"
    #: A newer one has been healthy in its place; it was stopped for that.
    REPLACED = "replaced"


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """A place for one live instance.

    :param number: from 0, below the target's count.
    """

    deployment_id: str
    target: str
    number: int


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Rank:
    """Which of two instances of a slot stays: the higher.

    :param order: milliseconds since 1970 of when the run was begun that wanted it.
    :param spec: digits of its candidate's digest.
    """

    order: int
    spec: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What an instance's labels say of it."""

    slot: Slot
    rank: Rank
    generation: int
    revision: str
    standing: Standing


def check_id(given: str, parameter: str) -> None:
    """Refuse what can't stand in names and labels of every cloud as it is.

    :raises DeploymentError: ``invalid_argument``.
    """
    if not _ID.fullmatch(given):
        raise DeploymentError(
            f"{parameter}: {given!r} given, expected at most 40 characters: a lower-case letter, "
            "then those, digits and hyphens, with no hyphen at the end",
            kind=ErrorKind.INVALID_ARGUMENT,
        )


def place_of(region: str, zone: str | None) -> str:
    """Where an instance is, for people: the zone, with the region where it does not say that."""
    if zone is None:
        return region
    return zone if zone.startswith(region) else f"{region}/{zone}"


def order_of(moment: datetime) -> int:
    """A moment as :class:`Rank` has it."""
    return (moment - _EPOCH) // _MILLISECOND


def moment_of(order: int) -> datetime | None:
    """The moment that :func:`order_of` was given; ``None`` for a number that is none."""
    try:
        return _EPOCH + order * _MILLISECOND
    except OverflowError:
        return None


def spec_of(digest: str) -> str:
    """A candidate's digest as :class:`Rank` has it."""
    return digest[:_SPEC_DIGITS]


def revision_label(revision: str) -> str:
    """A revision's name as a label has it."""
    return _RULES.legal(revision)


def token_of(slot: Slot, digest: str, generation: int) -> str:
    """The token of an order: the same for all who want the same of the same slot.

    :param digest: the candidate's.
    :param generation: how many instances of this token's like have been made and terminated.
    """
    parts = (slot.deployment_id, slot.target, str(slot.number), digest, str(generation))
    return str(uuid.uuid5(_NAMESPACE, "\n".join(parts)))


def name_of(slot: Slot, token: str) -> str:
    """An instance's name; another token gives another name."""
    mark = hashlib.sha256(token.encode()).hexdigest()[:10]
    target = slot.target[:18].rstrip("-")
    return f"{slot.deployment_id[:26].rstrip('-')}-{target}-{slot.number}-{mark}"


def labels_of(identity: Identity) -> dict[str, str]:
    """The labels that say all of it."""
    return {
        DEPLOYMENT: identity.slot.deployment_id,
        TARGET: identity.slot.target,
        SLOT: str(identity.slot.number),
        SPEC: identity.rank.spec,
        GENERATION: str(identity.generation),
        REVISION: revision_label(identity.revision),
        ORDER: str(identity.rank.order),
        STANDING: identity.standing.value,
    }


def identity_of(instance: Instance) -> Identity | None:
    """What an instance's labels say; ``None`` when they are not of this package's form.

    Whoever may label instances may write them: they tell which of a deployment's instances it is,
    and nothing that is trusted beyond the account.
    """
    found = instance.labels
    try:
        return Identity(
            slot=Slot(
                deployment_id=found[DEPLOYMENT],
                target=found[TARGET],
                number=_number(found[SLOT]),
            ),
            rank=Rank(order=_number(found[ORDER]), spec=found[SPEC]),
            generation=_number(found[GENERATION]),
            revision=found[REVISION],
            standing=Standing(found[STANDING]),
        )
    except (KeyError, ValueError):
        return None


def why_not_labelled(instance: Instance) -> str | None:
    """What is wrong with an instance's labels, that this package would not have written."""
    missing = [label for label in _FORMS if label not in instance.labels]
    if missing:
        return f"without the label {', '.join(missing)}"
    odd = [label for label, form in _FORMS.items() if not form.fullmatch(instance.labels[label])]
    return f"this package writes no such value into {', '.join(odd)}" if odd else None


def _number(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,15}", text):
        raise ValueError(text)
    return int(text)
