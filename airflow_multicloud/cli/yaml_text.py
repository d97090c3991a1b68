"""YAML as people write it, read so that nothing of it goes unnoticed."""

from __future__ import annotations

from typing import Any

import yaml

from airflow_multicloud.text import keys_text


def read_yaml(text: str) -> Any:
    """What a text in YAML, or in JSON, says.

    :raises ValueError: saying what is wrong and in which line, and nothing else of the text, which
        may be any file's. A key that is there twice is wrong: of the first nothing would be seen.
    """
    try:
        # The loader is PyYAML's safe one.
        return yaml.load(text, Loader=_EachKeyOnce)  # noqa: S506
    except yaml.MarkedYAMLError as err:
        line = "" if err.problem_mark is None else f", line {err.problem_mark.line + 1}"
        raise ValueError(f"{err.problem}{line}") from None
    except yaml.YAMLError:
        raise ValueError("it has characters that are not allowed there") from None
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    except (ValueError, ArithmeticError):  # a date that there is not, an endless number
        raise ValueError("a date or a number in it is none") from None


class _EachKeyOnce(yaml.SafeLoader):  # type: ignore[misc]  # PyYAML has no types
    """Refuses what the specification forbids, and PyYAML takes: "keys must be unique"."""

    def compose_mapping_node(self, anchor: Any) -> Any:
        # Here, before the keys that ``<<`` merges are among them.
        node = super().compose_mapping_node(anchor)
        seen = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                continue
            if (key.tag, key.value) in seen:
                problem = f"the key {keys_text([key.value])} is there twice"
                raise yaml.constructor.ConstructorError(None, None, problem, key.start_mark)
            seen.add((key.tag, key.value))
        return node
