"""Encoder folders that bring Python of their own are refused before anything reads them.

sentence-transformers imports the module that ``modules.json`` names, and before 6.2 also a file of
the folder itself, whatever ``trust_remote_code`` says; Transformers offers to run what ``auto_map``
names. The required versions refuse by themselves; this is the second lock.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from coldstart.errors import ModelError

_LARGEST = 4 << 20  # bytes of a settings file; vocabularies are larger, and name no code
_WORDS = ("tokenizer.json", "vocab.json")
_OURS = re.compile(r"sentence_transformers(\.\w+)*\.[A-Za-z]\w*")
_CODE = ("auto_map", "custom_pipelines")
_HINT = "use an encoder whose modules are all of sentence-transformers; its code is not run"


def refuse_code(folder: Path) -> None:
    """Refuse an encoder that names Python outside sentence-transformers.

    Looked at are ``modules.json``, the ``types`` of routers, ``auto_map``, and a stored
    ``trust_remote_code``, in every settings file of the folder. Python files that nothing names are
    no obstacle: some published encoders have their training script beside the weights.

    Args:
        folder: of a sentence-transformers model.

    Raises:
        ModelError: it names such code, or a settings file cannot be read.
    """
    for path in sorted(folder.rglob("*.json")):
        try:
            if path.name in _WORDS or path.stat().st_size > _LARGEST:
                continue
            found = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError) as e:
            raise ModelError(
                f"cannot load the encoder {str(folder)!r}: {path.name} cannot be read: "
                f"{type(e).__name__}",
                _HINT,
            ) from e
        if what := _code_in(found, path.name):
            raise ModelError(
                f"the encoder {folder} brings code: {path.relative_to(folder)} names {what}", _HINT
            )


def _code_in(found: Any, name: str) -> str:
    """What a settings file names that would be run; empty if nothing."""
    modules = found if name == "modules.json" else []
    if not isinstance(modules, list):
        return "no list of modules"
    named = [module.get("type") if isinstance(module, dict) else module for module in modules]
    if isinstance(found, dict) and isinstance(found.get("types"), dict):  # of a router
        named += found["types"].values()
    odd = [kind for kind in named if not isinstance(kind, str) or not _OURS.fullmatch(kind)]
    if odd:
        return ascii(odd[0])[:100]
    if isinstance(found, dict):
        for key in _CODE:
            if found.get(key):
                return key
        for key, value in found.items():
            inner = value if isinstance(value, dict) else {key: value}
            if inner.get("trust_remote_code"):
                return "trust_remote_code"
    return ""
