"""Understanding: the texts of a request, read once for every way in."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from coldstart.catalog.names import catalog_names
from coldstart.catalog.titles import clean_text
from coldstart.errors import ProfileError
from coldstart.profile.interests import interest_notes
from coldstart.profile.resolve import stated_text
from coldstart.schema import Understood, parse
from coldstart.understanding.reader import RequestReader

if TYPE_CHECKING:
    from coldstart.pipeline.parts import Parts
    from coldstart.schema import Context, UserProfile

_CACHED = 1000  # readings: a session reads its texts again after every event


class UnderstandStage:
    """Reads interests, free text, context text and occasion of requests.

    The reader is made for one version of the catalog and follows its changes. Readings are kept,
    with their texts, until ``forget``. Threads may share the stage.

    Args:
        parts: of the recommender.
    """

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._reader: RequestReader | None = None
        self._made_of: tuple[object, ...] = ()
        self._read: dict[str, Understood] = {}
        self._used: set[str] = set()  # texts read since ``forget`` was called
        self._keeping = threading.Lock()  # held while either is looked at or changed

    def understand(
        self,
        profile: UserProfile,
        context: Context,
        given: Understood | Mapping[str, Any] | None = None,
    ) -> Understood:
        """The reading of a request's texts; empty without text.

        Interests that are categories of the catalog are data already, and are not read.

        Args:
            profile: with the interests and the free text.
            context: with the occasion and the text of the moment.
            given: a reading to use instead.

        Raises:
            ProfileError: a malformed ``given``.
        """
        if given is not None:
            return given_reading(given)
        known = self._categories()
        free = tuple(i for i in profile.interests if i.strip().casefold() not in known)
        return self.read(stated_text(profile.model_copy(update={"interests": free}), context))

    def interest_notes(self, profile: UserProfile, unknown: str) -> list[str]:
        """Notes on interests that are nearly categories; see ``profile.interests``."""
        categories = catalog_names(self._parts.catalog).categories if profile.interests else {}
        return interest_notes(profile.interests, categories, self.read, unknown)

    def read(self, text: str) -> Understood:
        """The reading of one text; cached."""
        text = clean_text(text)
        if not text:
            return Understood()
        reader = self._synced()
        with self._keeping:
            kept, used = self._read, self._used
            found = kept.get(text)
            if found is not None:
                used.add(text)
                return found
        found = reader.read(text)
        with self._keeping:  # if others have been dropped meanwhile, this one is kept nowhere
            while len(kept) >= _CACHED:
                oldest = next(iter(kept))
                del kept[oldest]
                used.discard(oldest)
            kept[text] = found
            used.add(text)
        return found

    def forget(self, *, unused: bool = False) -> None:
        """Drop kept readings, for example after a user's data were erased.

        Args:
            unused: keep those that were used since the last call.
        """
        with self._keeping:
            kept = self._used if unused else set()
            self._read = {text: found for text, found in self._read.items() if text in kept}
            self._used = set()

    def _categories(self) -> Mapping[str, int]:
        self._parts.item_store.sync()
        return self._parts.item_store.category_column

    def _synced(self) -> RequestReader:
        """The reader of the catalog as it is now."""
        catalog, counts = self._parts.catalog, self._parts.item_store.counts
        made_of = catalog, counts, catalog.version
        before = self._made_of
        same = bool(before) and before[0] is catalog and before[1:] == (counts, catalog.version)
        if self._reader is None or not same:
            self.forget()
            self._reader, self._made_of = RequestReader(catalog, counts), made_of
        return self._reader


def given_reading(value: Understood | Mapping[str, Any]) -> Understood:
    """Validate a reading that is given instead of a sentence.

    Raises:
        ProfileError: neither a reading nor a mapping of its fields.
    """
    if isinstance(value, Understood):
        return value
    if not isinstance(value, Mapping):
        raise ProfileError(
            f"understood is a {type(value).__name__}",
            hint="give an Understood, or its fields as a mapping",
        )
    return parse(Understood, value, "understood")
