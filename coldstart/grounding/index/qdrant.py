"""Nearest neighbours in Qdrant: on a server, in a folder, or in memory."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import numpy as np

from coldstart.errors import CatalogError, ConfigError, MissingExtraError
from coldstart.grounding.index.servers import (
    SPARE,
    IndexUnavailable,
    best,
    checked_name,
    checked_queries,
    checked_rows,
    other_dimension,
    storable,
)

if TYPE_CHECKING:
    from qdrant_client import QdrantClient

    from coldstart.protocols import Float

_SPACE = uuid.UUID("6f2c0d5e-3d3b-5c1e-9a57-0c0d57a27000")  # of the points' names
_NUMBERS = 200_000  # sent at once, as JSON: a server takes 32 MB
_FILTERS = 200_000  # ids sent at once in filters
_PAGE = 5_000  # ids read or removed at once
_TIED = 1e-5  # cosines so close may be equal
_MOST_TIED = 16_384  # rows retrieved to order equal cosines by id


class QdrantIndex:
    """``protocols.Index`` in a collection of Qdrant, shared by many processes or machines.

    Searches of few allowed rows are exhaustive, others use Qdrant's HNSW graph. Cosines and order
    equal those of ``ExactIndex``, except for rows that the graph misses. Updates are visible to all
    clients when the call returns; large ones are sent in parts of some hundred rows, so that others
    may see, and an error may leave, a part. A filter is sent with every query, 40 bytes per id:
    beyond some hundred thousand ids a server refuses it, unless its ``max_request_size_mb`` is
    raised.

    In memory or a folder the client scores all rows in Python: for trials and tests. A folder can
    be open in one process only.

    Points are named by UUIDs (version 5) of the ids, which are in the payload as ``id``. Rows are
    scaled to length 1 and compared by inner product.

    >>> import numpy as np
    >>> index = QdrantIndex(":memory:", "films")
    >>> index.set(["a", "b"], np.eye(2, dtype=np.float32))
    >>> index.search(np.array([[3, 4]], dtype=np.float32), k=1)
    [[('b', 0.8)]]

    Args:
        where: ``http://host:6333`` or ``https://…``, a folder, or ``:memory:``.
        name: of the index, a-z, 0-9 and _; the collection is ``coldstart_{name}``.
        api_key: of the server, if required.
        exact: searches of up to so many allowed rows are exhaustive; at least 1.
        effort: candidates of a graph search, at least 1 (``hnsw_ef``): recall against time.

    Raises:
        ConfigError: an option is out of range, or another process has the folder open.
        IndexUnavailable: the server is unreachable.
        MissingExtraError: qdrant-client is not installed.
    """

    def __init__(
        self,
        where: str,
        name: str,
        *,
        api_key: str | None = None,
        exact: int = 10_000,
        effort: int = 200,
    ) -> None:
        for option, value in (("exact", exact), ("effort", effort)):
            if value < 1:
                raise ConfigError(f"{option} is {value}, expected at least 1")
        self.name, self.exact, self.effort = checked_name(name), exact, effort
        self._collection = f"coldstart_{name}"
        self._client, self._where, self._local = _client(where, api_key)
        # In local mode the client is one Python object, not made for threads.
        self._lock = threading.RLock() if self._local else nullcontext()
        self._dim: int | None = None
        try:
            self._learn_dimension()
        except BaseException:
            self._client.close()
            raise

    def __repr__(self) -> str:
        return f"QdrantIndex({self.name!r} at {self._where})"

    def __len__(self) -> int:
        if self._learn_dimension() is None:
            return 0
        return int(self._call("count", exact=True).count)

    def __contains__(self, item_id: object) -> bool:
        return isinstance(item_id, str) and bool(self._retrieve(storable([item_id]), False))

    def __iter__(self) -> Iterator[str]:
        offset = None
        while self._learn_dimension() is not None:
            points, offset = self._call("scroll", limit=_PAGE, offset=offset)
            yield from (point.payload["id"] for point in points)
            if offset is None:
                return

    def close(self) -> None:
        """Close the connection or folder; the index is unusable afterwards."""
        with self._lock:
            self._client.close()

    def set(self, ids: Sequence[str], vectors: Float) -> None:
        """See ``Index.set``; also raises ``IndexUnavailable``."""
        names, unit = checked_rows(ids, vectors)
        if not names:
            return
        from qdrant_client.models import Batch

        self._fit(unit.shape[1])
        part = max(1, _NUMBERS // unit.shape[1])
        for at in range(0, len(names), part):
            some = names[at : at + part]
            points = Batch(
                ids=[*_points(some)],
                vectors=unit[at : at + part].tolist(),
                payloads=[{"id": item_id} for item_id in some],
            )
            self._call("upsert", points, wait=True)

    def remove(self, ids: Sequence[str]) -> None:
        """See ``Index.remove``."""
        known = storable(ids)
        if not known or self._learn_dimension() is None:
            return
        from qdrant_client.models import PointIdsList

        for at in range(0, len(known), _PAGE):
            points = PointIdsList(points=[*_points(known[at : at + _PAGE])])
            self._call("delete", points, wait=True)

    def vectors(self, ids: Sequence[str]) -> Float:
        """See ``ExactIndex.vectors``."""
        found = self._retrieve(storable(ids), True)
        unknown = [item_id for item_id in ids if item_id not in found]
        if unknown:
            raise CatalogError(f"no vector for {unknown[0]!r}", "add it to the index first")
        return np.array([found[i] for i in ids], np.float32).reshape(-1, self._dim or 0)

    def search(
        self, queries: Float, k: int, allowed: Sequence[str] | None = None
    ) -> list[list[tuple[str, float]]]:
        """See ``Index.search``; among more than 16,384 equal cosines the order is arbitrary."""
        unit = checked_queries(queries, k)
        some = None if allowed is None else storable(allowed)
        if not len(unit) or some == [] or not self._holds(unit.shape[1]):
            return [[] for _ in unit]
        points = None if some is None else _points(some)
        found = self._near(unit, k, points, k + SPARE)
        short = [n for n, hits in enumerate(found) if len(hits) < k]
        if short and not (self._local or self._compares_all(points)):
            again = self._near(unit[short], k, points, k + SPARE, exact=True)
            for n, hits in zip(short, again, strict=True):
                found[n] = hits
        return found

    def _near(
        self, unit: Float, k: int, points: list[str] | None, most: int, exact: bool = False
    ) -> list[list[tuple[str, float]]]:
        """The best of ``most`` rows per query, or of more where the last ones tie."""
        from qdrant_client.models import Filter, HasIdCondition, QueryRequest, SearchParams

        within = None if points is None else Filter(must=[HasIdCondition(has_id=list(points))])
        how = SearchParams(
            exact=exact or self._compares_all(points), hnsw_ef=max(self.effort, most)
        )
        requests = [
            QueryRequest(
                query=row.tolist(),
                filter=within,
                params=None if self._local else how,
                limit=most,
                with_payload=True,
                with_vector=True,
            )
            for row in unit
        ]
        part = max(1, _FILTERS // len(points)) if points else len(requests)
        answers = []
        for at in range(0, len(requests), part):
            answers += self._call("query_batch_points", requests[at : at + part])
        found, tied = [], []
        for n, answer in enumerate(answers):
            scores = [point.score for point in answer.points]
            if len(scores) == most < _MOST_TIED and scores[k - 1] - scores[-1] < _TIED:
                tied.append(n)
            ids = [point.payload["id"] for point in answer.points]
            rows = np.array([point.vector for point in answer.points], dtype=np.float32)
            found.append(best(unit[n], ids, rows, k))
        if tied:
            more = self._near(unit[tied], k, points, min(8 * most, _MOST_TIED), exact)
            for n, hits in zip(tied, more, strict=True):
                found[n] = hits
        return found

    def _compares_all(self, points: list[str] | None) -> bool:
        return points is not None and len(points) <= self.exact

    def _retrieve(self, ids: list[str], vectors: bool) -> dict[str, Any]:
        """Vectors of the known ids, or ``None`` each without ``vectors``."""
        out: dict[str, Any] = {}
        for at in range(0, len(ids) if self._learn_dimension() else 0, _PAGE):
            found = self._call("retrieve", _points(ids[at : at + _PAGE]), with_vectors=vectors)
            out |= {point.payload["id"]: point.vector for point in found}
        return out

    # -- the collection -------------------------------------------------------------------------

    def _learn_dimension(self) -> int | None:
        """Dimension of the rows, ``None`` without a collection."""
        if self._call("collection_exists"):
            self._dim = int(self._call("get_collection").config.params.vectors.size)
        else:
            self._dim = None
        return self._dim

    def _holds(self, dim: int) -> bool:
        """Whether there are rows to search, and of this dimension."""
        if self._dim != dim and self._learn_dimension() not in (None, dim) and len(self):
            raise other_dimension(dim, self._dim or 0)
        return self._dim == dim

    def _fit(self, dim: int) -> None:
        """Create the collection, or check its dimension; an empty collection is recreated."""
        from qdrant_client.models import Distance, VectorParams

        if dim < 1:
            raise ConfigError(f"vectors have {dim} dimensions, expected at least 1")
        with self._lock:
            if self._holds(dim):
                return
            if self._dim is not None:
                self._call("delete_collection")
            try:
                self._call("create_collection", VectorParams(size=dim, distance=Distance.DOT))
            except IndexUnavailable:
                if self._learn_dimension() is None:  # else another client created it
                    raise
            self._learn_dimension()

    def _call(self, method: str, *values: object, **options: object) -> Any:
        """Call a method of the client with the collection's name first."""
        from qdrant_client.http.exceptions import ApiException, UnexpectedResponse

        try:
            with self._lock:
                return getattr(self._client, method)(self._collection, *values, **options)
        except UnexpectedResponse as e:
            what = f"refused with status {e.status_code}"
        except ApiException:
            what = "cannot be reached"
        raise IndexUnavailable(
            f"the Qdrant server at {self._where} {what}",
            "is it running, do address and api_key fit? see its log",
        )


def _client(where: str, api_key: str | None) -> tuple[QdrantClient, str, bool]:
    """Return a client, its address without credentials, and whether it is in-process."""
    try:
        from qdrant_client import QdrantClient
    except ImportError:
        raise MissingExtraError(
            "QdrantIndex needs qdrant-client", "pip install 'coldstart-rec[qdrant]'"
        ) from None
    if not where.startswith(("http://", "https://")):
        if "://" in where or not where:
            form = "expected http://host:6333, https://…, a folder or :memory:"
            raise ConfigError("malformed address of a Qdrant server", form)
        try:
            if where == ":memory:":
                return QdrantClient(where), where, True
            return QdrantClient(path=where), where, True
        except (RuntimeError, OSError, ValueError) as e:
            raise ConfigError(
                f"cannot open {where}: {e}", "does another process use it? close it there"
            ) from None
    parts, shown = urlsplit(where), None
    try:
        shown = f"{parts.hostname}:{parts.port or 6333}"
    except ValueError:  # no number after the colon
        pass
    if shown is None or not parts.hostname:
        raise ConfigError("malformed address of a Qdrant server", "expected http://host:6333")
    # The check requests the server's version, and would warn in addition to the error.
    client = QdrantClient(url=where, api_key=api_key, check_compatibility=False, timeout=60)
    return client, shown, False


def _points(ids: list[str]) -> list[str]:
    return [str(uuid.uuid5(_SPACE, item_id)) for item_id in ids]
