"""Makes the README part of the metadata, with links that work wherever it is shown."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

_RELATIVE = re.compile(r"\]\((?!https?://|#)([^)\s]+)\)")


class ReadmeHook(MetadataHookInterface):
    """README.md, its relative links led to the project's sources."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Set ``readme``."""
        text = Path(self.root, "README.md").read_text(encoding="utf-8")
        base = f"{metadata['urls']['Source']}/blob/main/"
        metadata["readme"] = {
            "content-type": "text/markdown",
            "text": _RELATIVE.sub(rf"]({base}\1)", text),
        }
