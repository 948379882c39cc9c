"""The façade that joins the stages: profile → prompt → titles → items → filters → ranking."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from coldstart.artifacts import format as artifacts
from coldstart.catalog.catalog import Catalog
from coldstart.catalog.item_store import ItemStore
from coldstart.errors import CatalogError, ConfigError
from coldstart.interactions.interaction_stats import Counts
from coldstart.pipeline.batching import Request, answer_all
from coldstart.pipeline.candidates import Pools
from coldstart.pipeline.pipeline import Listing
from coldstart.pipeline.response import AnswerOptions
from coldstart.profile.resolve import PickResolver, ResolvedProfile
from coldstart.prompts import PromptTemplate, Rendered
from coldstart.protocols import Encoder, Filter, Index, TextGenerator
from coldstart.ranking.filters import default_filters
from coldstart.ranking.ranker import BlendRanker
from coldstart.runtime.hardware import one_blas_thread
from coldstart.schema import (
    Candidate,
    Context,
    Grounding,
    RecommendationList,
    Strategy,
    UserProfile,
)
from coldstart.scoring.features import user_features
from coldstart.scoring.language_model import LanguageModelScorer
from coldstart.scoring.lm_signals import LMSignals, model_feature, reached, written_feature
from coldstart.settings import Settings

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from coldstart.generation.decoding.free import DecodingConfig
    from coldstart.generation.models.causal import CausalLM
    from coldstart.grounding.grounder import Grounder
    from coldstart.pipeline.pipeline import Steps

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]


class Recommender:
    """Recommends catalog items to people it has never seen.

    ``__init__`` takes finished parts; see ``from_pretrained`` for the usual way in.

    Args:
        catalog: what can be recommended; may change between calls.
        lm: the language model, or ``None`` for the ``prior`` strategy only.
        template: turns a profile into a prompt.
        counts: popularity, by whom, and what is liked together.
        encoder: turns texts into vectors.
        ranker: blends the signals.
        settings: how the model is used.
        manifest: what an artifact says about itself, kept for ``save_pretrained``.
        adapter: files of the LoRA adapter, kept for ``save_pretrained``.
        generator: writes titles in the place of ``lm``, which still judges them.
        index: finds titles by meaning; ``None``: one in memory.
    """

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
        generator: TextGenerator | None = None,
        index: Index | None = None,
    ) -> None:
        self.catalog, self.lm, self.template = catalog, lm, template
        self.generator, self.index = generator, index
        self.counts, self.encoder, self.ranker = counts, encoder, ranker
        self.settings = settings or Settings()
        self.manifest = dict(manifest or {})
        self.item_store = ItemStore(catalog, counts, encoder)
        self._adapter = dict(adapter or {})
        self._reader: LanguageModelScorer | None = None
        self._reader_of: tuple[CausalLM | None, TextGenerator | None] = None, None
        self._pools: Pools | None = None
        self._grounder: Grounder | None = None

    # -- loading and saving ---------------------------------------------------------------------

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
        index: Index | None = None,
    ) -> Recommender:
        """Load an artifact.

        Args:
            path: its folder, or ``org/name`` on the Hugging Face Hub; a folder wins.
            device: where the language model runs: ``auto``, ``cpu``, ``cuda``, …
            dtype: its number format; ``auto`` follows the hardware.
            catalog: recommend from this catalog instead of the artifact's.
            revision: branch, tag or commit on the hub.
            token: for a private repository; ``None``: that of ``hf auth login`` or ``HF_TOKEN``.
            generator: writes titles in the place of the language model, which is then loaded only
                when titles are to be judged (``catalog``, ``both``); see ``docs/gpu.md``.
            index: finds titles by meaning, such as ``PgVectorIndex`` for several processes;
                ``None``: one in memory.

        Raises:
            ArtifactError: missing, damaged, or made for another base model.
            ConfigError: a revision of a folder.
            FetchError: the artifact, its catalog or a packaged model could not be downloaded.
        """
        from coldstart.artifacts.hub import find
        from coldstart.artifacts.loading import load_pretrained

        folder = find(path, revision=revision, token=token)
        parts = load_pretrained(
            folder, device=device, dtype=dtype, catalog=catalog, defer_lm=generator is not None
        )
        return cls(**vars(parts), generator=generator, index=index)

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
        files: artifacts.Files = dict(self._adapter)
        manifest = {k: v for k, v in self.manifest.items() if k not in ("files", "format")}
        source = manifest.get("catalog", {})
        if source.get("source") is None or source.get("fingerprint") != self.catalog.fingerprint():
            lines = [item.model_dump_json() for item in self.catalog]
            files["catalog.jsonl"] = ("\n".join(lines) + "\n").encode()
            source = {"source": None}
        manifest["catalog"] = {
            **source,
            "items": len(self.catalog),
            "fingerprint": self.catalog.fingerprint(),
        }
        manifest["prompt"] = artifacts.prompt_manifest(self.template)
        manifest["settings"] = asdict(self.settings)
        files["prompt/template.j2"] = self.template.source.encode()
        files["counts.safetensors"] = artifacts.counts_to_bytes(self.counts)
        files["ranker.json"] = (json.dumps(self.ranker.to_dict(), indent=1) + "\n").encode()
        artifacts.save(Path(path), manifest, files)

    # -- the whole way --------------------------------------------------------------------------

    @overload
    def recommend(
        self,
        profile: UserProfile | Mapping[str, Any],
        context: Context | Mapping[str, Any] | None = None,
        *,
        k: int = ...,
        strategy: Strategy = ...,
        filters: Iterable[Filter] | None = ...,
        diversity: float = ...,
        popularity_penalty: float = ...,
        near_duplicates: bool = ...,
        unknown_picks: str = ...,
        decoding: DecodingConfig | None = ...,
        seed: int = 0,
    ) -> RecommendationList: ...
    @overload
    def recommend(
        self,
        profile: Sequence[UserProfile | Mapping[str, Any]],
        context: Context | Mapping[str, Any] | None = None,
        *,
        k: int = ...,
        strategy: Strategy = ...,
        filters: Iterable[Filter] | None = ...,
        diversity: float = ...,
        popularity_penalty: float = ...,
        near_duplicates: bool = ...,
        unknown_picks: str = ...,
        decoding: DecodingConfig | None = ...,
        seed: int = 0,
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
            popularity_penalty: subtracted per nat of log popularity; 0 leaves it, 1 cancels it.
            near_duplicates: show an item, too, whose title is nearly that of another one or of a
                pick: in a catalog of products these are often variants that people do buy.
            unknown_picks: ``error``, or ``ignore`` to go on without picks the catalog lacks.
            decoding: how ``free`` writes.
            seed: of free writing.

        Returns:
            The list of each user; a batch, whose prompts are read together, gives what the users
            would get one by one, but for the last bits of the scores.

        Raises:
            ProfileError: a malformed profile, or a pick that is not in the catalog.
            ConfigError: an option out of range.
            CatalogError: the catalog is empty.
        """
        chosen = tuple(default_filters() if filters is None else filters)
        options = AnswerOptions(
            k, strategy, chosen, diversity, popularity_penalty, near_duplicates=near_duplicates
        )
        if isinstance(profile, UserProfile | Mapping):
            user = self._request(profile, context, unknown_picks)
            return self.answer_to(user, options, decoding=decoding, seed=seed)
        users = [self._request(each, context, unknown_picks) for each in profile]
        return answer_all(self, [Request(user, options, decoding, seed) for user in users])

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
        """
        if strategy not in ("catalog", "free"):
            raise ConfigError(f"strategy is {strategy!r}", hint="generate takes catalog or free")
        if n < 1:
            raise ConfigError(f"n is {n}, expected at least 1")
        user = self._request(profile, context, unknown_picks)
        prompt = self.prompt(user).text
        if strategy == "free":
            rows = self.choosable(user, decoding)
            return list(self.reader.write(prompt, n, decoding, seed, rows))
        return self.reader.candidates(prompt, n)

    def ground(self, candidates: Sequence[Candidate | str]) -> list[Grounding]:
        """Look candidate titles up in the catalog: title → ids, or abstain."""
        as_candidates = [
            Candidate(text=c, logprob=0.0, strategy="free") if isinstance(c, str) else c
            for c in candidates
        ]
        return self.grounder.ground(as_candidates)

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
    ) -> RecommendationList:
        """Filter and rank only the items that ``groundings`` found, however they were generated."""
        user = self._request(profile, context, unknown_picks)
        chosen = tuple(default_filters() if filters is None else filters)
        found = LMSignals(
            written=written_feature(self.item_store, groundings),
            found=reached(groundings),
            groundings=tuple(groundings),
        )
        pool = frozenset(found.found or ())
        options = AnswerOptions(k, "free", chosen, diversity, popularity_penalty, pool)
        return self.answer(user, found, options)

    def answer_to(
        self,
        user: ResolvedProfile,
        options: AnswerOptions,
        *,
        decoding: DecodingConfig | None = None,
        seed: int = 0,
    ) -> RecommendationList:
        """``recommend`` to a resolved profile: the model judges the user's ``shortlist``."""

        def ask(strategy: Strategy, rows: Ints | None) -> LMSignals:
            if strategy == "free":
                rows = self.choosable(user, decoding, options)
            return self.lm_signals(user, strategy, rows=rows, decoding=decoding, seed=seed)

        return self.answer_by(user, options, ask)

    def answer_by(
        self,
        user: ResolvedProfile,
        options: AnswerOptions,
        ask: Callable[[Strategy, Ints | None], LMSignals],
    ) -> RecommendationList:
        """``answer_to``, the language model's evidence given by a function.

        Args:
            user: the resolved profile.
            options: what is asked for.
            ask: (``catalog`` or ``free``, rows of the shortlist) → evidence about the catalog.
        """
        steps = self.steps(user, options)
        with one_blas_thread():
            try:
                asked = next(steps)
                while True:
                    asked = steps.send(ask(*asked))
            except StopIteration as end:
                made: RecommendationList = end.value
                return made

    def steps(self, user: ResolvedProfile, options: AnswerOptions) -> Steps:
        """``answer_by`` that stops wherever the language model is needed; see ``Listing``."""
        return Listing(self, user, options).steps()

    def looked_at(self, user: ResolvedProfile, more: Iterable[str] = ()) -> ItemStore:
        """What is looked at for one user: the catalog, or a few thousand items of a large one.

        Args:
            user: the resolved profile.
            more: ids of items that are looked at in any case.
        """
        self.item_store.sync()
        if len(self.catalog) <= self.settings.pool_from:
            return self.item_store
        if self._pools is None:
            self._pools = Pools(self.item_store)
        rows = self._pools.rows(user, more)
        return self.item_store.part(rows, [*user.liked, *user.disliked])

    def shortlist(self, user: ResolvedProfile, options: AnswerOptions) -> Ints | None:
        """Catalog rows that the model is asked about, ``None`` for the whole catalog."""
        among = self.looked_at(user)
        features = self.features(user, item_store=among)
        return Listing(self, user, options).shortlist(features, among)

    def answer(
        self, user: ResolvedProfile, found: LMSignals, options: AnswerOptions
    ) -> RecommendationList:
        """Filter, rank and explain, given what the language model said of the whole catalog."""
        return Listing(self, user, options).finish(found)

    def resolve(
        self,
        profile: UserProfile | Mapping[str, Any],
        context: Context | Mapping[str, Any] | None = None,
        *,
        unknown_picks: str = "ignore",
    ) -> ResolvedProfile:
        """Turn picks into catalog ids; a title that several items have means the most liked one.

        Raises:
            ProfileError: with ``unknown_picks="error"``, naming the nearest title.
        """
        given, moment = UserProfile.parse(profile), Context.parse(context or {})
        return PickResolver(self.catalog, self.counts, unknown_picks).resolve(given, moment)

    def prompt(self, user: ResolvedProfile) -> Rendered:
        """The prompt of a resolved profile, within the token budget."""
        self.item_store.sync()
        return self.reader.prompt(user)

    def lm_signals(
        self,
        user: ResolvedProfile,
        strategy: Strategy,
        *,
        rows: Ints | None = None,
        decoding: DecodingConfig | None = None,
        seed: int = 0,
    ) -> LMSignals:
        """What the language model has to say about the catalog for one user.

        Args:
            user: the resolved profile.
            strategy: what it does: judge titles, write some, or both.
            rows: the items whose titles it judges; those of all others are given what can be told
                on the way. ``None``: all items.
            decoding: how it writes.
            seed: of free writing.
        """
        self.item_store.sync()
        if strategy == "prior":
            return LMSignals()
        prompt = self.prompt(user)
        out = LMSignals(prompt=prompt.text, notes=prompt.notes)
        if strategy in ("catalog", "both"):
            logprobs = self.reader.logprobs(prompt.text, rows)
            model = model_feature(self.item_store, logprobs, self.reader.log_prior())
            out = replace(out, logprobs=logprobs, model=model)
        if strategy in ("free", "both"):
            only = rows if decoding and decoding.choices else None
            if only is None:
                only = self.choosable(user, decoding)
            n = self.settings.written_titles
            out = self.written(out, self.reader.write(prompt.text, n, decoding, seed, only))
        return out

    def written(self, out: LMSignals, titles: Sequence[Candidate]) -> LMSignals:
        """``out``, and what written titles say: looked up in the catalog."""
        found = self.grounder.ground(titles)
        return replace(
            out,
            written=written_feature(self.item_store, found),
            found=reached(found),
            groundings=tuple(found),
        )

    def choosable(
        self,
        user: ResolvedProfile,
        decoding: DecodingConfig | None,
        options: AnswerOptions | None = None,
    ) -> Ints | None:
        """Catalog rows whose titles may be written, ``None`` if any text may.

        Args:
            user: the resolved profile.
            decoding: says whether there are any such.
            options: what is asked for; ``None``: ten items that pass the default filters.

        Raises:
            ConfigError: the artifact's settings leave the shortlist out.
        """
        if decoding is None or decoding.choices is None:
            return None
        from coldstart.generation.decoding.local import MOST_CHOICES

        options = options or AnswerOptions(10, "catalog", tuple(default_filters()))
        rows = self.shortlist(user, replace(options, strategy="catalog"))
        if rows is None:  # a small catalog, or a shortlist that is turned off
            rows = np.arange(len(self.catalog))
            if len(rows) > MOST_CHOICES:
                raise ConfigError(
                    "choices from the shortlist, but this artifact has none",
                    hint="its settings have shortlist 0; leave choices out",
                )
        return rows[:MOST_CHOICES]

    def features(
        self,
        user: ResolvedProfile,
        found: LMSignals | None = None,
        item_store: ItemStore | None = None,
    ) -> Floats:
        """The ranker's input for one user, shape (N, len(FEATURES)).

        Args:
            user: the resolved profile.
            found: what the language model said about the same items.
            item_store: what is looked at (``looked_at``); ``None``: the catalog, in row order.
        """
        self.item_store.sync()
        said = found or LMSignals()
        return user_features(item_store or self.item_store, user, said.model, said.written)

    @property
    def reader(self) -> LanguageModelScorer:
        """The language model at work on this catalog.

        Raises:
            ConfigError: there is no language model.
        """
        if self.lm is None:
            raise ConfigError(
                "this recommender has no language model", hint="use strategy='prior', or load one"
            )
        made_of = self.lm, self.generator
        if self._reader is None or self._reader_of != made_of:
            self._reader = LanguageModelScorer(
                self.lm, self.template, self.item_store, self.settings, self.generator
            )
            self._reader_of = made_of
        return self._reader

    @property
    def grounder(self) -> Grounder:
        """Looks titles up in the catalog."""
        if self._grounder is None:
            from coldstart.grounding.grounder import Grounder
            from coldstart.grounding.index.approximate import ApproximateIndex

            index = ApproximateIndex() if self.index is None else self.index
            self._grounder = Grounder(self.encoder, index)
        self._grounder.sync(self.catalog)
        return self._grounder

    # -- inside ---------------------------------------------------------------------------------

    def _request(self, profile: Any, context: Any, unknown_picks: str) -> ResolvedProfile:
        if not len(self.catalog):
            raise CatalogError("the catalog is empty", hint="add items: catalog.add(Item(…))")
        self.item_store.sync()
        return self.resolve(profile, context, unknown_picks=unknown_picks)
