"""Connections to the memory cloud, each with an empty bucket ``lab``."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

_numbers = itertools.count()


@pytest.fixture
def conn_id(memory_account: Callable[[str, str], str]) -> str:
    return memory_account(f"prices_{next(_numbers)}", "lab")
