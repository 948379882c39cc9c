"""A recommender of three films, for commands that need not load one."""

from __future__ import annotations

from coldstart.catalog.catalog import Catalog
from coldstart.errors import ModelError
from coldstart.schema import (
    Candidate,
    Dropped,
    Grounding,
    Item,
    Match,
    Provenance,
    Recommendation,
    RecommendationList,
)

ITEMS = [
    Item(item_id="1", title="Toy Story", year=1995, categories=("Animation",)),
    Item(item_id="2", title="[REC]", year=2007, categories=("Horror", "Sci-Fi")),
    Item(item_id="3", title="Fargo"),
]


class FakeRecommender:
    """Answers with the whole catalog, and remembers what it was asked."""

    calls: list[dict] = []
    loaded: list[tuple] = []

    def __init__(self):
        self.catalog = Catalog(ITEMS)

    @classmethod
    def from_pretrained(cls, path, *, device="auto", dtype="auto", revision=None, generator=None):
        cls.loaded.append((path, device, dtype, revision))
        if path == "broken":
            raise ModelError("cannot load\nit\x1b[31m", hint="mend it")
        if path == "bug":
            raise KeyError("oops")
        if path == "slow":
            raise KeyboardInterrupt
        return cls()

    def recommend(self, profile, context=None, **options):
        self.calls.append({"profile": profile, "context": context, **options})
        parts = {"popularity": 0.25, "model": -0.5, "words": 0.0}
        return RecommendationList(
            items=tuple(
                Recommendation(
                    rank=rank,
                    item_id=item.item_id,
                    title=item.title,
                    year=item.year,
                    score=1 / rank,
                    reason="popular",
                    provenance=Provenance(
                        strategy=options["strategy"],
                        logprob=float("-inf"),
                        matched_by="trie",
                        contributions=parts,
                    ),
                )
                for rank, item in enumerate(self.catalog, start=1)
            )[: options["k"]],
            k=options["k"],
            strategy=options["strategy"],
            dropped=(Dropped(item_id="9", title="Alien", filter="known", detail="already seen"),),
            dropped_counts={"known": 1},
            notes=("prompt trimmed",),
            prompt="Favourite [movies]:\n",
        )

    def generate(self, profile, context=None, **options):
        self.calls.append({"profile": profile, "context": context, **options})
        strategy = options["strategy"]
        texts = ["Toy Story", "Zzz"]
        return [Candidate(text=t, logprob=-1.5, strategy=strategy) for t in texts]

    def ground(self, candidates):
        first, second = candidates
        return [
            Grounding(
                candidate=first, matches=(Match(item_id="1", similarity=1.0),), method="exact"
            ),
            Grounding(candidate=second, method="abstained"),
        ]
