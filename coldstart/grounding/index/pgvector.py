"""Nearest neighbours in PostgreSQL, by its extension pgvector."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, LiteralString

import numpy as np

from coldstart.errors import CatalogError, ConfigError
from coldstart.grounding.index.postgres import Connections
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

_MOST_DIMENSIONS = 2000  # that a graph of pgvector holds
_ITERATES = (0, 8)  # the first pgvector that goes on when a filter leaves too few


class PgVectorIndex:
    """An index in a table of PostgreSQL, for catalogs shared by many processes or machines.

    Searches of few rows, because the table or what is allowed is small, compare all of them. Others
    follow a graph (HNSW), which is made when the table grows beyond ``exact`` rows; filters are
    applied on the way, and the graph is searched on until there are enough (pgvector 0.8 or newer).
    Where it yields fewer than k, all allowed rows are compared. Cosines are exact in either case,
    with ``ExactIndex``'s order; answers equal its own but for rows that the graph misses.

    A change is one transaction, so that others see all of it or nothing, and at once. Rows that
    stay the same are not written again. Connections are kept, as many as threads search at a time,
    and opened again when the server was restarted. The first large ``set`` is quicker if the
    server's ``maintenance_work_mem`` holds all vectors.

    Rows are scaled to length 1 and compared by inner product: operators of pgvector for cosines
    leave rows of zeros out of the graph.

    Args:
        url: ``postgresql://user:password@host/database``; options of libpq may follow.
        name: of the index, a-z, 0-9 and _; the table is ``coldstart_vectors_{name}``.
        exact: searches of up to so many rows compare all of them; at least 1.
        effort: candidates that the graph keeps, 1 to 1,000 (``hnsw.ef_search``): more find more,
            and take longer.

    Raises:
        ConfigError: an option is out of range, or the server has no pgvector.
        IndexUnavailable: the server cannot be reached.
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
        self._connections = Connections(url, self._settle)
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
        """Close idle connections; the next call opens one again."""
        self._connections.close()

    def set(self, ids: Sequence[str], vectors: Float) -> None:
        """Add rows, or replace those whose id is known; for an id given twice the last wins.

        Raises:
            ConfigError: if shapes disagree, a number is not finite, or an id cannot be stored.
            IndexUnavailable: the server cannot be reached or refuses. Nothing is changed by either.
        """
        names, unit = checked_rows(ids, vectors)
        if names:
            self._run(lambda connection: self._set(connection, names, unit))

    def remove(self, ids: Sequence[str]) -> None:
        """Forget rows; unknown ids are ignored."""
        known = storable(ids)
        if known:
            self._run(lambda connection: self._remove(connection, known))

    def vectors(self, ids: Sequence[str]) -> Float:
        """Return the unit rows of ``ids``, shape (len(ids), dim), in the order asked for.

        Raises:
            CatalogError: if an id is not in the index.
        """
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
        """Per query, up to ``k`` (id, cosine) pairs, best first, equal cosines by id.

        Args:
            queries: array of shape (n, dim); rows need not have length 1.
            k: most pairs wanted, at least 1.
            allowed: only these ids are found; unknown ones are ignored.

        Raises:
            ConfigError: if ``k`` < 1, or ``queries`` do not fit the rows.
            IndexUnavailable: the server cannot be reached or refuses.
        """
        unit = checked_queries(queries, k)
        some = None if allowed is None else storable(allowed)
        if not len(unit) or some == []:
            return [[] for _ in unit]
        return self._run(lambda connection: self._search(connection, unit, k, some))

    # -- in a transaction -----------------------------------------------------------------------

    def _prepare(self, connection: Connection) -> None:
        """Make sure that the server has the extension."""
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
        """Let one transaction change the index at a time; readers do not wait."""
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
        """Make the table, or check that rows of ``dim`` numbers fit it; an empty one is changed."""
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
        """Make the graph, if the table has grown beyond what is compared row by row."""
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
            found = self._ask(connection, unit, k, some, "embedding <#> q.v")
        short = [n for n, hits in enumerate(found) if len(hits) < k]
        if short:  # an expression instead of the operator alone keeps the graph out
            complete = self._ask(connection, unit[short], k, some, "(embedding <#> q.v) + 0, id")
            for n, hits in zip(short, complete, strict=True):
                found[n] = hits
        return found

    def _ask(
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
        """Numbers per row, or ``None`` where there is no table yet."""
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
        """All rows of a query about the table; none where there is no table yet."""
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
        """Of pgvector; () where it is not installed yet."""
        query = "SELECT extversion FROM pg_extension WHERE extname = 'vector'"
        found = connection.execute(query).fetchone()
        return tuple(map(int, re.findall(r"\d+", found[0])[:2])) if found else ()

    def _settle(self, connection: Connection) -> None:
        """Settings of a new connection."""
        settings = {"jit": "off", "hnsw.ef_search": str(self.effort)}
        if self._version(connection) >= _ITERATES:
            settings["hnsw.iterative_scan"] = "relaxed_order"  # sorted here anyway
        for name, value in settings.items():
            connection.execute("SELECT set_config(%s, %s, false)", [name, value])


def _unpacked(rows: Sequence[bytes], dim: int) -> Float:
    """Vectors from their binary form: 4 bytes of head, then big-endian float32."""
    out = np.empty((len(rows), dim), dtype=np.float32)
    for n, row in enumerate(rows):
        out[n] = np.frombuffer(row, dtype=">f4", offset=4)
    return out
