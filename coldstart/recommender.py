"""The façade: named constructors, ``recommend``, the single stages, saving and sharing."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack, overload

from coldstart.catalog.catalog import Catalog
from coldstart.catalog.item_store import ItemStore
from coldstart.interactions.interaction_stats import Counts
from coldstart.pipeline.observed import LearnsFromLikes
from coldstart.pipeline.parts import Part, Parts
from coldstart.pipeline.pipeline import Pipeline
from coldstart.pipeline.recommends_rows import RecommendsRows
from coldstart.pipeline.request import RecommendKeywords, RecommendOptions, RecommendRequest
from coldstart.pipeline.saving import save_recommender
from coldstart.pipeline.single_stages import SingleStages
from coldstart.prompts import PromptTemplate
from coldstart.protocols import Encoder, Filter, Index, TextGenerator
from coldstart.ranking.filters import default_filters
from coldstart.ranking.ranker import BlendRanker
from coldstart.ranking.request_blend import EVEN
from coldstart.runtime.models import DEFAULT_LM
from coldstart.schema import (
    Context,
    RecommendationList,
    Strategy,
    Understood,
    UserProfile,
)
from coldstart.scoring.scorers import Scorers
from coldstart.settings import Settings

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from coldstart.generation.models.causal import CausalLM
    from coldstart.schema import DecodingConfig

    Floats = NDArray[np.float64]
    Reading = Understood | Mapping[str, Any]


class Recommender(LearnsFromLikes, RecommendsRows, SingleStages):
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
        made = cls(**vars(parts))
        report("reading the words", 0, 1)
        made.prepare()
        report("reading the words", 1, 1)
        return made

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

    def prepare(self) -> None:
        """Build now what the first request would build, in as many milliseconds as items.

        That is the vocabulary of the catalog, an index of its words, and beyond
        ``Settings.pool_from`` items one of its vectors. A service does so when it starts.

        Raises:
            CatalogError: the catalog is empty.
        """
        words = next((item.title for item in self.catalog), "")
        self.recommend([{"about": words}, {}], k=1, strategy="prior")

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
        words: float = EVEN,
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
            words: 0 (only the taste: picks, profile, popularity) to 1 (only what the texts say);
                0.5: both as they were learned. What the texts reject is never shown. Without texts
                it changes nothing.
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
            words=words,
        )
        alone = isinstance(profile, UserProfile | Mapping)
        users = [
            self._resolve(each, context, unknown_picks, understood)
            for each in ([profile] if alone else profile)
        ]
        requests = [RecommendRequest(user, options, decoding, seed) for user in users]
        made = self.pipeline.all(requests)
        return made[0] if alone else made
