"""Nearest neighbours by faiss: compressed vectors for catalogs larger than memory."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from coldstart.errors import ArtifactError, CatalogError, ConfigError, MissingExtraError
from coldstart.grounding.index.allowed import Allowed, rows_of
from coldstart.grounding.index.servers import (
    SPARE,
    best,
    checked_queries,
    checked_rows,
    other_dimension,
)
from coldstart.runtime.cache import new_folder

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from coldstart.protocols import Float

    Ints = NDArray[np.int64]

_FAMILIES = ("IndexFlat", "IndexScalarQuantizer", "IndexHNSW", "IndexIVF")
_STEP = 16_384  # rows decoded at once
_TIED = 1e-5  # cosines so close may be equal
_MOST_TIED = 16_384  # rows retrieved to order equal cosines by id
_WIDEST = 100  # times ``effort``: most graph candidates under a narrow filter
_PER_LIST, _FOR_CODES, _FOR_RANGES = 39, 10_000, 1_000  # training rows
_VECTORS, _ABOUT = "vectors.faiss", "about.json"


class FaissIndex:
    """``protocols.Index`` on a faiss index, with ids, filters, updates and deletions.

    ``Flat`` stores floats and is exact. Others trade recall for memory or time: ``IVF1024,SQ8``
    takes a quarter of the memory and loses 2 % of the neighbours, ``IVF1024,PQ48`` 6 % of the
    memory and a quarter of the neighbours (``docs/scale.md``). Cosines are those of the stored,
    possibly compressed rows. Searches of up to ``exact`` allowed rows are exhaustive; narrower
    filters probe more lists or graph nodes, and a search that finds fewer than k is repeated
    exhaustively.

    An index that needs training (cluster centres, codes) is trained once, by the first search with
    ``learn_from`` rows; until then rows are floats. Replaced and removed rows are skipped, and
    dropped when they are the majority.

    >>> import numpy as np
    >>> index = FaissIndex()
    >>> index.set(["a", "b"], np.eye(2, dtype=np.float32))
    >>> index.search(np.array([[3, 4]], dtype=np.float32), k=1)
    [[('b', 0.8)]]

    Args:
        kind: as for ``faiss.index_factory``: ``Flat``, ``SQ8``, ``HNSW32``,
            ``IVF1024,Flat``, ``IVF1024,PQ48`` and the like.
        learn_from: fewest rows for training; ``None``: 39 per list, as faiss recommends, and 10,000
            for codes.
        exact: searches of up to so many allowed rows are exhaustive; at least 1.
        effort: candidates of a graph search (``efSearch``), at least 1.
        share: share of lists probed without a filter, in (0, 1].

    Raises:
        ConfigError: an option is out of range, or ``kind`` is unsupported.
        MissingExtraError: faiss is not installed.
    """

    def __init__(
        self,
        kind: str = "Flat",
        *,
        learn_from: int | None = None,
        exact: int = 10_000,
        effort: int = 200,
        share: float = 0.06,
    ) -> None:
        for option, value in (("exact", exact), ("effort", effort), ("learn_from", learn_from)):
            if value is not None and value < 1:
                raise ConfigError(f"{option} is {value}, expected at least 1")
        if not 0 < share <= 1:
            raise ConfigError(f"share is {share}, expected a number in (0, 1]")
        self._faiss = _imported()
        self.kind, self.exact, self.effort, self.share = kind, exact, effort, share
        self._learn_from, self._lock = learn_from, threading.RLock()
        self._ids: list[str | None] = []  # by position in faiss; None: replaced or removed
        self._rows: dict[str, int] = {}
        self._layout = object()  # replaced whenever ``_rows`` changes
        self._live = (object(), np.empty(0, dtype=np.int64))  # positions in use, of a layout
        self._index: Any = None
        self._is_final = False  # of the given kind; False: floats before training

    def __repr__(self) -> str:
        return f"FaissIndex({self.kind!r}, {len(self)} rows)"

    def __len__(self) -> int:
        return len(self._rows)

    def __contains__(self, item_id: object) -> bool:
        return item_id in self._rows

    def __iter__(self) -> Iterator[str]:
        return iter(tuple(self._rows))

    def set(self, ids: Sequence[str], vectors: Float) -> None:
        """See ``Index.set``."""
        names, unit = checked_rows(ids, vectors)
        if not names:
            return
        with self._lock:
            self._require_dimension(unit.shape[1])
            if self._index is None or not self._rows:
                self._restart(unit.shape[1])
            self._forget(names)
            self._rows |= {name: len(self._ids) + n for n, name in enumerate(names)}
            self._ids += names
            self._index.add(unit)
            self._layout = object()

    def remove(self, ids: Sequence[str]) -> None:
        """See ``Index.remove``."""
        with self._lock:
            self._forget(ids)
            self._layout = object()

    def vectors(self, ids: Sequence[str]) -> Float:
        """Return the stored rows of ``ids``, shape (len(ids), dim), in the given order.

        Raises:
            CatalogError: an id is not in the index.
        """
        with self._lock:
            unknown = [item_id for item_id in ids if item_id not in self._rows]
            if unknown:
                raise CatalogError(f"no vector for {unknown[0]!r}", "add it to the index first")
            return self._decoded(np.array([self._rows[i] for i in ids], dtype=np.int64))

    def search(
        self, queries: Float, k: int, allowed: Sequence[str] | None = None
    ) -> list[list[tuple[str, float]]]:
        """See ``Index.search``; among more than 16,384 equal cosines the order is arbitrary."""
        unit = checked_queries(queries, k)
        with self._lock:
            if not len(unit) or not self._rows:
                return [[] for _ in unit]
            self._require_dimension(unit.shape[1])
            self._settle()
            rows = self._rows_of(allowed)
            if not len(rows):
                return [[] for _ in unit]
            if len(rows) <= max(self.exact, k):
                return [self._compare(query, rows, k) for query in unit]
            return self._near(unit, k, rows, k + SPARE)

    def save(self, folder: Path) -> None:
        """Save the index to a folder, which is replaced atomically."""
        with self._lock, new_folder(folder) as work:
            if self._index is not None:
                self._settle()
                self._faiss.write_index(self._index, str(work / _VECTORS))
            about = {"kind": self.kind, "ids": self._ids, "final": self._is_final}
            (work / _ABOUT).write_text(json.dumps(about), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path, **options: Any) -> FaissIndex:
        """Load a saved index.

        Args:
            folder: of the index.
            options: of ``__init__``, except ``kind``.

        Raises:
            ArtifactError: the folder is missing or damaged.
        """
        try:
            about = json.loads((folder / _ABOUT).read_text(encoding="utf-8"))
            out = cls(about["kind"], **options)
            out._ids, out._is_final = about["ids"], about["final"]
            out._rows = {i: n for n, i in enumerate(out._ids) if i is not None}
            if out._ids:
                out._index = out._faiss.read_index(str(folder / _VECTORS))
                if out._index.ntotal != len(out._ids):
                    raise ValueError(f"{out._index.ntotal} vectors, {len(out._ids)} ids")
        except (OSError, ValueError, KeyError, TypeError, RuntimeError) as e:
            first = str(e).splitlines()[0][:200]
            raise ArtifactError(f"no index in {folder}: {first}", "make and save it anew") from e
        return out

    # -- searching ------------------------------------------------------------------------------

    def _rows_of(self, allowed: Sequence[str] | None) -> Ints:
        """Positions of the allowed rows, ascending."""
        if allowed is None:
            if self._live[0] is not self._layout:
                live = np.sort(np.fromiter(self._rows.values(), dtype=np.int64))
                self._live = self._layout, live
            return self._live[1]
        if isinstance(allowed, Allowed):
            return allowed.rows(self._rows, self._layout)
        return rows_of(allowed, self._rows)

    def _compare(self, query: Float, rows: Ints, k: int) -> list[tuple[str, float]]:
        """Search the given rows exhaustively."""
        found: dict[str, float] = {}
        for at in range(0, len(rows), _STEP):
            some = rows[at : at + _STEP]
            found |= dict(self._best(query, some, k))
        return sorted(found.items(), key=lambda pair: (-pair[1], pair[0]))[:k]

    def _best(self, query: Float, rows: Ints, k: int) -> list[tuple[str, float]]:
        names = [name for name in map(self._ids.__getitem__, rows.tolist()) if name is not None]
        return best(query, names, self._decoded(rows), k)

    def _near(self, unit: Float, k: int, rows: Ints, most: int) -> list[list[tuple[str, float]]]:
        """Top ``k`` of the ``most`` rows that faiss retrieves, or of more if the last ones tie."""
        scores, places = self._index.search(unit, most, params=self._how(rows, most))
        found = []
        for query, near, at in zip(unit, scores, places, strict=True):
            hits = at[at >= 0]
            if len(hits) < k:
                found.append(self._compare(query, rows, k))
            elif len(hits) == most < _MOST_TIED and near[k - 1] - near[-1] < _TIED:
                found += self._near(query[None], k, rows, min(8 * most, _MOST_TIED))
            else:
                found.append(self._best(query, hits, k))
        return found

    def _how(self, rows: Ints, most: int) -> Any:
        """Search parameters of faiss: filter and effort."""
        faiss, total = self._faiss, len(self._ids)
        only = None
        if len(rows) < total:
            bits = np.zeros(total, dtype=bool)
            bits[rows] = True
            only = faiss.IDSelectorBitmap(np.packbits(bits, bitorder="little"))
        index = self._index
        if isinstance(index, faiss.IndexHNSW):
            effort = min(self.effort * total // len(rows), _WIDEST * self.effort)
            return faiss.SearchParametersHNSW(sel=only, efSearch=max(effort, most))
        if isinstance(index, faiss.IndexIVF):
            share = min(1.0, max(self.share, self.exact / len(rows)))
            return faiss.SearchParametersIVF(sel=only, nprobe=int(np.ceil(share * index.nlist)))
        return faiss.SearchParameters(sel=only)

    # -- keeping --------------------------------------------------------------------------------

    def _forget(self, ids: Sequence[str]) -> None:
        for item_id in ids:
            position = self._rows.pop(item_id, None)
            if position is not None:
                self._ids[position] = None

    def _settle(self) -> None:
        """Train the index once there are enough rows, and drop dead rows if the majority."""
        live = len(self._rows)
        if not self._is_final and live >= self._enough():
            rows, made = self._rows_of(None), self._make(self._index.d)
            some = np.random.default_rng(0).permutation(rows)[: max(_STEP, self._enough())]
            made.train(self._decoded(np.sort(some)))
            self._move(rows, made)
            self._is_final = True
        elif len(self._ids) - live > max(live, _STEP):
            made = self._faiss.clone_index(self._index)
            made.reset()
            self._move(self._rows_of(None), made)

    def _move(self, rows: Ints, made: Any) -> None:
        """Move rows to another index, in order."""
        if isinstance(made, self._faiss.IndexIVF):
            made.make_direct_map()
        for at in range(0, len(rows), _STEP):
            made.add(self._decoded(rows[at : at + _STEP]))
        self._ids = [self._ids[row] for row in rows.tolist()]
        self._rows = {name: n for n, name in enumerate(self._ids) if name is not None}
        self._index, self._layout = made, object()

    def _decoded(self, rows: Ints) -> Float:
        """Stored rows, decoded, shape (len(rows), dim)."""
        out: Float = self._index.reconstruct_batch(rows)
        return out

    def _restart(self, dim: int) -> None:
        """Start with an empty index."""
        wanted = self._make(dim)
        self._is_final = bool(wanted.is_trained)
        self._index = wanted if self._is_final else self._faiss.IndexFlatIP(dim)
        self._ids, self._rows = [], {}

    def _enough(self) -> int:
        """Fewest rows for training."""
        if self._learn_from is not None:
            return self._learn_from
        index = self._make(self._index.d)
        lists = index.nlist if isinstance(index, self._faiss.IndexIVF) else 0
        return max(_PER_LIST * lists, _FOR_CODES if "PQ" in self.kind else _FOR_RANGES)

    def _make(self, dim: int) -> Any:
        try:
            made = self._faiss.index_factory(dim, self.kind, self._faiss.METRIC_INNER_PRODUCT)
        except RuntimeError:
            made = None
        if not type(made).__name__.startswith(_FAMILIES) or getattr(made, "nlist", 1) < 1:
            raise ConfigError(
                f"kind is {self.kind!r}, which is none that FaissIndex can use for {dim} numbers",
                "such as Flat, SQ8, HNSW32, IVF1024,Flat or IVF1024,PQ48 (48 divides 384)",
            )
        return made

    def _require_dimension(self, dim: int) -> None:
        if self._rows and dim != self._index.d:
            raise other_dimension(dim, self._index.d)


def _imported() -> Any:
    try:
        import faiss
    except ImportError:
        raise MissingExtraError(
            "FaissIndex needs faiss", "pip install 'coldstart-rec[faiss]'"
        ) from None
    return faiss
