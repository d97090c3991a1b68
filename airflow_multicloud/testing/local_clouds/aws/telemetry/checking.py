"""Whether what was sent is what botocore's model of an operation asks for, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from botocore.model import Shape

_TYPES: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "long": (int,),
    "float": (int, float),
    "double": (int, float),
    "boolean": (bool,),
    "timestamp": (datetime, int, float),
    "list": (list,),
    "map": (dict,),
    "structure": (dict,),
}


class Unfit(Exception):  # noqa: N818 - the start of an answer, no error of this program
    """What is wrong with a request.

    :param missing: whether something is not there that must be.
    """

    def __init__(self, message: str, *, missing: bool = False) -> None:
        super().__init__(message)
        self.missing = missing


def check(value: Any, shape: Shape, path: str = "") -> None:
    """Compare a value with its shape.

    :param path: the value's, for the message.
    :raises Unfit: for what does not fit.
    """
    kinds = _TYPES.get(shape.type_name, (object,))
    if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
        raise Unfit(f"{path or 'request'}: expected {shape.type_name}")
    _LOOKS.get(shape.type_name, _scalar)(value, shape, path)


def _structure(value: Mapping[str, Any], shape: Any, path: str) -> None:
    if unknown := sorted(set(value) - set(shape.members)):
        raise Unfit(f"{path or 'request'}: {unknown[0]} is not known")
    for name in shape.required_members:
        if value.get(name) is None:
            raise Unfit(f"The parameter {path and f'{path}.'}{name} is required.", missing=True)
    for name, member in value.items():
        if member is not None:
            check(member, shape.members[name], f"{path}.{name}" if path else name)


def _list(value: list[Any], shape: Any, path: str) -> None:
    _length(len(value), shape, path)
    for place, member in enumerate(value, 1):
        check(member, shape.member, f"{path}.member.{place}")


def _map(value: Mapping[str, Any], shape: Any, path: str) -> None:
    _length(len(value), shape, path)
    for name, member in value.items():
        check(name, shape.key, path)
        check(member, shape.value, f"{path}.{name}")


def _string(value: str, shape: Any, path: str) -> None:
    _length(len(value), shape, path)
    pattern = shape.metadata.get("pattern")
    if pattern and not re.fullmatch(pattern, value, re.DOTALL):
        raise Unfit(f"{path}: expected what fits the pattern {pattern}")
    if shape.enum and value not in shape.enum:
        raise Unfit(f"The value {value} for parameter {path} is invalid.")


def _scalar(value: Any, shape: Any, path: str) -> None:
    if isinstance(value, int | float):
        _length(value, shape, path)


def _length(size: float, shape: Any, path: str) -> None:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if least is not None and size < least:
        raise Unfit(f"{path}: expected at least {least}")
    if most is not None and size > most:
        raise Unfit(f"{path}: expected at most {most}")


_LOOKS: Mapping[str, Callable[[Any, Any, str], None]] = {
    "structure": _structure,
    "list": _list,
    "map": _map,
    "string": _string,
}
