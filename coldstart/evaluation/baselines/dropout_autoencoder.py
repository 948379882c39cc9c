"""Dropout autoencoder trained for cold start: attributes and a few picks → all other likes.

M. Volkovs, G. Yu and T. Poutanen, "DropoutNet: Addressing Cold Start in Recommender Systems",
NeurIPS 2017; multinomial likelihood as in D. Liang et al., "Variational Autoencoders for
Collaborative Filtering", WWW 2018.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from coldstart.errors import ConfigError
from coldstart.evaluation.baselines.registry import Baseline
from coldstart.evaluation.baselines.scored import ScoredBaseline
from coldstart.evaluation.baselines.training_data import TrainingData
from coldstart.interactions.interaction_stats import attribute_groups, log_popularity
from coldstart.schema import UserProfile

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Layers = tuple[Floats, Floats, Floats, Floats]

BATCH = 64
RATE = 0.003


@dataclass(frozen=True)
class AutoencoderOptions:
    """Training options; see ``dropout_autoencoder``."""

    decay: float
    drop: float
    epochs: int
    most_picks: int
    order: Literal["first", "random"]

    def __post_init__(self) -> None:
        if self.most_picks < 0 or self.epochs < 0 or not 0 <= self.drop < 1:
            raise ConfigError(
                f"most_picks is {self.most_picks}, epochs {self.epochs}, drop {self.drop}; "
                "expected at least 0, at least 0, and in [0, 1)"
            )
        if self.order not in ("first", "random"):
            raise ConfigError(f"order is {self.order!r}, expected 'first' or 'random'")


def dropout_autoencoder(
    training: TrainingData,
    *,
    hidden: int = 64,
    decay: float = 2.0,
    drop: float = 0.3,
    epochs: int = 40,
    most_picks: int = 10,
    order: Literal["first", "random"] = "first",
    seed: int = 0,
) -> ScoredBaseline:
    """One hidden layer, ``tanh([a; x/√m] W₁ + b₁) W₂ + b₂``, trained under random k.

    a is one-hot over attribute groups, x over picks, and m = max(k, ``most_picks``). In every epoch
    each training user shows k picks, k uniform in 0 … ``most_picks``. The loss is the negative
    log-likelihood of the n remaining likes under a softmax over all items but the picks; a user
    weighs √n, between every user (1) and every like (n) being equal. b₂ starts at log popularity,
    so training adds to popularity. At k=0 the network sees attributes only.

    Args:
        training: the training users; their likes oldest first for ``order="first"``.
        hidden: units, ≥ 1.
        decay: decoupled weight decay of W₁ and W₂ (AdamW), ≥ 0.
        drop: share of the inputs set to zero in training, in [0, 1).
        epochs: passes over the training users.
        most_picks: largest k shown, ≥ 0.
        order: whether picks are a user's first likes, as in the evaluation, or random ones.
        seed: of weights, batches, picks and dropout.
    """
    if hidden < 1:
        raise ConfigError(f"hidden is {hidden}, expected at least 1")
    options = AutoencoderOptions(decay, drop, epochs, most_picks, order)
    groups = {g: n for n, g in enumerate(training.counts.group_sizes)}
    size = len(training.catalog)
    people = [_one_hot(groups, p) for p in training.users.values()]
    likes = [training.columns(training.likes.get(u, ())) for u in training.users]
    rng = np.random.default_rng(seed)
    start = (
        rng.normal(0, 0.01, (len(groups) + size, hidden)),
        np.zeros(hidden),
        rng.normal(0, 0.01, (hidden, size)),
        log_popularity(training.counts),
    )
    into, shift, out, base = _train(start, people, likes, options, rng)

    def score(profile: UserProfile) -> Floats:
        picks = _picked(training.picks(profile), size, most_picks)
        x = np.concatenate([_one_hot(groups, profile), picks])
        return np.asarray(np.tanh(x @ into + shift) @ out + base)

    return training.ranking(score)


def _one_hot(groups: dict[str, int], profile: UserProfile) -> Floats:
    row = np.zeros(len(groups))
    row[[groups[g] for g in attribute_groups(profile) if g in groups]] = 1.0
    return row


def _picked(picks: Sequence[int] | NDArray[np.int_], size: int, most: int) -> Floats:
    row = np.zeros(size)
    row[np.array(picks, dtype=int)] = 1 / np.sqrt(max(len(picks), most, 1))
    return row


def _train(
    start: Layers,
    people: Sequence[Floats],
    likes: Sequence[Sequence[int]],
    options: AutoencoderOptions,
    rng: np.random.Generator,
) -> Layers:
    import torch

    into, shift, out, base = (torch.tensor(w, dtype=torch.float32) for w in start)
    layers = [w.requires_grad_() for w in (into, shift, out, base)]
    decayed = {"params": [into, out], "weight_decay": options.decay}
    free = {"params": [shift, base], "weight_decay": 0.0}
    optimiser = torch.optim.AdamW([decayed, free], lr=RATE)
    some = np.array([n for n, own in enumerate(likes) if own], dtype=int)  # others teach nothing
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # the same sums in the same order
    try:
        for _ in range(options.epochs):
            mixed = rng.permutation(some)
            for at in range(0, len(mixed), BATCH):
                x, shown, left = _sample_batch(
                    mixed[at : at + BATCH], people, likes, len(base), options, rng
                )
                logits = torch.tanh(torch.tensor(x, dtype=torch.float32) @ into + shift) @ out
                logits = (logits + base).masked_fill(torch.tensor(shown), -1e9)
                weight = left.sum(axis=1, keepdims=True) ** 0.5
                share = torch.tensor(left / weight / weight.sum(), dtype=torch.float32)
                loss = -(share * torch.log_softmax(logits, dim=1)).sum()
                optimiser.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                optimiser.step()
    finally:
        torch.set_num_threads(threads)
    a, b, c, d = (w.detach().numpy().astype(np.float64) for w in layers)
    return a, b, c, d


def _sample_batch(
    rows: NDArray[np.int_],
    people: Sequence[Floats],
    likes: Sequence[Sequence[int]],
    size: int,
    options: AutoencoderOptions,
    rng: np.random.Generator,
) -> tuple[Floats, NDArray[np.bool_], Floats]:
    """One batch: inputs, mask of the picks, and mask of the likes to predict (at least one)."""
    inputs = []
    shown, left = np.zeros((len(rows), size), dtype=bool), np.zeros((len(rows), size))
    for n, row in enumerate(rows):
        own = np.array(likes[row])
        if options.order == "random":
            own = rng.permutation(own)
        k = min(int(rng.integers(options.most_picks + 1)), len(own) - 1)
        shown[n, own[:k]], left[n, own[k:]] = True, 1.0
        inputs.append(np.concatenate([people[row], _picked(own[:k], size, options.most_picks)]))
    x = np.stack(inputs)
    x *= (rng.random(x.shape) >= options.drop) / (1 - options.drop)
    return x, shown, left


BASELINE = Baseline(
    "dropout_autoencoder",
    "DropoutNet-style autoencoder of attributes and picks",
    dropout_autoencoder,
    uses=frozenset({"picks", "attributes"}),
    grid={"hidden": (16, 64), "decay": (2.0, 5.0), "epochs": (20, 40, 80)},
    position=110,
    headline=40,
    label="dropout autoencoder",
)
