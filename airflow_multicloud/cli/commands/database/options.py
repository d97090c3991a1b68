"""What the commands about databases read of their options."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from typing import Any

from airflow_multicloud.cli.pairs import pairs


def labels_of(args: Namespace) -> dict[str, str]:
    """Labels, by ``--label``.

    :raises CloudError: kind ``invalid_argument``, naming the option.
    """
    return dict(pairs("--label", args.label or (), "KEY=VALUE, like team=shop"))


def given(args: Namespace, names: Sequence[str]) -> dict[str, Any]:
    """The options that were given; the Python API has the defaults of the others."""
    return {name: found for name in names if (found := getattr(args, name)) is not None}
