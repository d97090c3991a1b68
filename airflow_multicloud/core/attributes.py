"""What travels with an object besides its bytes: what a destination can keep, and what changed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from types import MappingProxyType

from airflow_multicloud.adapters.digests import OWN_METADATA, SHA256_METADATA, sha256_of
from airflow_multicloud.core.endpoints import Endpoint, has_capability
from airflow_multicloud.ports.object_store import (
    AttributeRules,
    FittedAttributes,
    ObjectAttributes,
    TagRules,
)

_STANDARD = tuple(field.name for field in fields(ObjectAttributes) if field.name != "metadata")
_ANY_SHA256 = "0" * 64
_NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Kept:
    """What of an object's attributes a destination keeps.

    :param attributes: as they are to be written, with the SHA-256 where it was given.
    :param not_kept: what the destination can't hold.
    :param keeps_digest: whether there is room for the SHA-256, also when it, or a BLAKE3, which is
        as long, comes later.
    """

    attributes: ObjectAttributes
    not_kept: tuple[str, ...] = ()
    keeps_digest: bool = True


def keep(destination: Endpoint, attributes: ObjectAttributes, *, sha256: str | None) -> Kept:
    """Fit a source's attributes to a destination.

    What the source has goes before the digest, where there is not room for both.

    :param sha256: kept as metadata when it is known before the write begins.
    """
    metadata = {n: v for n, v in attributes.metadata.items() if n not in OWN_METADATA}
    refused = destination.unusable_metadata(metadata) if metadata else ()
    for name in refused:
        del metadata[name]
    metadata[SHA256_METADATA] = sha256 or _ANY_SHA256
    fitted = _fit(destination, replace(attributes, metadata=metadata))
    kept = dict(fitted.attributes.metadata)
    keeps_digest = SHA256_METADATA in kept
    if sha256 is None:
        kept.pop(SHA256_METADATA, None)
    ours = f"metadata:{SHA256_METADATA}"
    return Kept(
        replace(fitted.attributes, metadata=kept),
        (*(f"metadata:{n}" for n in refused), *(n for n in fitted.not_kept if n != ours)),
        keeps_digest,
    )


def _fit(destination: Endpoint, attributes: ObjectAttributes) -> FittedAttributes:
    if not has_capability(destination.store, AttributeRules):
        return FittedAttributes(attributes)
    return destination.store.fit_attributes(attributes)


def keep_tags(
    destination: Endpoint,
    tags: Mapping[str, str],
    present: Mapping[str, str],
    *,
    others: bool = False,
) -> tuple[dict[str, str], tuple[str, ...]]:
    """The tags that a replica is to have, and which of the source's it can't.

    :param present: what it has already, of which this package's own stays.
    :param others: whether those that the source has not stay too.
    """
    kept = {name: value for name, value in present.items() if others or name in OWN_METADATA}
    not_kept: list[str] = []
    store = destination.store
    rules = store if has_capability(store, TagRules) else None
    for name, value in tags.items():
        if name in OWN_METADATA:
            continue
        full = rules is not None and name not in kept and len(kept) >= rules.most_tags
        if full or (rules is not None and rules.why_not_tag(name, value)):
            not_kept.append(f"tag:{name}")
        else:
            kept[name] = value
    return kept, tuple(not_kept)


def fingerprint(attributes: ObjectAttributes | None) -> str | None:
    """A short digest of attributes, this package's own metadata left out."""
    if attributes is None:
        return None
    standard = [getattr(attributes, name) for name in _STANDARD]
    return _short([standard, sorted(_foreign(attributes.metadata).items())])


def tags_fingerprint(tags: Mapping[str, str] | None) -> str | None:
    """A short digest of tags, this package's own left out."""
    return None if tags is None else _short(sorted(_foreign(tags).items()))


def lacks(wanted: ObjectAttributes, there: ObjectAttributes | None) -> bool:
    """Whether an object that is there lacks an attribute that it should have.

    What it has besides is no difference: stores have defaults, and other tools notes of their own.
    """
    if there is None:
        return False
    standard = ((getattr(wanted, name), getattr(there, name)) for name in _STANDARD)
    return any(want is not None and want != has for want, has in standard) or any(
        there.metadata.get(name) != value for name, value in _foreign(wanted.metadata).items()
    )


def _foreign(named: Mapping[str, str]) -> Mapping[str, str]:
    if not named:
        return _NOTHING
    return {name: value for name, value in named.items() if name not in OWN_METADATA}


def _short(document: object) -> str:
    return sha256_of(json.dumps(document).encode())[:16]
