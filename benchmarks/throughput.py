"""Users per second and memory: one after another, in batches, and in several processes.

    python benchmarks/throughput.py --artifact adapters/ml-100k --users 64

With ``--ctranslate2`` its int8 engine writes ten titles for the same users in batches, in the same
run (``pip install ctranslate2``). With ``--joint`` the question is another one: how much faster the
language model reads several users' prompts in one pass, as the service does, than one by one.

    python benchmarks/throughput.py --joint --users 16 --rounds 20
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from results import Report, command_line, memory, table

from coldstart import Recommender, UserProfile
from coldstart.data.named import NAMED
from coldstart.evaluation.cases import support_cases
from coldstart.pipeline.request import RecommendOptions
from coldstart.ranking.filters import default_filters
from coldstart.runtime.hardware import one_blas_thread
from coldstart.scoring.language_model import LanguageModelScorer
from coldstart.scoring.scorer import ScoreRequest
from coldstart.splitting.user_splits import Split
from coldstart.testing.probes import prompt_of, shortlist_of

BATCHES = (1, 8, 32, 128)
TOGETHER = (2, 4, 8, 16)
TITLES, LONGEST = 10, 24
APART = ("users/s", *(f"batch {n}" for n in BATCHES), "peak MB")
JOINT = ("users together", "users/s one by one", "users/s in one pass", "ratio", "from", "to")
Row = list[float | str]


def rate(answer: Callable[[list[UserProfile]], object], people: list[UserProfile]) -> list[float]:
    """Users per second at each batch size."""
    out = []
    for size in BATCHES:
        batch = (people * (size // len(people) + 1))[:size]
        rounds = max(1, len(people) // size)
        answer(batch[:1])
        start = time.perf_counter()
        for _ in range(rounds):
            answer(batch)
        out.append(rounds * size / (time.perf_counter() - start))
    return out


def ctranslate2(recommender: Recommender, folder: Path) -> Callable[[list[UserProfile]], object]:
    """Ten sampled titles for each user of a batch, int8; nothing is looked up."""
    import ctranslate2 as ct2

    lm = recommender.lm
    lm.model.save_pretrained(folder / "hf")
    lm.tokenizer.save_pretrained(folder / "hf")
    ct2.converters.TransformersConverter(str(folder / "hf")).convert(str(folder / "ct2"))
    cores = len(os.sched_getaffinity(0))
    generator = ct2.Generator(str(folder / "ct2"), compute_type="int8", intra_threads=cores)
    end = lm.tokenizer.convert_ids_to_tokens(lm.lines.end[-1])

    def answer(people: list[UserProfile]) -> object:
        prompts = [prompt_of(recommender, recommender.resolve(p)) for p in people]
        tokens = [lm.tokenizer.convert_ids_to_tokens(lm.lines.encode(p)) for p in prompts]
        return generator.generate_batch(
            tokens,
            max_length=LONGEST,
            num_hypotheses=TITLES,
            sampling_topk=0,
            end_token=end,
            include_prompt_in_result=False,
        )

    return answer


def joint(recommender: Recommender, people: list[UserProfile], rounds: int) -> list[Row]:
    """How long the model's part of a list takes alone, and how much less in one pass.

    Whatever else the machine does slows neighbours alike: each ratio is of two measurements in
    turn, the one that goes first changing, and half of the ratios lie between the last two columns.
    """
    options = RecommendOptions(filters=tuple(default_filters()))
    users = [recommender.resolve(p) for p in people]
    items = recommender.item_store
    asked = [ScoreRequest(u, items, shortlist_of(recommender, u, options)) for u in users]
    scorer = next(s for s in recommender.scorers if isinstance(s, LanguageModelScorer))

    def score(some: list[ScoreRequest]) -> None:
        scorer.score(some)

    def seconds(some: list[ScoreRequest], size: int) -> float:
        start = time.perf_counter()
        for n in range(0, len(some), size):
            score(some[n : n + size])
        return time.perf_counter() - start

    rows = []
    with one_blas_thread():
        score(asked)
        for size in TOGETHER:
            alone, together = [], []
            for n in range(rounds):
                some = [asked[(n * size + m) % len(asked)] for m in range(size)]
                first = [(alone, 1), (together, size)]
                for where, at_once in first if n % 2 else reversed(first):
                    where.append(seconds(some, at_once))
            low, middle, high = np.quantile(np.divide(alone, together), [0.25, 0.5, 0.75])
            figures = [*(size / np.median(x) for x in (alone, together)), middle, low, high]
            rows.append([size, *(round(float(x), 2) for x in figures)])
    return rows


def apart(recommender: Recommender, people: list[UserProfile], with_ctranslate2: bool) -> list[Row]:
    """Users per second at each batch size by each strategy, and by CTranslate2 if asked for."""
    rows = []

    def measure(name: str, answer: Callable[[list[UserProfile]], object]) -> None:
        found = [round(x, 1) for x in rate(answer, people)]
        rows.append([name, *found, round(memory("VmHWM"))])

    for strategy in ("prior", "catalog"):
        measure(
            f"coldstart, {strategy}", lambda p, s=strategy: recommender.recommend(p, strategy=s)
        )
    if with_ctranslate2:
        with tempfile.TemporaryDirectory(prefix="coldstart-") as folder:
            measure("CTranslate2 int8, ten titles", ctranslate2(recommender, Path(folder)))
    return rows


def main() -> None:
    """Measure every strategy at every batch size, or one pass for several against one for each."""
    parser = command_line(__doc__)
    parser.add_argument("--artifact", default="adapters/ml-100k")
    parser.add_argument("--users", type=int, default=64)
    parser.add_argument("--ctranslate2", action="store_true")
    parser.add_argument("--joint", action="store_true", help="one pass for several users")
    parser.add_argument("--rounds", type=int, default=20, help="of --joint")
    options = parser.parse_args()
    report = Report("Throughput", "numpy", "torch")
    recommender = Recommender.from_pretrained(options.artifact)
    data = NAMED[recommender.manifest["data"]["name"]].load()
    test = Split.load(Path(options.artifact, "split.json")).test
    people = [c.profile for c in support_cases(data, test, [3]).cases[: options.users]]
    if options.joint:
        head, rows = JOINT, joint(recommender, people, options.rounds)
    else:
        head, rows = APART, apart(recommender, people, options.ctranslate2)
    figures = [dict(zip(head, row, strict=True)) for row in rows]
    report.publish(options.out, [table(head, rows)], {"rows": figures})


if __name__ == "__main__":
    main()
