"""Rivals that are language models: an artifact's own, put to use as others propose.

They answer with the artifact's catalog and prompt, so that what differs from coldstart is what is
done with the model, and no other model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from coldstart.errors import ArtifactError, ConfigError
from coldstart.evaluation.baselines.scored import ScoredBaseline
from coldstart.evaluation.figures import Memo, model_alone
from coldstart.generation.models.line_tokenizer import MAX_TITLE_TOKENS
from coldstart.generation.trie.prompt_titles import prompt_titles
from coldstart.interactions.interaction_stats import popularity
from coldstart.schema import UserProfile

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from coldstart.generation.models.causal import CausalLM
    from coldstart.protocols import Float
    from coldstart.recommender import Recommender

    Floats = NDArray[np.float64]

GAMMAS = (0.0, 0.1, 0.2, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 20.0, 50.0, 99.0)
"""Weights of popularity to choose from in ``bigrec``, from none to nearly nothing else."""
ALPHAS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
"""Weights of the language model to choose from in ``d3``, from little to the model alone."""

_BATCH = 64


def base_model(recommender: Recommender) -> CausalLM:
    """The language model that a recommender's adapter was trained on, without the adapter.

    It is loaded anew, since an artifact's adapter is merged into its model.

    Raises:
        ArtifactError: the manifest names none, or another one goes by that name here.
    """
    from coldstart.artifacts.loading import load_base
    from coldstart.generation.models.causal import CausalLM

    try:
        base = recommender.manifest["base"]
        name, fingerprint = base["name"], base["fingerprint"]
    except (KeyError, TypeError) as e:
        raise ArtifactError(
            f"the manifest lacks {e}, so the base model is unknown", hint="save the artifact again"
        ) from e
    return CausalLM(*load_base(name, fingerprint))


def base_lm(tuned: Recommender, base: CausalLM) -> ScoredBaseline:
    """What the untuned model answers to the same prompt: its log-probability of every title.

    The score is that of ``model_catalog``, renormalised over the catalog's trie, but of the model
    before any training, and always without a prior: popularity is no part of it.

    Args:
        tuned: catalog, prompt and settings.
        base: the model without the adapter; see ``base_model``.
    """
    from coldstart.recommender import Recommender

    untuned = Recommender(
        tuned.catalog,
        base,
        tuned.template,
        tuned.counts,
        tuned.encoder,
        tuned.ranker,
        replace(tuned.settings, use_prior=False),
    )
    return model_alone(Memo(untuned), "logprobs")


class TitleSpace:
    """Where titles lie in a language model: the last layer's state at the title's last token.

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


def title_space(recommender: Recommender, lm: CausalLM) -> TitleSpace:
    """The catalog's titles as a model reads them, in the order of the counts."""
    titles = prompt_titles(recommender.catalog)
    return TitleSpace(lm, [titles[i] for i in recommender.counts.item_ids])


def bigrec(memo: Memo, space: TitleSpace, *, gamma: float = 2.0) -> ScoredBaseline:
    """Write a title, then look for what lies near it: ``D̂_i / (1 + P̂_i)^γ``, least first.

    D̂ is the distance between the embeddings of the written title and of item i, P̂ the item's
    share of the training likes, both scaled to [0, 1] over the catalog (K. Bao, J. Zhang, W. Wang
    et al., "A Bi-Step Grounding Paradigm for Large Language Models in Recommendation Systems",
    2023, with popularity as the statistic). The embeddings are, as in the authors' code, the last
    states of the model before tuning. The nearest item has D̂ = 0 and comes first whatever γ is.

    What differs from the paper: the model is the artifact's, which was tuned on soft targets over
    the catalog and not on one next title; the beam is the artifact's (20 lines, not 4), of which
    the likeliest is taken; γ is one number for all cutoffs and numbers of picks.

    Args:
        memo: where the tuned model is asked; users to whom it writes nothing get popularity.
        space: where titles lie.
        gamma: γ ≥ 0; 0 is the distance alone, very large values are popularity.

    Raises:
        ConfigError: γ is negative.
    """
    if gamma < 0:
        raise ConfigError(f"gamma is {gamma}, expected at least 0")
    recommender = memo.recommender
    share = popularity(recommender.counts)
    spread = float(np.ptp(share)) if len(share) else 0.0
    nearer = (1 + (share - share.min(initial=1.0)) / (spread if spread > 0 else 1.0)) ** -gamma

    def score(profile: UserProfile) -> Floats:
        written = memo.lm_signals(profile, "free")[1].groundings
        if not written:
            return share
        return np.asarray(-space.distances(written[0].candidate.text) * nearer)

    return ScoredBaseline(recommender.catalog, recommender.counts, score)


def d3(memo: Memo, assistant: ScoredBaseline, *, alpha: float = 0.5) -> ScoredBaseline:
    """Decode over the catalog with an assistant that reads no text: ``α log p_LM + (1 − α) log p``.

    K. Bao, J. Zhang, Y. Zhang et al., "Decoding Matters: Addressing Amplification Bias and
    Homogeneity Issue for LLM-based Recommendation", EMNLP 2024. There is no length normalisation,
    and a "ghost" token, the only one that may follow in the catalog's trie, has probability 1 and
    counts for nothing. The assistant's p of a token is its mass of the items below the token over
    that of the items below the node, so that along a title its terms sum to log p of the title.

    What differs from the paper: every title is scored exactly, where a beam may lose some; the
    model's probabilities are renormalised over what may follow in the trie (there they are over
    the whole vocabulary, and a ghost token is only nearly free); the assistant is item-kNN with
    demographic popularity in place of SASRec, the softmax of its score in nats; the model is the
    artifact's, tuned on soft targets; and what its settings mix in (``use_prior``) stays in it.

    Args:
        memo: where the tuned model is asked.
        assistant: any scores in nats, whose softmax is p; of the counts of the memo's recommender.
        alpha: weight of the language model, in [0, 1].

    Raises:
        ConfigError: α is no share.
    """
    if not 0 <= alpha <= 1:
        raise ConfigError(f"alpha is {alpha}, expected a share in [0, 1]")
    model = model_alone(memo, "logprobs")

    def score(profile: UserProfile) -> Floats:
        nats = assistant.scores(profile)
        text_free = nats - np.logaddexp.reduce(nats)
        return np.asarray(alpha * model.scores(profile) + (1 - alpha) * text_free)

    return ScoredBaseline(memo.recommender.catalog, memo.recommender.counts, score)
