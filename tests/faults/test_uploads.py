"""An upload whose answer gets lost is repeated, and then meets its own object."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from airflow_multicloud.core.upload import upload

from .proxy import Fault, Rule
from .rigs import MIB, Rig, fresh_prefix, hashes_at, hashes_of, leftovers

if TYPE_CHECKING:
    from pathlib import Path

_random = random.Random(2)  # content, no secret
NAME = "artifact.bin"
CONTENTS = {"write": _random.randbytes(1000), "complete": _random.randbytes(20 * MIB)}


@pytest.mark.parametrize("kind", CONTENTS)
@pytest.mark.parametrize("cloud", ["aws", "gcp", "azure"])
def test_the_answer_to_an_upload_may_get_lost(
    rigs: dict[str, Rig], cloud: str, kind: str, tmp_path: Path
) -> None:
    rig, prefix = rigs[cloud], fresh_prefix("upload")
    file = tmp_path / NAME
    file.write_bytes(CONTENTS[kind])
    destination, direct = rig.endpoint(prefix), rig.endpoint(prefix, direct=True)
    rig.proxy.reset()
    rig.proxy.add(Rule(fault=Fault.RESET_ANSWER, **rig.traffic.of(kind, NAME)))

    uploaded = upload(file, destination)

    assert not uploaded.unchanged
    assert uploaded.size == len(CONTENTS[kind])

    assert rig.proxy.applied() == 1
    assert hashes_at(direct) == hashes_of({NAME: CONTENTS[kind]})
    assert leftovers(direct) == []
    assert upload(file, destination).unchanged
