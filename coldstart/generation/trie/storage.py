"""Storage of a trie: a folder of memory-mapped arrays with checksums."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from coldstart.errors import ArtifactError
from coldstart.generation.trie.delta_trie import DeltaTrie
from coldstart.generation.trie.id_array import IdArray
from coldstart.generation.trie.patricia import PatriciaTrie
from coldstart.generation.trie.ragged import RaggedArray
from coldstart.runtime.cache import new_folder

FORMAT = 1
_ABOUT = "about.json"

Arrays = Mapping[str, NDArray[Any]]


def save(trie: DeltaTrie, folder: Path) -> None:
    """Write the base of a trie; its delta must be empty."""
    with new_folder(folder) as work:
        sums = {}
        for name, array in _arrays(trie).items():
            np.save(work / f"{name}.npy", array)
            sums[name] = zlib.crc32(np.ascontiguousarray(array).data)
        about = {"format": FORMAT, "crc32": sums}
        (work / _ABOUT).write_text(json.dumps(about), encoding="utf-8")


def load(folder: Path) -> DeltaTrie:
    """Memory-map a trie from its folder.

    Raises:
        ArtifactError: the folder is missing, damaged, or of another format version.
    """
    try:
        about = json.loads((folder / _ABOUT).read_text(encoding="utf-8"))
        if about["format"] != FORMAT:
            raise ArtifactError(
                f"the trie in {folder} has format {about['format']}, expected {FORMAT}", hint=_HINT
            )
        arrays = {name: _map(folder / f"{name}.npy", crc) for name, crc in about["crc32"].items()}
        return _trie(arrays)
    except (OSError, ValueError, KeyError, TypeError, EOFError) as e:
        raise ArtifactError(f"no trie can be read from {folder}: {e}", hint=_HINT) from e


_HINT = "delete the folder and save the trie again"


def _map(path: Path, crc: int) -> NDArray[Any]:
    array = np.load(path, mmap_mode="r", allow_pickle=False)
    if zlib.crc32(np.ascontiguousarray(array).data) != crc:
        raise ValueError(f"{path.name} is not what was written")
    return np.asarray(array)


def _arrays(trie: DeltaTrie) -> Arrays:
    base, ids = trie.base, trie.ids
    return {
        "tokens": base.titles.values,
        "titles": base.titles.starts,
        "depth": base.depth,
        "starts": base.starts,
        "edge_key": base.edge_key,
        "edge_lo": base.edge_lo,
        "edge_hi": base.edge_hi,
        "edge_target": base.edge_target,
        "id_text": ids.text.values,
        "ids": ids.text.starts,
        "by_id": ids.by_id,
    }


def _trie(arrays: Arrays) -> DeltaTrie:
    base = PatriciaTrie(
        titles=RaggedArray(arrays["tokens"], arrays["titles"]),
        depth=arrays["depth"],
        starts=arrays["starts"],
        edge_key=arrays["edge_key"],
        edge_lo=arrays["edge_lo"],
        edge_hi=arrays["edge_hi"],
        edge_target=arrays["edge_target"],
    )
    ids = IdArray(RaggedArray(arrays["id_text"], arrays["ids"]), arrays["by_id"])
    none = np.zeros(0, dtype=np.int64)
    return DeltaTrie(base, ids, none, (), none)
