"""What the service remembers: sessions, feedback, what was shown, catalog changes, API keys.

SQLite by default, PostgreSQL by URL; the same contract on both. All methods are safe to call from
several threads, and from several processes that each open the store for themselves (after a fork,
not before). A method that returns has committed: what it wrote survives a kill of the process.

    with Store.open("sqlite:///people.db", secret_key=None) as store:   # or COLDSTART_SECRET_KEY
        session = store.create('{"profile": {}}', artifact="ml-100k", experiment="e", arm="A")
        session = store.load(session.id)                                # SessionNotFound
        session = store.save(replace(session, state="{}"), session.version)         # Conflict

        new = replace(session, state='{"liked": ["50"]}')
        done = store.append(session.id, Feedback("key-1", "like", "50"), new, session.version)
        done.event, done.repeated, done.session                         # Conflict, KeyReused
        store.events(session.id)

        store.expose(session.id, "request-1", ["50", "181"])            # KeyReused
        store.exposures(session.id)
        store.outcomes("e")                                             # one ArmOutcome per arm

        shown = store.show("customer 7", ["50"], experiment="e", arm="A", artifact="ml-100k")
        store.record(shown, "key-1", "like", "50")                  #  ExposureNotFound, KeyReused
        store.subject_outcomes("e"), store.export_subject("customer 7")
        store.erase_subject("customer 7")

        store.log_change("add", "new-1", item_json)
        store.changes(after=0)                                          # replay, or follow by seq

        fresh = store.create_key("shop", rate_limit=600, admin=False)   # fresh.secret, shown once
        store.check_key(fresh.secret)                                   # ApiKey, or None
        store.keys(), store.revoke_key(fresh.key.id)

        store.export(session.id), store.erase(session.id)               # a person's data
        store.purge(timedelta(days=30))                                 # expired that long ago
        store.ping(), store.encrypted, store.revision, store.reseal()

Signatures and docstrings: ``Store`` in ``store.py``, the records in ``records.py``. Errors, all of
them ``StoreError``: ``SessionNotFound`` and ``ExposureNotFound`` (404), ``Conflict`` and
``KeyReused`` (409), ``StoreBusy`` and ``StoreUnavailable`` (503); when opening, ``WrongKey`` and
``WrongRevision``; ``StoreError`` itself for arguments that do not fit (422).
"""

from coldstart.serve.store.errors import (
    Conflict,
    ExposureNotFound,
    KeyReused,
    SessionNotFound,
    StoreBusy,
    StoreError,
    StoreUnavailable,
    WrongKey,
    WrongRevision,
)
from coldstart.serve.store.records import (
    ApiKey,
    ArmOutcome,
    CatalogChange,
    ChangeKind,
    Deleted,
    Event,
    Exposure,
    Feedback,
    NewKey,
    Recorded,
    Session,
    SubjectOutcome,
    shorten,
)
from coldstart.serve.store.store import Store, new_session_id

__all__ = [
    "ApiKey",
    "ArmOutcome",
    "CatalogChange",
    "ChangeKind",
    "Conflict",
    "Deleted",
    "Event",
    "Exposure",
    "ExposureNotFound",
    "Feedback",
    "KeyReused",
    "NewKey",
    "Recorded",
    "Session",
    "SessionNotFound",
    "Store",
    "StoreBusy",
    "StoreError",
    "StoreUnavailable",
    "SubjectOutcome",
    "WrongKey",
    "WrongRevision",
    "new_session_id",
    "shorten",
]
