"""Every error a user can cause: what came, what was expected and what to do next."""

from __future__ import annotations


class ColdstartError(Exception):
    """Base of all errors raised on purpose by coldstart.

    Args:
        message: What came and what was expected, one line.
        hint: What to do next, one line; shown after the message.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} ({self.hint})" if self.hint else self.message


class ProfileError(ColdstartError):
    """A profile, context or item does not fit the schema."""


class CatalogError(ColdstartError):
    """A catalog (or a table meant to become one) is unusable, or an item is missing from it."""


class DataError(ColdstartError):
    """Interactions or users are malformed, missing or inconsistent with the catalog."""


class ModelError(ColdstartError):
    """A language model or encoder cannot be found or loaded."""


class FetchError(ColdstartError):
    """Something could not be downloaded, or came with the wrong checksum."""


class PromptError(ColdstartError):
    """A prompt template is missing, malformed, or was given the wrong variables."""


class ArtifactError(ColdstartError):
    """A saved recommender is incomplete, damaged, or belongs to another base model."""


class ConfigError(ColdstartError):
    """An option has a value outside its range."""


class GeneratorError(ColdstartError):
    """A text generator on a server does not answer, or not with titles.

    Args:
        message: as above.
        hint: as above.
        retry_after: seconds after which trying again makes sense; ``None`` if it makes none before
            somebody changes something.
    """

    def __init__(self, message: str, hint: str = "", *, retry_after: float | None = None) -> None:
        super().__init__(message, hint)
        self.retry_after = retry_after


class MissingExtraError(ColdstartError, ImportError):
    """An optional dependency is not installed; the hint is the exact pip line."""
