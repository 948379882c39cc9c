"""Account of a dataset: tables, ratings, repeated pairs and times, in one paragraph."""

from __future__ import annotations

from dataclasses import dataclass

from coldstart.data.judgements import RatingsReport
from coldstart.data.ties import about_ties, order_warning
from coldstart.tabular.report import ReadReport, paragraph_of
from coldstart.tabular.rows import counted


@dataclass(frozen=True)
class DatasetReport:
    """What was read, and as what.

    Args:
        users: number of users with a like.
        likes: number of likes.
        dislikes: number of dislikes.
        ratings: meaning of the ratings; ``None``: there are none, and every row is a like.
        repeated: rows of a user and item that another row judges, too.
        described: number of the users with attributes; ``None``: no table of users.
        tied: share of the consecutive likes of a user that have the same time; ``None``: no times.
        tables: accounts of the files; empty for frames.
    """

    users: int
    likes: int
    dislikes: int
    ratings: RatingsReport | None
    repeated: int
    described: int | None = None
    tied: float | None = None
    tables: tuple[ReadReport, ...] = ()

    @property
    def warnings(self) -> tuple[str, ...]:
        """Whatever looks like a mistake, in all tables."""
        found = [f"{t.name}: {w}" for t in self.tables for w in t.warnings]
        found += self.ratings.warnings if self.ratings else ()
        if self.described == 0:
            found.append("no user with a like is in the table of users: are the ids the same?")
        if warning := order_warning(self.tied):
            found.append(warning)
        return tuple(found)

    def paragraph(self) -> str:
        """One paragraph for people, warnings last.

        >>> DatasetReport(2, 5, 0, None, 1).paragraph()
        'Read no ratings, so every row is a like; 1 repeated row of a user and item, of which the \
latest judgement and the first time count; 5 likes and 0 dislikes of 2 users.'
        """
        made = [s for table in self.tables for s in table.sentences()]
        made.append(
            self.ratings.sentence() if self.ratings else "no ratings, so every row is a like"
        )
        if self.repeated:
            made.append(
                f"{counted(self.repeated, 'repeated row')} of a user and item, of which the latest "
                "judgement and the first time count"
            )
        if self.tied is not None:
            made.append(about_ties(self.tied))
        likes, dislikes = counted(self.likes, "like"), counted(self.dislikes, "dislike")
        made.append(f"{likes} and {dislikes} of {counted(self.users, 'user')}")
        if self.described is not None:
            made.append(f"attributes of {self.described:,} of them")
        return paragraph_of(made, self.warnings)
