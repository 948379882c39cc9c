"""Exceptions raised on invalid input: what was given, what was expected, and a hint."""

from __future__ import annotations


class ColdstartError(Exception):
    """Base class of coldstart's exceptions.

    Args:
        message: what was given and what was expected, one line.
        hint: what to do next, one line; shown after the message.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} ({self.hint})" if self.hint else self.message


class ProfileError(ColdstartError):
    """A profile, context or item does not fit the schema."""


class UnknownPickError(ProfileError):
    """A pick is no item of the catalog; the hint names titles of the catalog only."""


class AmbiguousPickError(ProfileError):
    """A pick is the title of one item and the id of another."""


class MisspeltInterestError(ProfileError):
    """An interest is nearly a category; the hint names that category only."""


class CatalogError(ColdstartError):
    """A catalog, or a table to be read as one, is invalid, or lacks an item."""


class DataError(ColdstartError):
    """Interactions or users are malformed, missing or inconsistent with the catalog."""


class ModelError(ColdstartError):
    """A language model or encoder cannot be found or loaded."""


class FetchError(ColdstartError):
    """A download failed, or its checksum does not match."""


class PromptError(ColdstartError):
    """A prompt template is missing, malformed, or rendered with the wrong variables."""


class ArtifactError(ColdstartError):
    """An artifact is incomplete, damaged, or belongs to another base model."""


class ConfigError(ColdstartError):
    """An option has a value outside its range."""


class GeneratorError(ColdstartError):
    """A remote text generator does not answer, or its answer is invalid.

    Args:
        message: as for ``ColdstartError``.
        hint: as for ``ColdstartError``.
        retry_after: seconds after which to retry; ``None`` if a retry cannot succeed without a
            change of configuration.
    """

    def __init__(self, message: str, hint: str = "", *, retry_after: float | None = None) -> None:
        super().__init__(message, hint)
        self.retry_after = retry_after


class MissingExtraError(ColdstartError, ImportError):
    """An optional dependency is not installed; the hint is the pip command."""
