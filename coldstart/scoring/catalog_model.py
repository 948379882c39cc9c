"""A language model bound to one catalog: prompts, log-probabilities of its titles, free writing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from coldstart.catalog.item_store import ItemStore
from coldstart.errors import ArtifactError
from coldstart.profile.resolve import ResolvedProfile
from coldstart.prompts import PromptTemplate, Rendered
from coldstart.schema import Candidate, UserProfile
from coldstart.settings import PRIOR_COUNT, Settings, prompt_budget

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from coldstart.generation.models.causal import CausalLM
    from coldstart.generation.trie.mass import Mass, Newcomers
    from coldstart.generation.trie.plan import TriePlan
    from coldstart.generation.trie.trie import TitleTrie
    from coldstart.protocols import TextGenerator
    from coldstart.schema import DecodingConfig

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]


_SHARE = 4  # of the tokens of a shortlist: those of newcomers beside it


class CatalogLanguageModel:
    """Prompts a language model and returns its output in catalog row order.

    Args:
        lm: the language model.
        template: turns a profile into a prompt.
        item_store: follows the catalog; has to be synced before each use.
        settings: how the model is used.
        generator: writes titles; ``None``: the language model does.
    """

    def __init__(
        self,
        lm: CausalLM,
        template: PromptTemplate,
        item_store: ItemStore,
        settings: Settings,
        generator: TextGenerator | None = None,
    ) -> None:
        from coldstart.generation.decoding.local import LocalGenerator
        from coldstart.generation.trie.catalog_trie import CatalogTrie

        self.lm, self._template = lm, template
        self._item_store, self.settings = item_store, settings
        self.generator = generator or LocalGenerator(lm)
        self._trie = CatalogTrie(lm.lines, item_store.counts.column.__contains__)
        # The likes, and what is made of them.
        self._kept_prior: tuple[Floats, tuple[Mass, Floats]] | None = None
        self._known_trie: TitleTrie | None = None  # without newcomers, for beam search
        self._kept_unconditional: Floats | None = None

    def prompt(self, user: ResolvedProfile) -> Rendered:
        """The prompt of a resolved profile, within the token budget."""
        return self._template.render(
            user.profile,
            user.context,
            title_of=self._titles().__getitem__,
            budget=prompt_budget(self.lm.max_tokens, self.settings.prompt_tokens),
            count_tokens=self.lm.lines.count,
        )

    def unconditional_prompt(self) -> str:
        """The prompt of an empty profile."""
        return self._template.render(UserProfile()).text

    def unconditional_logprobs(self) -> Floats:
        """``logprobs`` after the prompt of an empty profile; kept per catalog version."""
        self._sync()
        if self._kept_unconditional is None:
            self._kept_unconditional = self.logprobs(self.unconditional_prompt())
        return self._kept_unconditional

    def log_prior(self) -> Floats:
        """Log share of every item in the likes, a little for everyone added, shape (N,).

        Of the likes of items that the model was trained on; items added since share theirs.
        """
        self._sync()
        return self._prior()[1]

    def logprobs(self, prompt: str, rows: Ints | None = None) -> Floats:
        """Log-probability of every item, shape (N,).

        Args:
            prompt: as rendered.
            rows: rows to score exactly, best first: the trie decisions towards them are read, up to
                ``shortlist_tokens``; the prior fills in the other rows. ``None``: all rows, exact
                where the trie is small enough.
        """
        (found,) = self.logprobs_of([(prompt, rows)])
        return found

    def logprobs_of(self, asked: Sequence[tuple[str, Ints | None]]) -> list[Floats]:
        """``logprobs`` of several users, those that are exact read together.

        Args:
            asked: prompt and rows of each, as there.

        Raises:
            ArtifactError: the model's output is not a number.
        """
        from coldstart.generation.decoding.beam import beam_logprobs
        from coldstart.generation.decoding.exact import exact_logprobs_of

        trie, settings = self._sync(), self.settings
        (mass, _), prior = self._prior(), settings.use_prior
        tau, most = settings.tau if prior else 1.0, settings.exact_tokens
        plans = [self._plan(trie, rows, mass.newcomers) for _, rows in asked]
        together = [
            (prompt, plan, None)
            for (prompt, _), plan in zip(asked, plans, strict=True)
            if plan is not None
        ]
        exact = iter(exact_logprobs_of(self.lm, together, mass, tau, prior=prior, most=most))
        out = []
        for (prompt, _), plan in zip(asked, plans, strict=True):
            if plan is not None:
                found = next(exact)
            else:
                known, own = self._without_newcomers(trie, mass)
                width = settings.beam_width
                found = beam_logprobs(self.lm, prompt, known, own, tau, width, prior=prior).logprobs
                found = mass.with_newcomers(found)
            if np.isnan(found).any():
                raise ArtifactError(
                    "the language model's log-probabilities are not numbers",
                    hint="the adapter is damaged: copy the artifact again, or train another",
                )
            out.append(found[self._trie.position])
        return out

    def _without_newcomers(self, trie: TitleTrie, mass: Mass) -> tuple[TitleTrie, Mass | Floats]:
        """Trie and prior of the known items, whose beam no newcomer narrows."""
        if mass.newcomers is None:
            return trie, mass
        known = mass.newcomers.known
        if self._known_trie is None:
            self._known_trie = trie.of_items(known)
        return self._known_trie, mass.values[known]

    def _plan(
        self, trie: TitleTrie, rows: Ints | None, newcomers: Newcomers | None
    ) -> TriePlan | None:
        """Trie decisions to score; ``None`` if they are too many."""
        if rows is not None:
            return self._towards(trie, self._trie.position[rows], newcomers)
        if len(trie) > self.settings.exact_items:
            return None
        plan = trie.plan(newcomers)
        return plan if len(plan.tree_token) <= self.settings.exact_tokens else None

    def _towards(
        self, trie: TitleTrie, items: Ints, newcomers: Newcomers | None = None
    ) -> TriePlan:
        """The decisions towards the first items, as many as the budget of tree tokens allows.

        Newcomers have a budget of their own, a quarter of it, so that they displace no other item.
        """
        most = self.settings.shortlist_tokens
        if newcomers is None:
            return _within(trie, items[:0], items, None, most)[0]
        known = newcomers.known[items]
        plan, kept = _within(trie, items[:0], items[known], newcomers, most)
        if known.all():
            return plan
        most = len(plan.tree_token) + max(1, most // _SHARE)
        both, _ = _within(trie, kept, items[~known], newcomers, most)
        return both.counting_for_known(plan)

    def candidates(self, prompt: str, n: int) -> list[Candidate]:
        """The ``n`` likeliest titles of the catalog, best first; namesakes share one."""
        logprobs, ids, titles = self.logprobs(prompt), self._item_store.ids, self._titles()
        rows: dict[str, list[int]] = {}
        for row, item_id in enumerate(ids):
            rows.setdefault(titles[item_id], []).append(row)
        total = {t: float(np.logaddexp.reduce(logprobs[own])) for t, own in rows.items()}
        best = sorted(total, key=lambda t: (-total[t], t))[:n]
        return [
            Candidate(
                text=title,
                logprob=min(0.0, total[title]),
                strategy="catalog",
                item_ids=tuple(ids[r] for r in rows[title]),
            )
            for title in best
        ]

    def write(
        self,
        prompt: str,
        n: int,
        decoding: DecodingConfig | None = None,
        seed: int = 0,
        rows: Ints | None = None,
    ) -> Sequence[Candidate]:
        """Up to ``n`` titles as they are written, best first, of the catalog or not.

        Several threads may write at a time if the generator's ``concurrency`` allows it.

        Args:
            prompt: as rendered.
            n: how many.
            decoding: how.
            seed: of drawing.
            rows: the only items whose titles may be written; ``None``: any text may.
        """
        from coldstart.schema import DecodingConfig

        config, choices = replace(decoding or DecodingConfig(), n=n), None
        if rows is not None:
            titles, ids = self._titles(), self._item_store.ids
            choices = list(dict.fromkeys(titles[ids[row]] for row in rows.tolist()))
            if not choices:
                return []
        return self.generator.write(prompt, self.lm.lines, config, seed, choices)[:n]

    def _titles(self) -> dict[str, str]:
        """The title of every item as the model reads it."""
        return self._trie.titles(self._item_store.catalog)

    def _sync(self) -> TitleTrie:
        before, trie = self._trie.version, self._trie.follow(self._item_store.catalog)
        if self._trie.version != before:
            self._kept_prior = self._known_trie = self._kept_unconditional = None
        return trie

    def _prior(self) -> tuple[Mass, Floats]:
        """Prior mass of all items in the order of the trie, and its log share by catalog row.

        Summed up once per change.
        """
        from coldstart.generation.trie.mass import Mass

        likes = self._item_store.likes
        if self._kept_prior is None or self._kept_prior[0] is not likes:
            newcomers = self._trie.trie.newcomers(self._item_store.met[self._trie.row])
            mass = Mass((likes + PRIOR_COUNT)[self._trie.row], newcomers)
            self._kept_prior = likes, (mass, mass.log_share[self._trie.position])
        return self._kept_prior[1]


def _within(
    trie: TitleTrie, fixed: Ints, items: Ints, newcomers: Newcomers | None, most: int
) -> tuple[TriePlan, Ints]:
    """Plan towards fixed items and as many of the first others as a budget of tokens allows.

    Returns:
        The plan, at least towards one of the others, and the fixed items with these others.
    """
    plan = trie.towards(kept := np.concatenate([fixed, items]), newcomers)
    while len(plan.tree_token) > most and len(items) > 1:
        items = items[: max(1, len(items) * most // len(plan.tree_token))]
        plan = trie.towards(kept := np.concatenate([fixed, items]), newcomers)
    return plan, kept
