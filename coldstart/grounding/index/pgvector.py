"""Nearest neighbours in PostgreSQL with pgvector."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, LiteralString

import numpy as np

from coldstart.errors import CatalogError, ConfigError
from coldstart.grounding.index.postgres import ConnectionPool
from coldstart.grounding.index.servers import (
    SPARE,
    best,
    checked_name,
    checked_queries,
    checked_rows,
    other_dimension,
    storable,
)

if TYPE_CHECKING:
    from psycopg import Connection
    from psycopg.sql import Composed

    from coldstart.protocols import Float

    Rows = list[tuple[Any, ...]]

_MOST_DIMENSIONS = 2000  # of an HNSW index of pgvector
_ITERATES = (0, 8)  # first pgvector with iterative scans


class PgVectorIndex:
    """``protocols.Index`` in a table of PostgreSQL, shared by many processes or machines.

    Searches of few rows (a small table or a narrow filter) are exhaustive. Others use an HNSW
    graph, built when the table grows beyond ``exact`` rows, with filters applied during iterative
    scans (pgvector 0.8 or newer); a search that finds fewer than k is repeated exhaustively.
    Cosines and order equal those of ``ExactIndex``, except for rows that the graph misses.

    An update is one atomic transaction. Unchanged rows are not written again. ConnectionPool are
    pooled, one per concurrent search, and reopened after a restart of the server. The first large
    ``set`` is faster if the server's ``maintenance_work_mem`` holds all vectors.

    Rows are scaled to length 1 and compared by inner product: operators of pgvector for cosines
    leave rows of zeros out of the graph.

    Args:
        url: ``postgresql://user:password@host/database``; options of libpq may follow.
        name: of the index, a-z, 0-9 and _; the table is ``coldstart_vectors_{name}``.
        exact: searches of up to so many rows are exhaustive; at least 1.
        effort: candidates of a graph search, 1 to 1,000 (``hnsw.ef_search``): recall against time.

    Raises:
        ConfigError: an option is out of range, or the server has no pgvector.
        IndexUnavailable: the server is unreachable.
        MissingExtraError: psycopg is not installed.
    """

    def __init__(self, url: str, name: str, *, exact: int = 10_000, effort: int = 200) -> None:
        if exact < 1:
            raise ConfigError(f"exact is {exact}, expected at least 1")
        if not 1 <= effort <= 1000:
            raise ConfigError(f"effort is {effort}, expected 1 to 1000")
        self.name, self.exact, self.effort = checked_name(name), exact, effort
        self._table, self._graph = f"coldstart_vectors_{name}", f"coldstart_vectors_{name}_hnsw"
        self._has_graph = False
        self._connections = ConnectionPool(url, self._settle)
        self._run = self._connections.run
        try:
            self._run(self._prepare)
        finally:
            self.close()  # the settings of a connection depend on the extension

    def __repr__(self) -> str:
        return f"PgVectorIndex({self.name!r} at {self._connections.where})"

    def __len__(self) -> int:
        return sum(count for (count,) in self._all("SELECT count(*) FROM {table}"))

    def __contains__(self, item_id: object) -> bool:
        known = [item_id] if isinstance(item_id, str) else []
        return bool(self._all("SELECT 1 FROM {table} WHERE id = ANY(%s)", storable(known)))

    def __iter__(self) -> Iterator[str]:
        return (item_id for (item_id,) in self._all("SELECT id FROM {table} ORDER BY id"))

    def close(self) -> None:
        """Close idle connections; the next call opens a new one."""
        self._connections.close()

    def set(self, ids: Sequence[str], vectors: Float) -> None:
        """See ``Index.set``; also raises ``IndexUnavailable``. Errors leave the table unchanged."""
        names, unit = checked_rows(ids, vectors)
        if names:
            self._run(lambda connection: self._set(connection, names, unit))

    def remove(self, ids: Sequence[str]) -> None:
        """See ``Index.remove``."""
        known = storable(ids)
        if known:
            self._run(lambda connection: self._remove(connection, known))

    def vectors(self, ids: Sequence[str]) -> Float:
        """See ``ExactIndex.vectors``."""
        found: dict[str, bytes] = dict(
            self._all(
                "SELECT id, vector_send(embedding) FROM {table} WHERE id = ANY(%s)", storable(ids)
            )
        )
        unknown = [item_id for item_id in ids if item_id not in found]
        if unknown:
            raise CatalogError(f"no vector for {unknown[0]!r}", "add it to the index first")
        return _unpacked([found[item_id] for item_id in ids], self._dimension() or 0)

    def search(
        self, queries: Float, k: int, allowed: Sequence[str] | None = None
    ) -> list[list[tuple[str, float]]]:
        """See ``Index.search``; also raises ``IndexUnavailable``."""
        unit = checked_queries(queries, k)
        some = None if allowed is None else storable(allowed)
        if not len(unit) or some == []:
            return [[] for _ in unit]
        return self._run(lambda connection: self._search(connection, unit, k, some))

    # -- in a transaction -----------------------------------------------------------------------

    def _prepare(self, connection: Connection) -> None:
        """Install the extension if it is missing."""
        import psycopg

        if connection.execute("SELECT to_regtype('vector')").fetchone() == (None,):
            refused = False
            try:
                self._lock(connection)
                connection.execute("CREATE EXTENSION IF NOT EXISTS vector")
            except psycopg.Error:
                refused = True
            if refused:
                raise ConfigError(
                    f"the PostgreSQL server at {self._connections.where} has no pgvector",
                    "install it there, then as the database's owner: CREATE EXTENSION vector",
                )

    def _lock(self, connection: Connection) -> None:
        """Serialise updates; readers do not wait."""
        connection.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [self._table])

    def _set(self, connection: Connection, ids: list[str], unit: Float) -> None:
        self._lock(connection)
        self._fit(connection, unit.shape[1])
        execute = connection.execute
        execute("CREATE TEMP TABLE coldstart_new (id text, embedding vector) ON COMMIT DROP")
        head = struct.pack(">HH", unit.shape[1], 0)
        into = "COPY coldstart_new FROM STDIN (FORMAT BINARY)"
        with connection.cursor() as cursor, cursor.copy(into) as copy:
            copy.set_types(["text", "bytea"])  # the bytes are a vector's binary form
            for item_id, row in zip(ids, unit.astype(">f4"), strict=True):
                copy.write_row((item_id, head + row.tobytes()))
        execute(
            self._sql(
                "INSERT INTO {table} AS old SELECT * FROM coldstart_new "
                "ON CONFLICT (id) DO UPDATE SET embedding = excluded.embedding "
                "WHERE old.embedding IS DISTINCT FROM excluded.embedding"
            )
        )
        self._link(connection)

    def _fit(self, connection: Connection, dim: int) -> None:
        """Create the table, or check its dimension; that of an empty table is changed."""
        if dim > _MOST_DIMENSIONS or dim < 1:
            raise ConfigError(
                f"vectors have {dim} dimensions, pgvector's graph takes 1 to {_MOST_DIMENSIONS}",
                "use another encoder or index",
            )
        has = self._dimension_in(connection)
        if has is None:
            create = (
                'CREATE TABLE {table} (id text COLLATE "C" PRIMARY KEY, embedding vector({dim}))'
            )
            connection.execute(self._sql(create, dim=dim))
        elif has != dim:
            if connection.execute(self._sql("SELECT 1 FROM {table} LIMIT 1")).fetchone():
                raise other_dimension(dim, has)
            connection.execute(self._sql("DROP INDEX IF EXISTS {graph}"))
            change = "ALTER TABLE {table} ALTER COLUMN embedding TYPE vector({dim})"
            connection.execute(self._sql(change, dim=dim))
            self._has_graph = False

    def _link(self, connection: Connection) -> None:
        """Build the graph, if the table has more than ``exact`` rows."""
        if self._graph_exists(connection):
            return
        count = "SELECT count(*) > %s FROM (SELECT 1 FROM {table} LIMIT %s + 1) AS first"
        if connection.execute(self._sql(count), [self.exact, self.exact]).fetchone() == (True,):
            create = "CREATE INDEX {graph} ON {table} USING hnsw (embedding vector_ip_ops)"
            connection.execute(self._sql(create))
            connection.execute(self._sql("ANALYZE {table}"))

    def _graph_exists(self, connection: Connection) -> bool:
        found = connection.execute("SELECT to_regclass(%s)", [self._graph]).fetchone()
        return found != (None,)

    def _remove(self, connection: Connection, ids: list[str]) -> None:
        self._lock(connection)
        if self._dimension_in(connection):
            connection.execute(self._sql("DELETE FROM {table} WHERE id = ANY(%s)"), [ids])

    def _search(
        self, connection: Connection, unit: Float, k: int, some: list[str] | None
    ) -> list[list[tuple[str, float]]]:
        dim = self._dimension_in(connection)
        if dim is None:
            return [[] for _ in unit]
        if dim != unit.shape[1]:
            if connection.execute(self._sql("SELECT 1 FROM {table} LIMIT 1")).fetchone():
                raise other_dimension(unit.shape[1], dim)
            return [[] for _ in unit]
        if not self._has_graph:
            self._has_graph = self._graph_exists(connection)
        few = some is not None and len(some) <= self.exact
        found: list[list[tuple[str, float]]] = [[] for _ in unit]
        if self._has_graph and not few:
            found = self._query(connection, unit, k, some, "embedding <#> q.v")
        short = [n for n, hits in enumerate(found) if len(hits) < k]
        if short:  # an expression instead of the operator alone keeps the graph out
            complete = self._query(connection, unit[short], k, some, "(embedding <#> q.v) + 0, id")
            for n, hits in zip(short, complete, strict=True):
                found[n] = hits
        return found

    def _query(
        self,
        connection: Connection,
        unit: Float,
        k: int,
        some: list[str] | None,
        order: LiteralString,
    ) -> list[list[tuple[str, float]]]:
        within: LiteralString = "" if some is None else "WHERE id = ANY(%(ids)s::text[])"
        query = self._sql(
            "SELECT q.n, found.id, vector_send(found.embedding) "
            "FROM unnest(%(queries)s::text[]::vector[]) WITH ORDINALITY AS q(v, n), LATERAL "
            "(SELECT id, embedding FROM {table} "
            + within
            + " ORDER BY "
            + order
            + " LIMIT %(most)s) AS found"
        )
        texts = ["[" + ",".join(map(str, row.tolist())) + "]" for row in unit]
        values: dict[str, Any] = {"queries": texts, "ids": some, "most": k + SPARE}
        ids: list[list[str]] = [[] for _ in unit]
        packed: list[list[bytes]] = [[] for _ in unit]
        for n, item_id, row in connection.execute(query, values, binary=True):
            ids[n - 1].append(item_id)
            packed[n - 1].append(row)
        dim = unit.shape[1]
        return [
            best(query, names, _unpacked(rows, dim), k)
            for query, names, rows in zip(unit, ids, packed, strict=True)
        ]

    def _dimension_in(self, connection: Connection) -> int | None:
        """Dimension of the rows, ``None`` without a table."""
        found = connection.execute(
            "SELECT atttypmod FROM pg_attribute WHERE attrelid = to_regclass(%s) "
            "AND attname = 'embedding'",
            [self._table],
        ).fetchone()
        return None if found is None else int(found[0])

    # -- transactions of their own --------------------------------------------------------------

    def _dimension(self) -> int | None:
        return self._run(self._dimension_in)

    def _all(self, statement: LiteralString, *values: object) -> Rows:
        """Result rows of a query on the table; none without a table."""
        return self._run(
            lambda connection: (
                connection.execute(self._sql(statement), values, binary=True).fetchall()
                if self._dimension_in(connection)
                else []
            )
        )

    def _sql(self, statement: LiteralString, **numbers: int) -> Composed:
        from psycopg import sql

        table, graph = sql.Identifier(self._table), sql.Identifier(self._graph)
        literals = {name: sql.Literal(number) for name, number in numbers.items()}
        return sql.SQL(statement).format(table=table, graph=graph, **literals)

    def _version(self, connection: Connection) -> tuple[int, ...]:
        """Version of pgvector; () if not installed."""
        query = "SELECT extversion FROM pg_extension WHERE extname = 'vector'"
        found = connection.execute(query).fetchone()
        return tuple(map(int, re.findall(r"\d+", found[0])[:2])) if found else ()

    def _settle(self, connection: Connection) -> None:
        """Configure a new connection."""
        settings = {"jit": "off", "hnsw.ef_search": str(self.effort)}
        if self._version(connection) >= _ITERATES:
            settings["hnsw.iterative_scan"] = "relaxed_order"  # sorted here anyway
        for name, value in settings.items():
            connection.execute("SELECT set_config(%s, %s, false)", [name, value])


def _unpacked(rows: Sequence[bytes], dim: int) -> Float:
    """Decode pgvector's binary format: 4 bytes of header, then big-endian float32."""
    out = np.empty((len(rows), dim), dtype=np.float32)
    for n, row in enumerate(rows):
        out[n] = np.frombuffer(row, dtype=">f4", offset=4)
    return out
