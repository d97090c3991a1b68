"""Values in a query of Kusto's language, so that no text can become a part of the query.

https://learn.microsoft.com/kusto/query/scalar-data-types/string: between double quotes, a backslash
begins an escape, and no line ends. Which escapes there are says Kusto's grammar
(https://github.com/microsoft/Kusto-Query-Language/blob/master/src/Kusto.Language/Parser/LexicalGrammar.cs).
"""

from __future__ import annotations

import json
from datetime import UTC, datetime


def literal(text: str) -> str:
    """A text, as a string literal.

    What shows stands for itself, but for quotes and backslashes. All else is escaped as JSON
    does it, which Kusto reads alike: line ends of Unicode's, for example.
    """
    return '"' + "".join(map(_escaped, text)) + '"'


def _escaped(character: str) -> str:
    if character.isprintable() and character not in '"\\':
        return character
    return json.dumps(character)[1:-1]


def moment(time: datetime) -> str:
    """A time, as a literal; exact, since Kusto's are of 100 ns."""
    return f"datetime({time.astimezone(UTC).isoformat().replace('+00:00', 'Z')})"
