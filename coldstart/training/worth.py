"""Which parts of a training pay for the data there is.

Below its threshold a part learns noise, costs time, and is left out. Those of trees and of requests
are measured on subsets of public data (``benchmarks/too_little.py``, figures in
docs/results/too-little.md); 500 requests leave fifty of them to fit the blend with and fifty to
compare on. That of the language model is where its adapter was measured to cost no accuracy: with
the 660 training users of MovieLens-100K lists with it are level with those without
(docs/results/ml-100k.md); free writing and new titles need it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Any, Literal

LearnedPart = Literal["trees", "requests", "language model"]


@dataclass(frozen=True)
class Amount:
    """Size of training data.

    Args:
        users: users with likes.
        likes: their likes.
        requests: texts with chosen items.
    """

    users: int = 0
    likes: int = 0
    requests: int = 0

    def lacks(self, needed: Amount) -> Amount:
        """How much more there must be, each at least 0."""
        more = {n: max(0, v - getattr(self, n)) for n, v in asdict(needed).items()}
        return Amount(**more)

    def in_words(self) -> str:
        """Such as "100 users with 900 likes"; empty for nothing."""
        users, likes = (f"{v:,} {n}" if v else "" for n, v in list(asdict(self).items())[:2])
        both = " with ".join(p for p in (users, likes) if p)
        requests = f"{self.requests:,} requests" if self.requests else ""
        return " and ".join(p for p in (both, requests) if p)


THRESHOLDS: Mapping[LearnedPart, Amount] = MappingProxyType(
    {
        "trees": Amount(users=200, likes=1_000),
        "requests": Amount(requests=500),
        "language model": Amount(users=600, likes=30_000),
    }
)
"""From which amount of training data each part pays."""


@dataclass(frozen=True)
class Verdict:
    """Whether a part pays.

    Args:
        part: the part.
        pays: whether it is learned.
        has: the amount of data there is.
        needs: the amount from which it pays.
    """

    part: LearnedPart
    pays: bool
    has: Amount
    needs: Amount

    @property
    def sentence(self) -> str:
        """Why it is learned, or what is missing, in one line."""
        if self.pays:
            return f"{self.part}: pays from {self.needs.in_words()}"
        more = {n: _about(v) for n, v in asdict(self.has.lacks(self.needs)).items()}
        lacking = " and ".join(f"{v:,} more {n}" for n, v in more.items() if v)
        return f"{self.part}: pays from {self.needs.in_words()}, that is about {lacking}"

    def to_dict(self) -> dict[str, Any]:
        """Plain data, for the manifest."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Verdict:
        """Read what ``to_dict`` wrote."""
        return cls(data["part"], data["pays"], Amount(**data["has"]), Amount(**data["needs"]))


def verdicts(amount: Amount, own: Amount | None = None) -> dict[LearnedPart, Verdict]:
    """Decide for every part.

    Args:
        amount: of the training data.
        own: of the data that the artifact at hand was trained on; a part that it has learned from
            more than there is now is not learned again.

    >>> verdicts(Amount(users=40, likes=320))["trees"].sentence
    'trees: pays from 200 users with 1,000 likes, that is about 160 more users and 680 more likes'
    """
    out: dict[LearnedPart, Verdict] = {}
    for part, least in THRESHOLDS.items():
        before = own or Amount()
        needed = Amount(
            **{n: max(v, getattr(before, n)) if v else 0 for n, v in asdict(least).items()}
        )
        pays = amount.lacks(needed) == Amount()
        out[part] = Verdict(part, pays, amount, needed)
    return out


def _about(n: int) -> int:
    """Two significant digits, rounded up."""
    step: int = 10 ** max(0, len(str(n)) - 2)
    return -(-n // step) * step
