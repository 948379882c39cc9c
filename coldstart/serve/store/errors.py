"""Errors of the store. Messages never contain profile text, state, keys or whole ids."""

from __future__ import annotations

from coldstart.errors import ColdstartError


class StoreError(ColdstartError):
    """Base class of store errors; raised itself for invalid values."""


class SessionNotFound(StoreError):
    """No session has this id: it never existed, was erased or purged, or has expired."""


class ExposureNotFound(StoreError):
    """No exposure has this id: it never existed, was erased or purged, or has expired."""


class Conflict(StoreError):
    """The session was modified since it was loaded: load it again and repeat the change."""


class KeyReused(StoreError):
    """An idempotency key (or request id) was reused with different content."""


class StaleCatalog(StoreError):
    """The catalog log has changes that the writer has not applied; nothing was written."""


class WrongKey(StoreError):
    """The encryption key is missing, malformed, or not the one the data was encrypted with."""


class WrongRevision(StoreError):
    """The database is missing, or its schema revision is not supported or may not be migrated."""


class StoreBusy(StoreError):
    """The database was locked for too long; nothing was written, and a retry is safe."""


class StoreUnavailable(StoreError):
    """The database cannot be reached, read or written: server down, disk full, file damaged.

    If the connection broke during a write, its outcome is unknown. Events and exposures can be
    retried; they are stored once.
    """
