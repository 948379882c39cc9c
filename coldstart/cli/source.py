"""Options of the dataset: a public one by name, or user-supplied tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

import typer

from coldstart.cli import output
from coldstart.cli.options import in_options
from coldstart.data.named import NAMED, Name
from coldstart.errors import ConfigError

if TYPE_CHECKING:
    from coldstart.catalog.catalog import Catalog
    from coldstart.data.dataset import Dataset

PANEL = "The data"


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
    columns: Annotated[
        str | None,
        data_option(
            "Own tables: what their columns are, such as user_id=customer,item_id=sku,rating=stars;"
            " rating= for none.",
            metavar="FIELD=COLUMN,…",
        ),
    ] = None
    like_at: Annotated[
        str | None,
        data_option(
            "Own tables: minimum rating of a like, or the events that are one (purchase,like); by "
            "default 80 % of the top of the scale; without ratings, every row is one.",
            metavar="NUMBER|WORD,…",
        ),
    ] = None
    dislike_at: Annotated[
        str | None,
        data_option(
            "Own tables: maximum rating of a dislike, or the events that are one; by default 40 %.",
            metavar="NUMBER|WORD,…",
        ),
    ] = None
    unrated: Annotated[
        str | None,
        data_option(
            "Own tables: ratings that mean none, such as 0,-1; or none. By default 0 and -1 where "
            "they lie off the scale.",
            metavar="N,N,…",
        ),
    ] = None
    encoding: Annotated[
        str | None,
        data_option("Own tables: of text files, such as latin-1; recognised if left out."),
    ] = None
    separator: Annotated[
        str | None,
        data_option("Own tables: between fields of text files; recognised if left out."),
    ] = None
    quotes: Annotated[
        Literal["auto", "csv", "literal"],
        data_option('Own tables: what " means in text files; literal: a character.'),
    ] = "auto"

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
        like, dislike = threshold(self.like_at), threshold(self.dislike_at)
        if isinstance(like, float) and isinstance(dislike, float) and dislike >= like:
            raise ConfigError(f"--dislike-at {dislike:g} is not below --like-at {like:g}")
        from coldstart.data.tables import load_dataset
        from coldstart.tabular.reading import TextOptions

        stem = self.interactions.stem
        data = load_dataset(
            self.items,
            self.interactions,
            self.users,
            # Artifacts identify the catalog by the dataset's name: avoid a public one's.
            name=f"own-{stem}" if stem in NAMED else stem,
            columns=column_pairs(self.columns),
            like_at=like,
            dislike_at=dislike,
            unrated=_numbers(self.unrated),
            text=TextOptions(self.encoding, self.separator, self.quotes),
        )
        if data.report:
            output.note(in_options(data.report.paragraph()))
        return data

    def _named(self, name: str) -> Dataset:
        named = NAMED[name]
        own = ("columns", "unrated", "encoding", "separator")
        given = [f"--{n}" for n in own if getattr(self, n) is not None]
        if given or self.quotes != "auto":
            raise ConfigError(
                f"{' and '.join(given or ['--quotes'])} with --data {name}",
                hint="leave it out; it is for own tables",
            )
        for text, wanted in zip((self.like_at, self.dislike_at), named.thresholds, strict=True):
            if text is not None and threshold(text) != wanted:
                likes, dislikes = named.thresholds
                raise ConfigError(
                    "--like-at and --dislike-at are for own tables",
                    hint=f"leave them out; in {name} they are {likes:g} and {dislikes:g}",
                )
        return named.load()


def catalog_option(path: Path | None) -> tuple[Catalog | None, str]:
    """Load the catalog of ``--items`` where it stands alone; and what was read, in a paragraph."""
    if path is None:
        return None, ""
    from coldstart.data.items import load_catalog

    catalog, read = load_catalog(path, title_ids=True)
    return catalog, in_options(read.paragraph())


def threshold(text: str | float | None) -> float | str | None:
    """Parse a threshold: a number, or words.

    >>> threshold("4"), threshold("like,purchase")
    (4.0, 'like,purchase')
    """
    try:
        return None if text is None else float(text)
    except ValueError:
        return str(text)


def column_pairs(text: str | None) -> dict[str, str | None]:
    """Parse ``FIELD=COLUMN,…``; no column is ``None``.

    Raises:
        ConfigError: a part without "=".

    >>> column_pairs("user_id=customer, rating=")
    {'user_id': 'customer', 'rating': None}
    """
    made: dict[str, str | None] = {}
    for part in (text or "").split(","):
        field, equals, column = (p.strip() for p in part.partition("="))
        if not (field and equals):
            if not part.strip():
                continue
            raise ConfigError(f"--columns {text!r}", hint="such as user_id=customer,item_id=sku")
        made[field] = column or None
    return made


def _numbers(text: str | None) -> tuple[float, ...] | None:
    if text is None or not text.strip():
        return None
    try:
        return () if text.strip() == "none" else tuple(float(n) for n in text.split(","))
    except ValueError:
        raise ConfigError(f"--unrated {text!r}", hint="numbers such as 0,-1, or none") from None
