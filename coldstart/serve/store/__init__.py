"""Persistent store: sessions, events, exposures, outcomes, catalog changes and API keys.

SQLite by default, PostgreSQL by URL, with the same contract. All methods are thread-safe, and safe
across processes that each open the store themselves (after a fork, not before). A method that has
returned has committed: its writes survive a kill of the process.

    with Store.open("sqlite:///people.db", secret_key=None) as store:   # or COLDSTART_SECRET_KEY
        session = store.create('{"profile": {}}', artifact="ml-100k", experiment="e", arm="A")
        session = store.load(session.id)                                # SessionNotFound
        session = store.save(replace(session, state="{}"), session.version)         # Conflict

        new = replace(session, state='{"liked": ["50"]}')
        done = store.append(session.id, NewEvent("key-1", "like", "50"), new, session.version)
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
        store.log_changes([NewChange("remove", "new-1"), …], after=7)   # all or none; StaleCatalog
        store.changes(after=0)                                          # replay, or poll by seq
        store.compact_changes(upto=9)                                   # drop what was replaced

        fresh = store.create_key("shop", rate_limit=600, admin=False)   # fresh.secret, shown once
        store.check_key(fresh.secret)                                   # ApiKey, or None
        store.keys(), store.revoke_key(fresh.key.id)

        store.visits(), store.all_subject_outcomes()                    # to train from
        store.newest_sessions(500), store.newest_lists(monday, 50_000)  # for reports
        store.new_release([ReleaseArm("shop-2", "/srv/shop-2")]), store.roll_back(), store.release()
        store.export(session.id), store.erase(session.id)               # access, erasure
        store.purge(timedelta(days=30))                                 # expired that long ago
        store.ping(), store.encrypted, store.revision, store.reencrypt()

``Store`` (``store.py``) is the façade, ``records.py`` has the record types. All errors are
``StoreError``: ``SessionNotFound`` and ``ExposureNotFound`` (404), ``Conflict`` and ``KeyReused``
(409), ``StaleCatalog`` (apply ``changes``, then repeat), ``StoreBusy`` and ``StoreUnavailable``
(503); when opening, ``WrongKey`` and ``WrongRevision``; ``StoreError`` itself for invalid arguments
(422).
"""

from coldstart.serve.store.base import new_session_id
from coldstart.serve.store.errors import (
    Conflict,
    ExposureNotFound,
    KeyReused,
    SessionNotFound,
    StaleCatalog,
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
    ItemReaction,
    NewChange,
    NewEvent,
    NewKey,
    Recorded,
    Release,
    ReleaseArm,
    Session,
    ShownList,
    SubjectOutcome,
    SubjectOutcomes,
    Visit,
    shorten,
)
from coldstart.serve.store.store import Store

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
    "ItemReaction",
    "NewEvent",
    "KeyReused",
    "NewChange",
    "NewestRows",
    "NewKey",
    "Recorded",
    "Release",
    "ReleaseArm",
    "Session",
    "SessionNotFound",
    "ShownList",
    "StaleCatalog",
    "Store",
    "StoreBusy",
    "StoreError",
    "StoreUnavailable",
    "SubjectOutcome",
    "SubjectOutcomes",
    "Visit",
    "WrongKey",
    "WrongRevision",
    "new_session_id",
    "shorten",
]
