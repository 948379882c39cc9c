"""Options of the dataset: a public one by name, or user-supplied tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Self

import typer

from coldstart.data.named import NAMED, Name
from coldstart.errors import ConfigError

if TYPE_CHECKING:
    from coldstart.data.dataset import Dataset

PANEL = "The data"
LIKE_AT, DISLIKE_AT = 4.0, 2.0


def data_option(help: str, **more: Any) -> Any:
    """Option in the data panel of the help."""
    return typer.Option(help=help, rich_help_panel=PANEL, **more)


@dataclass(frozen=True)
class DataSource:
    """Options of the dataset; commands may extend the group."""

    data: Annotated[
        Name | None, data_option("A dataset coldstart can fetch; or give your own tables:")
    ] = None
    items: Annotated[
        Path | None,
        data_option(
            "Table of item_id, title and any of year, categories, description, …", metavar="FILE"
        ),
    ] = None
    interactions: Annotated[
        Path | None, data_option("Table of user_id, item_id, rating, timestamp.", metavar="FILE")
    ] = None
    users: Annotated[
        Path | None,
        data_option("Table of user_id and any of age, gender, occupation, …", metavar="FILE"),
    ] = None
    like_at: Annotated[
        float,
        data_option("Own tables: minimum rating of a like; without ratings, every row is one."),
    ] = LIKE_AT
    dislike_at: Annotated[float, data_option("Own tables: maximum rating of a dislike.")] = (
        DISLIKE_AT
    )

    def said(self) -> dict[str, object]:
        """Options that differ from the default, by field."""
        default = {f.name: f.default for f in fields(self)}
        return {n: v for n, v in asdict(self).items() if v != default[n]}

    def or_that_of(self, manifest: Mapping[str, Any]) -> Self:
        """Default to the artifact's public training dataset if no data option is given.

        Args:
            manifest: of the artifact.
        """
        name = manifest.get("data", {}).get("name")
        if self.data or self.items or self.interactions or self.users or name not in NAMED:
            return self
        return replace(self, data=NAMED[name].name)

    def dataset(self) -> Dataset:
        """Load the dataset.

        Raises:
            ConfigError: no data, both a name and tables, or thresholds that do not apply.
            DataError: an invalid table.
        """
        own = {"items": self.items, "interactions": self.interactions, "users": self.users}
        if self.data and any(own.values()):
            given = ", ".join(f"--{n}" for n, path in own.items() if path)
            raise ConfigError(f"--data and own tables ({given})", hint="give one or the other")
        if self.data:
            return self._named(self.data)
        if not (self.items and self.interactions):
            names = ", ".join(f"--data {name}" for name in NAMED)
            lacks = "--interactions" if self.items else "--items"
            what = f"own tables without {lacks}" if any(own.values()) else "no data was given"
            raise ConfigError(what, hint=f"{names}, or --items FILE and --interactions FILE")
        if self.dislike_at >= self.like_at:
            raise ConfigError(
                f"--dislike-at {self.dislike_at:g} is not below --like-at {self.like_at:g}"
            )
        from coldstart.data.tables import load_dataset

        stem = self.interactions.stem
        return load_dataset(
            self.items,
            self.interactions,
            self.users,
            # Artifacts identify the catalog by the dataset's name: avoid a public one's.
            name=f"own-{stem}" if stem in NAMED else stem,
            like_at=self.like_at,
            dislike_at=self.dislike_at,
        )

    def _named(self, name: str) -> Dataset:
        named = NAMED[name]
        given = (self.like_at, self.dislike_at)
        if given not in ((LIKE_AT, DISLIKE_AT), named.thresholds):
            likes, dislikes = named.thresholds
            raise ConfigError(
                "--like-at and --dislike-at are for own tables",
                hint=f"leave them out; in {name} they are {likes:g} and {dislikes:g}",
            )
        return named.load()
