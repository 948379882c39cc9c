"""What can go wrong in the store. No message holds profile text, state, keys or whole ids."""

from __future__ import annotations

from coldstart.errors import ColdstartError


class StoreError(ColdstartError):
    """Base of the store's errors; itself: something that does not fit was to be written."""


class SessionNotFound(StoreError):
    """No session has this id: never made, erased, purged, or expired."""


class ExposureNotFound(StoreError):
    """No list was shown under this id: never, or it was erased, purged, or has expired."""


class Conflict(StoreError):
    """Somebody else saved the session since it was loaded: load it again and repeat the change."""


class KeyReused(StoreError):
    """An idempotency key (or request id) came again, with other content than the first time."""


class WrongKey(StoreError):
    """The encryption key is missing, malformed, or not the one the data was sealed with."""


class WrongRevision(StoreError):
    """The database is missing, or of a revision that this version cannot or may not use."""


class StoreBusy(StoreError):
    """Others held the database for too long; nothing was written, trying again is safe."""


class StoreUnavailable(StoreError):
    """The database cannot be reached, read or written: server down, disk full, file damaged.

    If the connection broke during a write, it is unknown whether it was done. Feedback and
    exposures may be sent again; they are stored once.
    """
