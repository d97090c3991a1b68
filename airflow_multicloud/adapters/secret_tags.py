"""Tags of secrets: those that somebody asked for, and those that say whose work a secret is."""

from __future__ import annotations

from collections.abc import Mapping

from airflow_multicloud.labels import DAG, TASK, LabelRules, current_work


def tags_of_new(tags: Mapping[str, str] | None, rules: LabelRules, *, most: int) -> dict[str, str]:
    """The tags of a secret that is made: those asked for, and the labels of the work.

    A label that is asked for by its name stays as it is asked for: it was copied from another
    secret. Labels for which there is no room are left out.

    :param rules: for the labels' values.
    :param most: tags that a secret may have.
    """
    asked = dict(tags or {})
    room = max(0, most - len(asked))
    work = current_work().lasting().labels(rules)
    added = [(key, value) for key, value in work.items() if key not in asked]
    return {**asked, **dict(added[:room])}


def tags_to_be(asked: Mapping[str, str], there: Mapping[str, str], *, most: int) -> dict[str, str]:
    """The tags of a secret that is there, when these are asked for.

    What is not asked for goes, but for the labels of the work that made it, where there is room.

    :param most: tags that a secret may have.
    """
    room = max(0, most - len(asked))
    kept = [(key, there[key]) for key in (DAG, TASK) if key in there and key not in asked]
    return {**asked, **dict(kept[:room])}
