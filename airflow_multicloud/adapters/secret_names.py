"""Names of secrets, written by each cloud's rules so that they can be read back.

A character that a cloud refuses is written as ``<mark><two hexadecimal digits>`` for each byte of
its UTF-8; all others stay as they are. Text that would be read as such an escape by chance is
escaped itself, so two names never become one, and a name that people gave in the cloud reads as it
is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from airflow_multicloud.errors import ErrorKind, SecretsError


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretNames:
    """The rules of one cloud.

    :param cloud: for errors.
    :param allowed: the characters that it takes, as a regular expression's class.
    :param mark: what begins an escape; of characters that are allowed.
    :param longest: characters at most.
    :param source: the documentation that says so, for errors.
    :param folds_case: whether names that differ in case only are one; capital letters are escaped
        then, and small ones are read.
    """

    cloud: str
    allowed: str
    mark: str
    longest: int
    source: str
    folds_case: bool = False
    _escape: re.Pattern[str] = field(init=False, repr=False)
    _taken: re.Pattern[str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        digits = "[0-9a-f]"
        object.__setattr__(self, "_escape", re.compile(f"{re.escape(self.mark)}({digits}{{2}})"))
        object.__setattr__(self, "_taken", re.compile(self.allowed))

    def encode(self, name: str) -> str:
        """The name as the cloud has it.

        :raises SecretsError: ``invalid_argument`` for an empty name, one that is not text that can
            be encoded, and one that gets too long.
        """
        try:
            name.encode()
        except UnicodeEncodeError:
            raise self._refused(name, "text that has no UTF-8") from None
        if not name:
            raise self._refused(name, "an empty name")
        plain = "".join(char if self._stays(char) else self._escaped(char) for char in name)
        # Whatever of the name's own text would be read as an escape is none any more then.
        encoded = plain if self._read(plain) == name else self._guarded(name)
        if len(encoded) > self.longest:
            raise self._refused(
                name, f"{len(encoded)} characters ({encoded[:40]}…), at most {self.longest} allowed"
            )
        return encoded

    def decode(self, encoded: str) -> str | None:
        """The name that is written like this; ``None`` when there is none."""
        text = encoded.lower() if self.folds_case else encoded
        name = self._read(text)
        try:
            return name if name is not None and self.encode(name) == text else None
        except SecretsError:
            return None

    def _stays(self, char: str) -> bool:
        return bool(self._taken.fullmatch(char)) and not (self.folds_case and char.isupper())

    def _escaped(self, char: str) -> str:
        return "".join(f"{self.mark}{byte:02x}" for byte in char.encode())

    def _guarded(self, name: str) -> str:
        first = self.mark[0]
        return "".join(
            char if self._stays(char) and char != first else self._escaped(char) for char in name
        )

    def _read(self, text: str) -> str | None:
        found = bytearray()
        at = 0
        while at < len(text):
            if escape := self._escape.match(text, at):
                found.append(int(escape[1], 16))
                at = escape.end()
            else:
                found += text[at].encode()
                at += 1
        try:
            return found.decode()
        except UnicodeDecodeError:
            return None

    def _refused(self, name: str, why: str) -> SecretsError:
        return SecretsError(
            f"name: {name!r} is {why} on {self.cloud} ({self.source})",
            kind=ErrorKind.INVALID_ARGUMENT,
            cloud=self.cloud,
        )
