"""Weights for catalogs without interactions: words against meaning against taste, on sentences.

    python benchmarks/from_nothing_weights.py --out docs/results/from-nothing-weights
    python benchmarks/from_nothing_weights.py --requests REDIAL --most 300

Obedience@10 of the blend in `coldstart/starting/weights.py` and of others on the shops' sentences:
those that name what they want, and those that only imply it; with what the rules read, and without.
With --requests, NDCG@10 on recorded requests in people's words, with nothing learned from any.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from results import Report, command_line, table

from coldstart import Recommender, prompts
from coldstart.artifacts.language_advice import encoder_for
from coldstart.artifacts.loading import make_encoder
from coldstart.catalog.catalog import Catalog
from coldstart.evaluation.sentences.obedience import encoder_alone, judge
from coldstart.evaluation.sentences.sentence_file import read_sentences
from coldstart.interactions.interaction_stats import Counts
from coldstart.ranking.ranker import BlendRanker
from coldstart.ranking.request_blend import RequestBlend
from coldstart.schema import Understood, UserProfile
from coldstart.starting.weights import REQUEST, REQUEST_TASTE, from_nothing_ranker, starting_state

ROOT = Path(__file__).parents[1]
FILES = {
    "named": (ROOT / "examples" / "shop.csv", "sentences-shop-dev.jsonl"),
    "implied": (ROOT / "examples" / "shop.csv", "sentences-shop-indirect.jsonl"),
    "Chinese": (ROOT / "tests" / "data" / "shop-zh.csv", "sentences-shop-zh-dev.jsonl"),
}
Pair = tuple[float, float]
OURS = "as shipped"
BLENDS: dict[str, tuple[Pair, Pair, Pair]] = {  # lexical, words, taste
    OURS: (REQUEST["lexical"], REQUEST["words"], REQUEST_TASTE),
    "lexical 8 : 1": ((4.0, 0.0), (0.5, 0.0), (0.3, 0.0)),
    "equal": ((2.0, 0.0), (2.0, 0.0), (0.1, 0.0)),
    "meaning alone": ((0.0, 0.0), (1.0, 0.0), (0.0, 0.0)),
    "words alone": ((4.0, 0.0), (0.0, 0.0), (0.0, 0.0)),
}


def started(catalog: Catalog) -> Recommender:
    """A recommender of a catalog, without a language model."""
    name = encoder_for(catalog)
    return Recommender(
        catalog,
        None,
        prompts.load("catalog-en"),
        Counts.fit(catalog.ids, {}, {}),
        make_encoder(name),
        from_nothing_ranker(0.0, name),
        adapter=starting_state(),
    )


def blended(recommender: Recommender, blend: tuple[Pair, Pair, Pair]) -> BlendRanker:
    """The shipped ranker with other weights of requests in words."""
    lexical, words, taste = blend
    requests = RequestBlend({**REQUEST, "lexical": lexical, "words": words}, taste)
    return BlendRanker({"prior": recommender.ranker.table("prior")}, requests={"prior": requests})


def obeyed(recommender: Recommender, file: str) -> dict[str, float]:
    """Obedience@10 by blend, with the rules and without."""
    systems: dict[str, Any] = {}
    for name, blend in BLENDS.items():
        ranker = blended(recommender, blend)
        for rules in (True, False):

            def shown(
                text: str, ranker: BlendRanker = ranker, rules: bool = rules
            ) -> Sequence[str]:
                recommender.ranker = ranker
                read = None if rules else Understood(text=text, wanted_text=text, language="en")
                profile = UserProfile(about=text)
                found = recommender.recommend(profile, strategy="prior", understood=read)
                return found.item_ids

            systems[name if rules else f"{name}, no rules"] = shown
    systems["encoder alone"] = encoder_alone(recommender.catalog, recommender.encoder)
    run = judge(systems, read_sentences(ROOT / "tests" / "data" / file), recommender.catalog)
    return {name: run.mean(name) for name in systems}


def on_requests(folder: str, most: int) -> dict[str, float]:
    """NDCG@10 by blend on validation requests, whose mentioned items are picks."""
    from coldstart.data.requests.load import load_request_log
    from coldstart.training.requests.blend import profile_of

    log = load_request_log(folder, exact_only=True)
    recommender = started(log.catalog)
    recommender.pipeline.sync()
    asked = [r for r in log.valid if r.targets and r.text.strip()]
    chosen = np.random.default_rng(0).permutation(len(asked))[:most]
    gains: dict[str, list[float]] = {name: [] for name in BLENDS}
    rankers = {name: blended(recommender, blend) for name, blend in BLENDS.items()}
    for n in chosen.tolist():
        user = recommender.resolve(profile_of(asked[n]))
        features, rows = recommender.features(user), recommender.item_store.rows
        hidden = [rows[m.item_id] for m in asked[n].mentioned if m.item_id in rows]
        targets = {rows[i] for i in asked[n].targets if i in rows}
        for name, ranker in rankers.items():
            weights = ranker.weights("prior", len(user.liked))
            scores = ranker.scores(features, weights, "prior")
            scores[hidden] = -np.inf
            best = np.argsort(-scores, kind="stable")[:10].tolist()
            gain = sum(1 / np.log2(at + 2) for at, row in enumerate(best) if row in targets)
            ideal = sum(1 / np.log2(at + 2) for at in range(min(10, len(targets))))
            gains[name].append(gain / ideal)
    return {name: float(np.mean(found)) for name, found in gains.items()}


def main() -> None:
    """Judge every blend on every set."""
    parser = command_line(__doc__)
    parser.add_argument("--requests", help="folder of recorded requests, such as ReDial's")
    parser.add_argument("--most", type=int, default=300, help="recorded requests")
    chosen = parser.parse_args()
    report = Report("Weights from nothing", "torch", "sentence-transformers")
    catalogs = {path: started(Catalog.load(path)) for path, _ in FILES.values()}
    found = {name: obeyed(catalogs[path], file) for name, (path, file) in FILES.items()}
    names = [*BLENDS, *(f"{name}, no rules" for name in BLENDS), "encoder alone"]
    rows = [[n, *(f"{found[file][n]:.3f}" for file in FILES)] for n in names]
    told = [
        "Obedience@10. “Named”: 40 sentences that say what they want; “implied”: 36 that do not; "
        "“Chinese”: 15 of the first kind on the Chinese shop, whose encoder knows letters only: "
        "there, the second row is as shipped.",
        table(["blend", *FILES], rows),
    ]
    figures: dict[str, Any] = {"obedience": found}
    if chosen.requests:
        figures["ndcg@10"] = on_requests(chosen.requests, chosen.most)
        cells = [[name, f"{value:.4f}"] for name, value in figures["ndcg@10"].items()]
        told += [
            f"NDCG@10 of {chosen.most} validation requests of ReDial, no likes and no popularity:",
            table(["blend", "NDCG@10"], cells),
        ]
    report.publish(chosen.out, told, figures)


if __name__ == "__main__":
    main()
