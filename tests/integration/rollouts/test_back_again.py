"""A deployment that was taken down comes back as it was, though its first tokens are spent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .landscape import answers, outcomes

if TYPE_CHECKING:
    from .landscape import Landscape

CLOUDS = ("aws", "gcp", "azure")


def test_the_same_deployment_after_its_teardown(landscape: Landscape) -> None:
    """The same orders: EC2 and Compute Engine know their tokens, Azure's names are free again."""
    app = landscape.app()
    first = landscape.deploy(app, revision="one")
    assert outcomes(first) == dict.fromkeys(CLOUDS, "succeeded"), first
    before = {one.id for one in landscape.instances()}
    landscape.tear_down().raise_if_failed()
    again = landscape.deploy(app, revision="one")
    assert outcomes(again) == dict.fromkeys(CLOUDS, "succeeded"), again
    assert answers(landscape.instances()) == dict.fromkeys(CLOUDS, "one")
    assert before - {one.id for one in landscape.instances()}
    landscape.tear_down().raise_if_failed()
    landscape.check_nothing_is_left()
