"""Patterns of policies and roles: ``*`` stands for any characters, ``?`` for any one."""

from __future__ import annotations

from functools import lru_cache


@lru_cache(maxsize=4096)
def meet(one: str, other: str) -> bool:
    """Whether some text fits both patterns; one of them may be no pattern but a text."""
    # How far in the one pattern what was read of the other can lead.
    reached = _with_empty({0}, one)
    for sign in other:
        if sign == "*":
            reached = set(range(min(reached, default=len(one) + 1), len(one) + 1))
        else:
            steps = ((at, one[at]) for at in reached if at < len(one))
            reached = _with_empty(
                {
                    at if own == "*" else at + 1
                    for at, own in steps
                    if own in ("*", "?", sign) or sign == "?"
                },
                one,
            )
    return len(one) in reached


def _with_empty(reached: set[int], pattern: str) -> set[int]:
    """With the places behind each ``*`` there that stands for nothing."""
    found = set(reached)
    for at, sign in enumerate(pattern):
        if at in found and sign == "*":
            found.add(at + 1)
    return found
