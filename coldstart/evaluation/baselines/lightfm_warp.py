"""Hybrid matrix factorisation with the WARP loss, by the ``lightfm`` library.

M. Kula, "Metadata Embeddings for User and Item Cold-start Recommendations", CBRecSys 2015; J.
Weston, S. Bengio and N. Usunier, "WSABIE: Scaling Up To Large Vocabulary Image Annotation", IJCAI
2011. The original library no longer builds; ``lightfm-next`` is the same code as wheels.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy import sparse

from coldstart.errors import ConfigError
from coldstart.evaluation.baselines.registry import Baseline, needed
from coldstart.evaluation.baselines.scored import TIE, ScoredBaseline
from coldstart.evaluation.baselines.training_data import TrainingData
from coldstart.interactions.interaction_stats import attribute_groups, popularity
from coldstart.schema import UserProfile

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int32]  # of the library


INSTALL = "lightfm-next"


def lightfm_warp(
    training: TrainingData,
    *,
    factors: int = 16,
    epochs: int = 30,
    rate: float = 0.02,
    l2: float = 0.0,
    most_picks: int = 10,
    seed: int = 0,
) -> ScoredBaseline:
    """Hybrid factorisation: a user is the sum of its features, ``(Σ_f e_f) · q_i + b_i``.

    The features f are attribute groups and picks, as indicators; there are no user ids, so
    that a new user has a vector. At k=0 it is that of the attributes; without any the biases b
    remain.

    In every epoch each training user shows their first k likes, k uniform in 0 … ``most_picks``,
    and the remaining likes are to be ranked above what they did not like. WARP draws such items j
    until one scores within 1 of the like i (10 draws at most), and steps down the gradient of
    ``log((I − 1) / draws) · (1 − s_i + s_j)``: a like that is soon beaten ranks low, and weighs
    more. Picks are neither likes to be found nor items to be beaten.

    Args:
        training: the training users; their likes oldest first.
        factors: length of the vectors, ≥ 1.
        epochs: passes over the training users' likes, ≥ 0.
        rate: learning rate (Adagrad), > 0.
        l2: penalty of all vectors and biases, ≥ 0.
        most_picks: largest k shown, ≥ 0.
        seed: of the first vectors, the order, the draws and the picks.

    Raises:
        ConfigError: an option out of range.
        MissingExtraError: the library is not installed.
    """
    if factors < 1 or epochs < 0 or most_picks < 0 or not rate > 0 or l2 < 0:
        raise ConfigError(
            f"factors is {factors}, epochs {epochs}, most_picks {most_picks}, rate {rate}, l2 {l2};"
            " expected at least 1, 0 and 0, above 0, and at least 0"
        )
    groups = {g: n for n, g in enumerate(training.counts.group_sizes)}
    likes = _Likes.of(training)
    people = _one_hot(groups, list(training.users.values()))
    model = needed("lightfm", "lightfm_warp", INSTALL).LightFM(
        no_components=factors,
        loss="warp",
        learning_rate=rate,
        item_alpha=l2,
        user_alpha=l2,
        random_state=seed,
    )
    rng = np.random.default_rng(seed)
    everyone = TIE * popularity(training.counts)
    if not epochs or not len(likes.row):
        return training.ranking(lambda profile: everyone)
    for _ in range(epochs):
        k = np.minimum(rng.integers(most_picks + 1, size=len(likes.number)), likes.number - 1)
        shown = likes.at < k[likes.row]
        picks = sparse.csr_array(
            (np.ones(shown.sum()), (likes.row[shown], likes.column[shown])),
            shape=training.matrix.shape,
        )
        model.fit_partial(
            # 1 is a like; what is there but not positive is passed over, as like and as rival.
            sparse.coo_matrix(
                (np.where(shown, -1, 1).astype(np.float32), (likes.row, likes.column)),
                shape=training.matrix.shape,
            ),
            user_features=_narrow(sparse.hstack([people, picks], format="csr")),
            num_threads=1,  # so that a seed repeats
        )
    said = np.asarray(model.user_embeddings, dtype=np.float64)
    items = np.asarray(model.item_embeddings, dtype=np.float64)
    biases = np.asarray(model.item_biases, dtype=np.float64)

    def score(profile: UserProfile) -> Floats:
        own = [groups[g] for g in attribute_groups(profile) if g in groups]
        picks = training.picks(profile)
        person = said[[*own, *(len(groups) + p for p in picks)]].sum(axis=0)
        return np.asarray(items @ person + biases + everyone)

    return training.ranking(score)


class _Likes(NamedTuple):
    """Likes as parallel arrays: user row, item column, position within the user; likes by user."""

    row: Ints
    column: Ints
    at: Ints
    number: Ints  # of likes, by person

    @classmethod
    def of(cls, training: TrainingData) -> _Likes:
        own = [training.columns(training.likes.get(u, ())) for u in training.users]
        number = np.array([len(x) for x in own], dtype=np.int32)
        row = np.repeat(np.arange(len(own), dtype=np.int32), number)
        column = np.array([c for columns in own for c in columns], dtype=np.int32)
        at = np.array([n for columns in own for n in range(len(columns))], dtype=np.int32)
        return cls(row, column, at, number)


def _one_hot(groups: dict[str, int], people: list[UserProfile]) -> sparse.csr_array:
    pairs = [(n, groups[g]) for n, p in enumerate(people) for g in attribute_groups(p)]
    rows, columns = zip(*pairs, strict=True) if pairs else ((), ())
    return sparse.csr_array((np.ones(len(pairs)), (rows, columns)), (len(people), len(groups)))


def _narrow(matrix: sparse.csr_array) -> sparse.csr_matrix:
    """The same in the number formats that the library takes."""
    indices, starts = (a.astype(np.int32) for a in (matrix.indices, matrix.indptr))
    return sparse.csr_matrix((matrix.data.astype(np.float32), indices, starts), matrix.shape)


BASELINE = Baseline(
    "lightfm_warp",
    "LightFM: hybrid matrix factorisation of attributes and picks, WARP loss",
    lightfm_warp,
    uses=frozenset({"picks", "attributes"}),
    grid={
        "factors": (16, 32, 64),
        "epochs": (15, 30, 60),
        "rate": (0.01, 0.02, 0.05),
        "l2": (0.0, 1e-5),
    },
    requires="lightfm",
    install=INSTALL,
    position=100,
    headline=60,
    label="LightFM (WARP)",
)
