"""Optional capabilities: what a store refuses, said before any byte moves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from airflow_multicloud.ports.object_store.values import ObjectAttributes


@runtime_checkable
class KeyRules(Protocol):
    """Optional capability: the store says before any byte moves which keys it refuses."""

    def why_not_key(self, key: str) -> str | None:
        """Why the store can't hold an object of this key, or ``None`` when it can."""
        ...


@runtime_checkable
class MetadataRules(Protocol):
    """Optional capability: the store says beforehand which user metadata names it refuses."""

    def why_not_metadata_name(self, name: str) -> str | None:
        """Why the store can't hold user metadata of this name, or ``None`` when it can."""
        ...


@dataclass(frozen=True, slots=True)
class FittedAttributes:
    """Attributes as a store can hold them.

    :param not_kept: what it can't hold: ``content_language``, ``metadata:name`` …
    """

    attributes: ObjectAttributes
    not_kept: tuple[str, ...] = ()


@runtime_checkable
class AttributeRules(Protocol):
    """Optional capability: the store says beforehand what it can hold of attributes."""

    def fit_attributes(self, attributes: ObjectAttributes) -> FittedAttributes:
        """The attributes as the store can hold them, and which of them it can't.

        What has a standard form in ASCII is given in it (``filename*`` of a Content-Disposition,
        RFC 6266). Metadata values are those that a later stat reads. Of metadata that is too
        much in total, the last entries are left out. What this gives, a write takes.
        """
        ...


@runtime_checkable
class TagRules(Protocol):
    """Optional capability: the store says beforehand which object tags it can hold."""

    def why_not_tag(self, name: str, value: str) -> str | None:
        """Why the store can't hold this tag, or ``None`` when it can."""
        ...

    @property
    def most_tags(self) -> int:
        """How many tags an object can have."""
        ...
