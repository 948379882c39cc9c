"""The façade: named constructors, ``recommend``, the single stages, saving and sharing."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack, overload

from coldstart.catalog.catalog import Catalog
from coldstart.catalog.item_store import ItemStore
from coldstart.errors import CatalogError, ConfigError
from coldstart.interactions.interaction_stats import Counts
from coldstart.pipeline.observed import LearnsFromLikes
from coldstart.pipeline.parts import Part, Parts
from coldstart.pipeline.pipeline import Pipeline
from coldstart.pipeline.request import RecommendKeywords, RecommendOptions, RecommendRequest
from coldstart.pipeline.saving import save_recommender
from coldstart.pipeline.usable_text import text_use
from coldstart.profile.attributes import attribute_notes
from coldstart.profile.resolve import PickResolver, ResolvedProfile
from coldstart.prompts import PromptTemplate
from coldstart.protocols import Encoder, Filter, Index, TextGenerator
from coldstart.ranking.filters import default_filters
from coldstart.ranking.ranker import BlendRanker
from coldstart.runtime.models import DEFAULT_LM
from coldstart.schema import (
    Candidate,
    Context,
    Grounding,
    RecommendationList,
    Strategy,
    Understood,
    UserProfile,
)
from coldstart.scoring.scorer import ScoreRequest, Scores
from coldstart.scoring.scorers import Scorers
from coldstart.settings import Settings

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from coldstart.generation.models.causal import CausalLM
    from coldstart.schema import DecodingConfig

    Floats = NDArray[np.float64]
    Reading = Understood | Mapping[str, Any]


class Recommender(LearnsFromLikes):
    """Generative, prompt-based recommender for cold-start users.

    ``__init__`` takes finished parts; ``from_catalog`` and ``from_pretrained`` are the ways in.

    Args:
        catalog: what can be recommended; may change between calls.
        lm: the language model, or ``None`` for the ``prior`` strategy only.
        template: turns a profile into a prompt.
        counts: interaction statistics of the training users.
        encoder: turns texts into vectors.
        ranker: blends the signals.
        settings: how the model is used.
        scorers: compute the signals; ``None``: the built-in ones, and plug-ins of which the ranker
            weighs a signal or ``adapter`` has files, which are loaded.
        manifest: of the artifact, kept for ``save_pretrained``.
        adapter: files of the LoRA adapter, kept for ``save_pretrained``.
        generator: writes titles in the place of ``lm``, which still scores them.
        index: of title vectors, to ground written titles; ``None``: one in memory.
        content_index: of content vectors, to select candidates from a large catalog; likewise.
        item_store: of the catalog, if it was made already.
    """

    catalog: Part[Catalog] = Part()
    lm: Part[CausalLM | None] = Part()
    generator: Part[TextGenerator | None] = Part()
    template: Part[PromptTemplate] = Part()
    encoder: Part[Encoder] = Part()
    item_store: Part[ItemStore] = Part()
    scorers: Part[Scorers] = Part()
    ranker: Part[BlendRanker] = Part()
    settings: Part[Settings] = Part()
    index: Part[Index | None] = Part()
    content_index: Part[Index | None] = Part()

    def __init__(
        self,
        catalog: Catalog,
        lm: CausalLM | None,
        template: PromptTemplate,
        counts: Counts,
        encoder: Encoder,
        ranker: BlendRanker,
        settings: Settings | None = None,
        *,
        manifest: Mapping[str, Any] | None = None,
        adapter: Mapping[str, bytes] | None = None,
        scorers: Scorers | None = None,
        generator: TextGenerator | None = None,
        index: Index | None = None,
        content_index: Index | None = None,
        item_store: ItemStore | None = None,
    ) -> None:
        self.counts = counts
        self.manifest, self._adapter = dict(manifest or {}), dict(adapter or {})
        self.parts = Parts(
            catalog=catalog,
            item_store=item_store or ItemStore(catalog, counts, encoder),
            lm=lm,
            generator=generator,
            template=template,
            encoder=encoder,
            index=index,
            content_index=content_index,
            scorers=scorers or Scorers.of_artifact(ranker.signals, self._adapter),
            ranker=ranker,
            settings=settings or Settings(),
        )
        self.pipeline = Pipeline(self.parts)

    # -- loading and saving ---------------------------------------------------------------------

    @classmethod
    def from_catalog(
        cls,
        items: Any,
        *,
        name: str = "shop",
        encoder: str | None = None,
        base: str = DEFAULT_LM,
        prompt: str | None = None,
        device: str = "auto",
        dtype: str = "auto",
        report: Callable[[str, int, int], None] = lambda what, done, total: None,
    ) -> Recommender:
        """Start from a catalog alone, without interactions or training.

        Args:
            items: a catalog, items, a frame, or the path of a table.
            name: of the artifact that ``save_pretrained`` writes.
            encoder: sentence encoder: packaged default, folder, hub id, or ``ngrams``; ``None``:
                the packaged one where it knows the catalog's script, else ``ngrams``.
            base: language model: packaged default, folder or hub id. It counts only where it helps
                on this catalog, which is measured (``starting.zero_shot``).
            prompt: template: packaged name or folder; ``None``: in the catalog's language.
            device: as for ``from_pretrained``.
            dtype: likewise.
            report: progress callback (what, done, total).

        Raises:
            CatalogError: invalid items, fewer than two, none available, or none with text.
            FetchError: a packaged model could not be downloaded.
        """
        from coldstart.starting.build import start_parts

        parts = start_parts(
            items,
            name=name,
            encoder=encoder,
            base=base,
            prompt=prompt,
            device=device,
            dtype=dtype,
            report=report,
        )
        return cls(**vars(parts))

    @classmethod
    def from_pretrained(
        cls,
        path: str | Path,
        *,
        device: str = "auto",
        dtype: str = "auto",
        catalog: Catalog | None = None,
        revision: str | None = None,
        token: str | None = None,
        generator: TextGenerator | None = None,
        index: Index | str | None = None,
        content_index: Index | str | None = None,
    ) -> Recommender:
        """Load an artifact.

        Args:
            path: its folder, or ``org/name`` on the Hugging Face Hub; a folder wins.
            device: where the language model runs: ``auto``, ``cpu``, ``cuda``, …
            dtype: its number format; ``auto`` follows the hardware.
            catalog: recommend from this catalog instead of the artifact's. Where it is of another
                domain, what the artifact learned is left out, with a warning in the log.
            revision: branch, tag or commit on the hub.
            token: for a private repository; ``None``: that of ``hf auth login`` or ``HF_TOKEN``.
            generator: writes titles in the place of the language model, which is then loaded only
                when titles are to be judged (``catalog``, ``both``); see ``docs/gpu.md``.
            index: of title vectors, such as ``PgVectorIndex`` for several processes, or the name of
                one that needs no options (see ``grounding.index.registry``), such as ``"faiss"``;
                ``None``: one in memory.
            content_index: of content vectors, searched for candidates where the catalog has more
                than ``Settings.pool_from`` items; likewise, and never the same one.

        Raises:
            ArtifactError: missing, damaged, or made for another base model.
            ConfigError: a revision of a folder, or an unknown index.
            FetchError: the artifact, its catalog or a packaged model could not be downloaded.
        """
        from coldstart.artifacts.hub import find
        from coldstart.artifacts.loading import load_pretrained
        from coldstart.grounding.index.registry import as_index
        from coldstart.starting.domain import fitted_to_domain

        titles, contents = as_index(index), as_index(content_index)
        folder = find(path, revision=revision, token=token)
        parts = load_pretrained(
            folder, device=device, dtype=dtype, catalog=catalog, defer_lm=generator is not None
        )
        if catalog is not None:
            parts = fitted_to_domain(parts, str(path))
        return cls(**vars(parts), generator=generator, index=titles, content_index=contents)

    def push_to_hub(
        self, repo: str, *, private: bool | None = None, token: str | None = None
    ) -> str:
        """Upload the artifact to ``org/name`` on the Hugging Face Hub; see ``hub.push``."""
        from coldstart.artifacts.hub import push

        with tempfile.TemporaryDirectory(prefix="coldstart-") as tmp:
            folder = Path(tmp, "artifact")
            self.save_pretrained(folder)
            return push(folder, repo, private=private, token=token)

    def save_pretrained(self, path: str | Path) -> None:
        """Write an artifact folder that ``from_pretrained`` reads; replaces it as a whole.

        A catalog that still is the one its source provides is named, not copied; any other is
        saved with the artifact.
        """
        save_recommender(Path(path), self.parts, self.counts, self.manifest, self._adapter)

    # -- the whole way --------------------------------------------------------------------------

    @overload
    def recommend(
        self,
        profile: UserProfile | Mapping[str, Any],
        context: Context | Mapping[str, Any] | None = None,
        **options: Unpack[RecommendKeywords],
    ) -> RecommendationList: ...
    @overload
    def recommend(
        self,
        profile: Sequence[UserProfile | Mapping[str, Any]],
        context: Context | Mapping[str, Any] | None = None,
        **options: Unpack[RecommendKeywords],
    ) -> list[RecommendationList]: ...
    def recommend(
        self,
        profile: Any,
        context: Context | Mapping[str, Any] | None = None,
        *,
        k: int = 10,
        strategy: Strategy = "catalog",
        filters: Iterable[Filter] | None = None,
        diversity: float = 0.0,
        popularity_penalty: float = 0.0,
        near_duplicates: bool = False,
        unknown_picks: str = "error",
        decoding: DecodingConfig | None = None,
        seed: int = 0,
        strict: bool = True,
        understood: Reading | None = None,
    ) -> RecommendationList | list[RecommendationList]:
        """Recommend ``k`` items to one user, or to each of a list of users.

        Args:
            profile: what the user told us, or a list of profiles.
            context: the moment.
            k: how many items, 1 to 1000. Fewer come back only if fewer are allowed, with a note.
            strategy: ``catalog`` scores every title of the catalog with the language model,
                ``free`` lets it write titles and looks them up, ``both`` uses both, ``prior``
                leaves it out.
            filters: what may not be shown; ``None`` for ``default_filters()``.
            diversity: 0 (best first) to 1 (as different as possible), by MMR.
            popularity_penalty: subtracted per nat of log popularity among the best 200 items; 0
                leaves it, 1 cancels it.
            near_duplicates: show an item, too, whose title is nearly that of another one or of a
                pick: in a catalog of products these are often variants that people do buy.
            unknown_picks: ``error``, or ``ignore`` to go on without picks the catalog lacks.
            decoding: how ``free`` writes.
            seed: of free writing.
            strict: whether what the texts demand ("no horror", "from the 1950s", "westerns")
                decides what may be shown and what comes first; ``False``: it is one signal among
                others.
            understood: a reading to use instead of that of the texts, such as ``understood`` of an
                earlier list, changed; of every user in a batch.

        Returns:
            The list of each user; a batch, whose prompts are read together, gives what the users
            would get one by one, but for the last bits of the scores.

        Raises:
            ProfileError: a malformed profile, or a pick that is not in the catalog.
            ConfigError: an option out of range.
            CatalogError: the catalog is empty.
        """
        chosen = tuple(default_filters() if filters is None else filters)
        options = RecommendOptions(
            k,
            strategy,
            chosen,
            diversity,
            popularity_penalty,
            near_duplicates=near_duplicates,
            strict=strict,
        )
        alone = isinstance(profile, UserProfile | Mapping)
        users = [
            self._resolve(each, context, unknown_picks, understood)
            for each in ([profile] if alone else profile)
        ]
        requests = [RecommendRequest(user, options, decoding, seed) for user in users]
        made = self.pipeline.all(requests)
        return made[0] if alone else made

    # -- the stages by themselves ---------------------------------------------------------------

    def generate(
        self,
        profile: UserProfile | Mapping[str, Any],
        context: Context | Mapping[str, Any] | None = None,
        *,
        n: int = 10,
        strategy: Strategy = "catalog",
        decoding: DecodingConfig | None = None,
        unknown_picks: str = "error",
        seed: int = 0,
        strict: bool = True,
        understood: Reading | None = None,
    ) -> list[Candidate]:
        """Candidate titles of one user, best first, without grounding, filters or ranking.

        Args:
            profile: what the user told us.
            context: the moment.
            n: how many candidates at most.
            strategy: ``catalog`` (the likeliest titles of the catalog) or ``free`` (as written).
            decoding: how ``free`` writes; its ``n`` gives way to this ``n``.
            unknown_picks: ``error`` or ``ignore``.
            seed: of free writing.
            strict: as for ``recommend``; it counts where titles are chosen from a shortlist.
            understood: likewise.
        """
        if strategy not in ("catalog", "free"):
            raise ConfigError(f"strategy is {strategy!r}", hint="generate takes catalog or free")
        if n < 1:
            raise ConfigError(f"n is {n}, expected at least 1")
        user = self._resolve(profile, context, unknown_picks, understood)
        options = RecommendOptions(
            strategy=strategy, filters=tuple(default_filters()), strict=strict
        )
        return self.pipeline.generate(RecommendRequest(user, options, decoding, seed), n)

    def ground(self, candidates: Sequence[Candidate | str]) -> list[Grounding]:
        """Look candidate titles up in the catalog: title → ids, or abstain."""
        as_candidates = [
            Candidate(text=c, logprob=0.0, strategy="free") if isinstance(c, str) else c
            for c in candidates
        ]
        return self.pipeline.resources.grounder.ground(as_candidates)

    def rank(
        self,
        profile: UserProfile | Mapping[str, Any],
        groundings: Sequence[Grounding],
        context: Context | Mapping[str, Any] | None = None,
        *,
        k: int = 10,
        filters: Iterable[Filter] | None = None,
        diversity: float = 0.0,
        popularity_penalty: float = 0.0,
        unknown_picks: str = "error",
        strict: bool = True,
        understood: Reading | None = None,
    ) -> RecommendationList:
        """Filter and rank only the items that ``groundings`` found, however they were generated."""
        user = self._resolve(profile, context, unknown_picks, understood)
        chosen = tuple(default_filters() if filters is None else filters)
        only = frozenset(m.item_id for g in groundings for m in g.matches)
        options = RecommendOptions(
            k, "free", chosen, diversity, popularity_penalty, only, strict=strict
        )
        return self.pipeline.rank_grounded(RecommendRequest(user, options), groundings)

    def features(self, user: ResolvedProfile, scores: Iterable[Scores] = ()) -> Floats:
        """The ranker's input over the whole catalog.

        Args:
            user: the resolved profile.
            scores: of scorers of other scopes, such as language models, over the whole catalog.

        Returns:
            Shape (N, len(SIGNALS)), rows in catalog order, columns in that of ``SIGNALS``. Signals
            of the text are 0 where nothing of it can be used, those of a model where it does not
            know the script, as in lists.
        """
        self.pipeline.sync()
        (made,) = self.scorers.features([ScoreRequest(user, self.item_store)], [scores])
        unknown = self.pipeline.score.known_scripts.unknown(user)
        return text_use(user, self.item_store, made, unknown).features

    def resolve(
        self,
        profile: UserProfile | Mapping[str, Any],
        context: Context | Mapping[str, Any] | None = None,
        *,
        unknown_picks: str = "ignore",
        understood: Reading | None = None,
    ) -> ResolvedProfile:
        """Turn picks into catalog ids, and read the texts.

        A title that several items have means the most liked one; a text that is the title of one
        item and the id of another is refused, or read as the other picks are (``ignore``).

        Args:
            profile: what the user told us.
            context: the moment.
            unknown_picks: ``error`` or ``ignore``.
            understood: a reading to use instead of that of the texts.

        Raises:
            ProfileError: with ``unknown_picks="error"``, an unknown or ambiguous pick or a misspelt
                interest, naming the nearest title or category; or a malformed reading.
        """
        given, moment = UserProfile.parse(profile), Context.parse(context or {})
        user = PickResolver(self.catalog, self.counts, unknown_picks).resolve(given, moment)
        stage = self.pipeline.understand
        notes = attribute_notes(given, self.counts.group_sizes)
        notes += stage.interest_notes(given, unknown_picks) if understood is None else []
        if notes:
            user = replace(user, notes=(*user.notes, *notes))
        read = stage.understand(given, moment, understood)
        if read == Understood():
            return user
        return replace(user, understood=read, reading_given=understood is not None)

    def _resolve(
        self, profile: Any, context: Any, unknown_picks: str, understood: Reading | None
    ) -> ResolvedProfile:
        if not len(self.catalog):
            raise CatalogError("the catalog is empty", hint="add items: catalog.add(Item(…))")
        return self.resolve(profile, context, unknown_picks=unknown_picks, understood=understood)
