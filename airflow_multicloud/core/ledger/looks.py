"""What was looked at when, and how fresh that makes a replica. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from msgspec.structs import replace

from airflow_multicloud.core.ledger import selections, soundness
from airflow_multicloud.core.ledger.commits import Look, Selection
from airflow_multicloud.core.ledger.entries import Entry, Proof

#: So many selections are remembered; see :func:`with_look` for which are forgotten then.
MOST = 1000

ALL = Selection()


def may_stay(_: Look) -> bool:
    """Of a look of which nothing is known there may be objects."""
    return True


def with_look(
    known: Sequence[Look], new: Look, stays: Callable[[Look], bool] = may_stay
) -> tuple[Look, ...]:
    """The looks once another one is over.

    It replaces the last one of its prefix and selection, unless that began later; one at all
    objects replaces every older one below its prefix. A look at another source stays as long as
    there are objects that only this source has.

    :param stays: whether there may be such objects, of an older look; asked if there are any.
    """
    known = [
        replace(one, as_of=min(one.as_of, new.finished))
        for one in known
        if one.as_of <= new.finished or _place(one) != _place(new)
    ]
    same = [one for one in known if _place(one) == _place(new)]
    if any(one.as_of > new.as_of and one.source == new.source for one in same):
        return tuple(_with_failures(one, new) for one in known)
    kept = [_taken_over(one, new) for one in known if not _replaces(new, one, stays)]
    kept.append(new)
    # Those that lie within others are forgotten first, and of these the newest: what is left makes
    # nothing fresher than it is. Of the rest the oldest: nothing is said of what they were at.
    outer = set(map(id, _outermost(kept, _of_any_source)))

    def rank(one: Look) -> tuple[bool, bool, float]:
        inner, age = id(one) not in outer, one.as_of.timestamp()
        return one is not new, inner, age if inner else -age

    kept.sort(key=rank)
    number, room, few = soundness.GLOBS, soundness.GLOB_TEXT, list[Look]()
    for one in kept[:MOST]:
        globs = soundness.globs_of(one)
        number -= len(globs)
        room -= sum(map(len, globs))
        if number >= 0 and room >= 0:
            few.append(one)
    return tuple(sorted(few, key=lambda one: (one.prefix, str(one.selection), one.source)))


def _with_failures(kept: Look, new: Look) -> Look:
    """A look that stays, with what one that is no fresher, and ended later, could not copy."""
    if _place(kept) != _place(new) or kept.source != new.source or not new.behind:
        return kept
    if new.finished <= kept.finished or kept.behind >= new.behind:
        return kept
    lost = new.behind - kept.behind
    since = None if new.since is None else _since(kept, new.since)
    return replace(kept, behind=new.behind, since=since, proven=max(0, kept.proven - lost))


def _since(look: Look, also: datetime) -> datetime | None:
    """Until when all was up to date, with one object more that is behind since then."""
    if look.behind and look.since is None:
        return None
    return min(look.since or also, also)


def moved_back(known: Iterable[Look], entry: Entry) -> tuple[Look, ...]:
    """The looks once an older run has written over what they had found up to date."""
    behind, proof = entry.behind, entry.proof
    if behind is None or proof is None or (since := behind.since) is None:
        return tuple(known)
    return tuple(
        replace(one, behind=one.behind + 1, since=_since(one, since))
        if one.as_of > since and within(proof, entry.key, one)
        else one
        for one in known
    )


def _taken_over(old: Look, new: Look) -> Look:
    """A look at another source that stays for what only that one has: the rest is of the new."""
    whole = new.selection == ALL and old.prefix.startswith(new.prefix)
    if whole and old.as_of <= new.as_of and not same_source(new, old):
        return replace(old, displaced=0)
    return old


def _place(look: Look) -> tuple[str, Selection]:
    return look.prefix, look.selection


def _replaces(new: Look, old: Look, stays: Callable[[Look], bool]) -> bool:
    if old.as_of > new.as_of:
        return False
    whole = new.selection == ALL and old.prefix.startswith(new.prefix)
    if not whole and _place(old) != _place(new):
        return False
    return not new.strangers or same_source(new, old) or not stays(old)


def is_near(one: str, other: str) -> bool:
    """Whether one prefix or key lies within the other."""
    return one.startswith(other) or other.startswith(one)


def same_source(wide: Look, narrow: Look) -> bool:
    """Whether a look was at what another one, at a wider prefix, was at as well."""
    return narrow.source == wide.origin_of(narrow.prefix)


@dataclass(frozen=True, slots=True)
class Freshness:
    """How fresh a replica is.

    :param as_of: of what was looked at, it holds every change made at the source before this;
        ``None``: unknown.
    :param oldest: the part that this is due to; ``None``: nothing was looked at.
    :param looks: what it is made of, the oldest first.
    :param around: whether some look was at all of the prefix, though perhaps at a selection only.
    :param covered: whether looks were at all that is asked for.
    """

    as_of: datetime | None
    oldest: Look | None
    looks: tuple[Look, ...]
    around: bool
    covered: bool

    @property
    def objects(self) -> int:
        """How many objects the replica should have, by the looks that are not part of others."""
        return sum(look.owed for look in self._parts())

    @property
    def proven(self) -> int:
        """How many of them are proven."""
        return sum(max(0, look.proven - look.displaced) for look in self._parts())

    def _parts(self) -> list[Look]:
        return _outermost(self.looks, _of_its_source)


def freshness(known: Iterable[Look], prefix: str, asked: Selection = ALL) -> Freshness:
    """How fresh what lies below a prefix is.

    The oldest selection decides. Of a prefix that lies within one that was looked at, that look
    counts, unless a later one was at all of the narrower prefix.

    :param asked: the selection that is meant, as the runs name it.
    """
    looks = [
        one
        for one in known
        if is_near(one.prefix, prefix)
        and (asked == ALL or one.selection in (ALL, asked) or one.lacking)
    ]
    around = [one for one in looks if prefix.startswith(one.prefix)]
    whole = max(
        (one for one in around if one.selection == ALL or _place(one) == (prefix, asked)),
        key=lambda one: one.as_of,
        default=None,
    )
    if whole is not None:  # What is older than a look at everything says nothing any more.
        looks = [
            one
            for one in looks
            if one is whole or one.as_of > whole.as_of or _has_strangers(whole, one)
        ]
    looks.sort(key=_as_of)
    # Newer looks at parts leave the rest as it was, unless they found something that is behind.
    parts = [
        one
        for one in looks
        if whole is None or one is whole or one.lacking or _has_strangers(whole, one)
    ]
    unknown = next((one for one in parts if one.holds is None), None)
    oldest = unknown or next(iter(parts), None)
    return Freshness(
        oldest.holds if oldest else None,
        oldest,
        tuple(looks),
        around=bool(around),
        covered=whole is not None or (asked == ALL and _make_up_all(around)),
    )


def _make_up_all(looks: Sequence[Look]) -> bool:
    """Whether one look was at some globs, and another at all but these.

    Only a name stays the same: an object can go from one size or age to another between two looks.
    """
    places = set(map(_place, looks))
    return any(
        one.selection == Selection(include=globs)
        and (one.prefix, Selection(exclude=globs)) in places
        for one in looks
        if (globs := one.selection.include)
    )


def _has_strangers(whole: Look, one: Look) -> bool:
    """Whether a look was at objects of another source, which a later one at all did not find."""
    if not whole.strangers:
        return False
    if one.prefix.startswith(whole.prefix):
        return not same_source(whole, one)
    return not same_source(one, whole)  # A wider one: both are around what is asked for.


def _as_of(look: Look) -> datetime:
    return look.holds or look.as_of


def _outermost(
    looks: Sequence[Look], around: Callable[[Look, int], tuple[str, str] | None]
) -> list[Look]:
    """Looks that lie within no look at all objects.

    :param around: where such a look would be, with so long a prefix; ``None``: nowhere.
    """
    whole = {around(one, len(one.prefix)) for one in looks if one.selection == ALL}
    lengths = {len(one.prefix) for one in looks if one.selection == ALL}
    return [
        one
        for one in looks
        if not any(
            around(one, length) in whole and (length < len(one.prefix) or one.selection != ALL)
            for length in lengths
        )
    ]


def _of_any_source(look: Look, length: int) -> tuple[str, str] | None:
    return look.prefix[:length], ""


def _of_its_source(look: Look, length: int) -> tuple[str, str] | None:
    name = look.prefix[length:]
    if not look.source.endswith(name):
        return None
    return look.prefix[:length], look.source.removesuffix(name)


def as_of(entry: Entry, looks: Iterable[Look]) -> datetime | None:
    """The replica has the object as the source had it then; ``None``: it never did.

    The proof itself says so for when it was made, and every later look at its selection that found
    nothing to do.
    """
    if entry.behind is not None:
        return entry.behind.since
    if (proof := entry.proof) is None:
        return None
    # Of what another source has put here a look tells nothing.
    same = (
        look.as_of
        for look in looks
        if is_origin(proof, entry.key, look) and within(proof, entry.key, look)
    )
    return max((proof.as_of, *same))


def is_origin(proof: Proof, key: str, look: Look) -> bool:
    """Whether what is proven here is a copy of what a look was at, by its name at the source."""
    return proof.origin.uri == look.origin_of(key)


def within(proof: Proof, key: str, look: Look) -> bool:
    """Whether what is proven here was among what a look was at, had the source not changed it."""
    if not key.startswith(look.prefix):
        return False
    if not selections.admits(look.selection, key[len(look.prefix) :]):
        return False
    age, modified = look.selection.max_age, proof.origin.modified
    return _sized(look.selection, proof.size) and (
        age is None or (modified is not None and (look.started - modified).total_seconds() <= age)
    )


def _sized(selection: Selection, size: int) -> bool:
    least, most = selection.min_size, selection.max_size
    return (least is None or size >= least) and (most is None or size <= most)
