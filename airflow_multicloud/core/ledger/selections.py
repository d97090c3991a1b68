"""Which names a run looks at."""

from __future__ import annotations

import re
from fnmatch import translate
from functools import lru_cache

from airflow_multicloud.core.ledger.commits import Selection

#: So many lists of globs are kept as patterns.
_PATTERNS = 2000


def admits(selection: Selection, name: str) -> bool:
    """Whether a selection's globs admit a name below its prefix."""
    include, exclude = selection.include, selection.exclude
    if include and not _any_of(include).match(name):
        return False
    return not exclude or not _any_of(exclude).match(name)


@lru_cache(maxsize=_PATTERNS)
def _any_of(globs: tuple[str, ...]) -> re.Pattern[str]:
    """Globs as one pattern, which is made once."""
    return re.compile("|".join(map(translate, globs)))
