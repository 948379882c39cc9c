"""Simulate cold-start profiles and requests from the likes of training users."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from coldstart.catalog.catalog import Catalog
from coldstart.data.dataset import Dataset
from coldstart.schema import Context, Pick, UserProfile
from coldstart.settings import TrainConfig

_ABOUT = (
    "I mostly enjoy {a}",
    "I like {a} and {b}",
    "looking for good {a}, maybe some {b}",
    "big fan of {a}",
    "{a} from the {d}",
    "anything like {t}",
)
_TIMES = ("Friday evening", "Sunday morning", "late at night", "weekday lunch break")
_OCCASIONS = ("date night", "with the kids", "alone at home", "with friends")
ATTRIBUTES = ("age", "gender", "occupation", "location", "language")
_DEVICES = ("phone", "TV", "laptop")


def top_categories(catalog: Catalog, liked: Sequence[str], n: int = 3) -> list[str]:
    """Categories most over-represented among ``liked``, best first.

    Ordered by ``count · log(share among liked / share in the catalog)``.
    """
    counts = Counter(c for i in liked for c in catalog[i].categories)
    total = sum(counts.values())
    background = Counter(c for item in catalog for c in item.categories)
    size = sum(background.values())
    lift = {c: m * np.log((m / total) / (background[c] / size)) for c, m in counts.items()}
    return sorted((c for c in lift if lift[c] > 0), key=lambda c: (-lift[c], c))[:n]


def simulate_profile(
    user: str, data: Dataset, config: TrainConfig, rng: np.random.Generator
) -> tuple[UserProfile, Context]:
    """Simulate the profile (without liked picks) and the context of one training prompt.

    Each attribute is dropped with probability ``attribute_dropout``, so that the model handles any
    subset of a profile; interests and free text are derived from ten random likes of the user.
    """
    profile, liked = data.users[user], data.likes[user]
    kept = {
        name: getattr(profile, name)
        for name in ATTRIBUTES
        if getattr(profile, name) is not None and rng.random() >= config.attribute_dropout
    }
    attributes = {
        k: v for k, v in profile.attributes.items() if rng.random() >= config.attribute_dropout
    }
    sample = [liked[i] for i in rng.permutation(len(liked))[:10]]
    interests, about = simulate_words(
        data.catalog, sample, rng, config.interests_share, config.about_share
    )
    disliked: tuple[Pick, ...] = ()
    low = data.dislikes.get(user, ())
    if low and rng.random() < config.dislikes_share:
        chosen = rng.permutation(len(low))[: rng.integers(1, 4)]
        disliked = tuple(Pick(item=low[i], by="id") for i in chosen)
    context = Context()
    if rng.random() < config.context_share:
        context = Context(
            time=str(rng.choice(_TIMES)),
            occasion=str(rng.choice(_OCCASIONS)),
            device=str(rng.choice(_DEVICES)) if rng.random() < 0.3 else None,
        )
    return (
        UserProfile(
            **kept, attributes=attributes, interests=interests, about=about, disliked=disliked
        ),
        context,
    )


Order = Literal["first", "random"]
"""Choice of the picks among the likes: the first by time, or random."""

N_PICKS = (0, 1, 3, 5, 10)
MIN_TARGETS = 5
RESERVED = 10
"""Number of first likes excluded from the targets: they are dominated by common exposure."""


def target_rule(data: Dataset, users: Sequence[str]) -> tuple[int, int]:
    """Choose the targets by the data: (first likes excluded from them, minimum number of targets).

    If most users have at least fifteen likes, the targets are the likes beyond the first ten, of
    users with at least five; in sparser data, all later likes.

    >>> short = Dataset("x", Catalog(), {}, {"u": ("a", "b")})
    >>> target_rule(short, ["u"])
    (0, 1)
    """
    sizes = np.array([len(data.likes[u]) for u in users])
    reserved = RESERVED if np.mean(sizes >= RESERVED + MIN_TARGETS) >= 0.5 else 0
    return reserved, MIN_TARGETS if np.mean(sizes >= 3 + MIN_TARGETS) >= 0.5 else 1


@dataclass(frozen=True)
class ColdRequest:
    """Simulated request of a cold user.

    Args:
        profile: attributes, picks, and possibly interests, free text and dislikes.
        targets: relevant items: the other likes.
        excluded: items that are neither targets nor candidates: picks, dislikes, and the likes from
            which interests and free text were derived.
    """

    profile: UserProfile
    targets: tuple[str, ...]
    excluded: tuple[str, ...]

    def without(self, items: Collection[str]) -> ColdRequest:
        """Exclude more items from targets and candidates."""
        gone = (*self.excluded, *(i for i in items if i not in self.excluded))
        return replace(
            self, targets=tuple(i for i in self.targets if i not in items), excluded=gone
        )


def simulate_request(
    user: str,
    data: Dataset,
    n_picks: int,
    rng: np.random.Generator,
    *,
    said_share: float = 0.3,
    dislikes_share: float = 0.2,
    dropout: float = 0.0,
    min_targets: int = MIN_TARGETS,
    order: Order = "first",
) -> ColdRequest | None:
    """Simulate a cold request of a user: some likes are picks, the others targets.

    Args:
        user: user id.
        data: the likes.
        n_picks: number of picks.
        rng: random generator.
        said_share: probability of interests or free text, derived from five other likes.
        dislikes_share: probability of up to three disliked items.
        dropout: probability of dropping each attribute.
        min_targets: minimum number of likes other than the picks.
        order: choice of the picks: the first likes, as a ``history``, or random ones.

    Returns:
        The request, or ``None`` if there are fewer than ``min_targets`` other likes.
    """
    likes = data.likes[user]
    if order == "random":
        likes = tuple(likes[n] for n in rng.permutation(len(likes)))
    picks, later = likes[:n_picks], likes[n_picks:]
    if len(later) < min_targets:
        return None
    said: dict[str, object] = {}
    hidden: list[str] = []
    if rng.random() < said_share and len(later) >= 2 * MIN_TARGETS:
        hidden = [later[n] for n in rng.permutation(len(later))[:5]]
        said["interests"], said["about"] = simulate_words(data.catalog, hidden, rng, 0.8, 0.5)
    low = data.dislikes.get(user, ())
    named = low[:3] if low and rng.random() < dislikes_share else ()
    if dropout:
        said |= {name: None for name in ATTRIBUTES if rng.random() < dropout}
    profile: UserProfile = data.users[user].model_copy(
        update={
            **said,
            "liked": tuple(Pick(item=i, by="id") for i in picks),
            "history": order == "first",
            "disliked": tuple(Pick(item=i, by="id") for i in named),
        }
    )
    gone = (*picks, *hidden, *named)
    return ColdRequest(profile, tuple(i for i in later if i not in set(gone)), gone)


def simulate_words(
    catalog: Catalog,
    sample: Sequence[str],
    rng: np.random.Generator,
    interests_share: float,
    about_share: float,
) -> tuple[tuple[str, ...], str | None]:
    """Simulate interests and free text from liked items; either may be empty.

    Args:
        catalog: the items.
        sample: ids of liked items.
        rng: random generator.
        interests_share: probability of interests.
        about_share: probability of free text.
    """
    top = top_categories(catalog, sample)
    interests: tuple[str, ...] = ()
    about = None
    if top and rng.random() < interests_share:
        interests = tuple(top[: rng.integers(1, len(top) + 1)])
    if top and rng.random() < about_share:
        about = _sentence(catalog, sample, top, rng)
    return interests, about


def _sentence(
    catalog: Catalog, sample: Sequence[str], top: Sequence[str], rng: np.random.Generator
) -> str:
    years = [y for i in sample if (y := catalog[i].year) is not None]
    decade = f"{Counter(y // 10 * 10 for y in years).most_common(1)[0][0]}s" if years else "past"
    words = {
        "a": top[0].lower(),
        "b": (top[1] if len(top) > 1 else "something new").lower(),
        "d": decade,
        "t": catalog[sample[0]].title,
    }
    return str(rng.choice(_ABOUT)).format(**words)
