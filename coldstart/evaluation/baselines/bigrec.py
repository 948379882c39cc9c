"""BIGRec: ground the generated title by its distance to every title, weighted by popularity."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from coldstart.errors import ConfigError
from coldstart.evaluation.baselines.registry import Baseline
from coldstart.evaluation.baselines.scored import ScoredBaseline
from coldstart.generation.models.line_tokenizer import MAX_TITLE_TOKENS
from coldstart.generation.trie.prompt_titles import prompt_titles
from coldstart.interactions.interaction_stats import popularity
from coldstart.schema import UserProfile

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from coldstart.evaluation.recommender_adapter import LoadedArtifact
    from coldstart.generation.models.causal import CausalLM
    from coldstart.protocols import Float

    Floats = NDArray[np.float64]

GAMMAS = (0.0, 0.1, 0.2, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 20.0, 50.0, 99.0)
"""Grid of the weight of popularity, from none to nearly nothing else."""

_BATCH = 64


class TitleSpace:
    """Title embeddings of a language model: the last layer's state at the title's last token.

    Args:
        lm: the model.
        titles: of the catalog, at least one.
    """

    def __init__(self, lm: CausalLM, titles: Sequence[str]) -> None:
        self._lm = lm
        self._titles = self._states(titles)
        self._known: dict[str, Float] = {}

    def distances(self, title: str) -> Floats:
        """Euclidean distance of a text to every title, from 0 (the nearest) to 1, shape (I,)."""
        if title not in self._known:
            self._known[title] = self._states([title])
        far = np.linalg.norm(self._titles - self._known[title], axis=1).astype(np.float64)
        spread = float(far.max() - far.min())
        return np.asarray((far - far.min()) / (spread if spread > 0 else 1.0))

    def _states(self, titles: Sequence[str]) -> Float:
        import torch

        lines = self._lm.lines
        cut = [lines.line(title)[:MAX_TITLE_TOKENS] for title in titles]
        tokens = [[*lines.start, *(own or lines.end)] for own in cut]
        lengths = np.array([len(own) for own in tokens])
        out = np.empty((len(tokens), self._lm.model.config.hidden_size), dtype=np.float32)
        with torch.inference_mode():
            for length in np.unique(lengths):  # of one length, so that none needs padding
                same = np.flatnonzero(lengths == length)
                for at in range(0, len(same), _BATCH):
                    rows = same[at : at + _BATCH]
                    ids = torch.tensor([tokens[n] for n in rows], device=self._lm.device)
                    states = self._lm.decoder(input_ids=ids, use_cache=False).last_hidden_state
                    out[rows] = states[:, -1].float().cpu().numpy()
        return out


def title_space(artifact: LoadedArtifact) -> TitleSpace:
    """The catalog's titles, embedded by the base model, in the order of the counts."""
    recommender = artifact.recommender
    titles = prompt_titles(recommender.catalog)
    return TitleSpace(artifact.base, [titles[i] for i in recommender.counts.item_ids])


def bigrec(artifact: LoadedArtifact, *, gamma: float = 2.0) -> ScoredBaseline:
    """Generate a title and rank by distance to it: ``D̂_i / (1 + P̂_i)^γ``, ascending.

    D̂ is the distance between the embeddings of the written title and of item i, P̂ the item's
    share of the training likes, both scaled to [0, 1] over the catalog (K. Bao, J. Zhang, W. Wang
    et al., "A Bi-Step Grounding Paradigm for Large Language Models in Recommendation Systems",
    2023, with popularity as the statistic). The embeddings are, as in the authors' code, the last
    states of the model before tuning. The nearest item has D̂ = 0 and comes first whatever γ is.

    What differs from the paper: the model is the artifact's, which was tuned on soft targets over
    the catalog and not on one next title; the beam is the artifact's (20 lines, not 4), of which
    the likeliest is taken; γ is one number for all cutoffs and numbers of picks.

    Args:
        artifact: its model generates; users without a generated title get popularity.
        gamma: γ ≥ 0; 0 is the distance alone, very large values are popularity.

    Raises:
        ConfigError: γ is negative.
    """
    if gamma < 0:
        raise ConfigError(f"gamma is {gamma}, expected at least 0")
    signals, space = artifact.signals, artifact.once(title_space)
    recommender = artifact.recommender
    share = popularity(recommender.counts)
    spread = float(np.ptp(share)) if len(share) else 0.0
    nearer = (1 + (share - share.min(initial=1.0)) / (spread if spread > 0 else 1.0)) ** -gamma

    def score(profile: UserProfile) -> Floats:
        written = signals.lm_signals(profile, "free")[1].groundings
        if not written:
            return share
        return np.asarray(-space.distances(written[0].candidate.text) * nearer)

    return ScoredBaseline(recommender.catalog, recommender.counts, score)


BASELINE = Baseline(
    "bigrec",
    "BIGRec-style: the title it writes, distance to every title, and popularity",
    bigrec,
    grid={"gamma": GAMMAS},
    tuning="always",
    input="artifact",
    position=970,
)
