"""One new user after another: coldstart against the pipelines that people write by hand.

    python benchmarks/serving.py --users 20 --out docs/results/serving
    python benchmarks/serving.py --sentences --artifact adapters/movies \\
        --out docs/results/serving-sentences

With ``--sentences`` users say one of the packaged sentences instead of having picks, and the share
of what they see that fulfils it stands beside the speed. ``--dtype float32`` measures as on
processors without bfloat16 products.

Every system answers the same users in the same run, in three rounds of turns, so that a busy
machine slows all of them alike; look at the ratios. Each is in a process of its own, since idle
threads of one engine slow the others (after CTranslate2 has been used, coldstart takes 1.7 times as
long in the same process). Each uses the artifact's language model, its
adapter merged, and its prompt. Accuracy is beside speed: NDCG@10 on users nobody was trained on,
ten likes reserved.

- ``hf_sample``: ``generate`` with ten sampled titles, looked up by sentence-transformers.
- ``hf_beam``: beam search of ten titles held to the catalog by ``prefix_allowed_tokens_fn``.
- ``ct2_int8``, ``ct2_float32``: the first with CTranslate2 (``pip install ctranslate2``).
- ``coldstart``: ``recommend(strategy="catalog")``, and without the model, ``prior``.
"""

from __future__ import annotations

import multiprocessing
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from results import Report, command_line, table
from rich.progress import track

from coldstart import Recommender, UserProfile
from coldstart.data.named import NAMED
from coldstart.evaluation.cases import ColdCase, cut, support_cases
from coldstart.evaluation.sentences.sentence_file import (
    MOVIES,
    Sentence,
    fulfilling,
    read_sentences,
)
from coldstart.generation.trie.prompt_titles import prompt_titles
from coldstart.generation.trie.trie import TitleTrie
from coldstart.metrics.ranking_metrics import ndcg
from coldstart.runtime.hardware import use_all_cores
from coldstart.splitting.user_splits import Split

TITLES, LONGEST = 10, 24  # titles per user; tokens of the longest
ROUNDS = 3
Answer = Callable[[UserProfile, int], list[str]]


class ByHand:
    """The parts that every hand-written pipeline shares: prompt, title vectors, lookup."""

    def __init__(self, recommender: Recommender) -> None:
        self.ours, self.tokenizer = recommender, recommender.lm.tokenizer
        self.ids = recommender.catalog.ids
        self.vectors = recommender.encoder.encode([i.title for i in recommender.catalog])
        self.newline = list(recommender.lm.lines.end)

    def prompt(self, profile: UserProfile) -> list[int]:
        """Token ids of the artifact's prompt."""
        user = self.ours.resolve(profile)
        return self.ours.lm.lines.encode(self.ours.pipeline.resources.model.prompt(user).text)

    def lookup(self, texts: Sequence[str]) -> list[str]:
        """The nearest item of each written title, in order, each once."""
        titles = [t.split("\n")[0].strip() for t in texts]
        found = self.ours.encoder.encode([t or "?" for t in titles]) @ self.vectors.T
        return list(dict.fromkeys(self.ids[n] for n in found.argmax(axis=1)))


def hf_sample(hand: ByHand) -> Answer:
    """``generate`` with ten return sequences, then the nearest titles."""
    import torch

    model = hand.ours.lm.model

    def answer(profile: UserProfile, k: int) -> list[str]:
        prompt = hand.prompt(profile)
        torch.manual_seed(0)
        out = model.generate(
            torch.tensor([prompt]),
            attention_mask=torch.ones(1, len(prompt), dtype=torch.long),
            do_sample=True,
            num_return_sequences=TITLES,
            max_new_tokens=LONGEST,
            eos_token_id=hand.newline[-1],
            pad_token_id=hand.newline[-1],
        )
        return hand.lookup(hand.tokenizer.batch_decode(out[:, len(prompt) :]))[:k]

    return answer


def hf_beam(hand: ByHand) -> Answer:
    """Beam search over the catalog's titles, as ``prefix_allowed_tokens_fn`` allows it."""
    import torch

    ours = hand.ours
    surface = {i: ours.lm.lines.title(t) for i, t in prompt_titles(ours.catalog).items()}
    trie = TitleTrie(surface)
    of_title = {tokens: item for item, tokens in reversed(surface.items())}
    end = hand.newline[-1]

    def answer(profile: UserProfile, k: int) -> list[str]:
        prompt = hand.prompt(profile)

        def allowed(_: int, ids: torch.Tensor) -> list[int]:
            return list(trie.children(tuple(ids[len(prompt) :].tolist()))) or [end]

        out = ours.lm.model.generate(
            torch.tensor([prompt]),
            attention_mask=torch.ones(1, len(prompt), dtype=torch.long),
            do_sample=False,
            num_beams=TITLES,
            num_return_sequences=TITLES,
            max_new_tokens=LONGEST,
            prefix_allowed_tokens_fn=allowed,
            eos_token_id=end,
            pad_token_id=end,
        )
        titles = [tuple(row[: row.index(end) + 1]) for row in out[:, len(prompt) :].tolist()]
        return [of_title[t] for t in titles if t in of_title][:k]

    return answer


def ctranslate2(hand: ByHand, compute: str, folder: Path) -> Answer:
    """Ten sampled titles with CTranslate2, then the nearest titles."""
    import ctranslate2 as ct2

    model, tokenizer = hand.ours.lm.model, hand.tokenizer
    if not (folder / "ct2").exists():
        model.save_pretrained(folder / "hf")
        tokenizer.save_pretrained(folder / "hf")
        ct2.converters.TransformersConverter(str(folder / "hf")).convert(str(folder / "ct2"))
    cores = len(os.sched_getaffinity(0))
    generator = ct2.Generator(str(folder / "ct2"), compute_type=compute, intra_threads=cores)
    end = tokenizer.convert_ids_to_tokens(hand.newline[-1])

    def answer(profile: UserProfile, k: int) -> list[str]:
        tokens = tokenizer.convert_ids_to_tokens(hand.prompt(profile))
        ct2.set_random_seed(0)
        (found,) = generator.generate_batch(
            [tokens],
            max_length=LONGEST,
            num_hypotheses=TITLES,
            sampling_topk=0,
            end_token=end,
            include_prompt_in_result=False,
        )
        return hand.lookup(tokenizer.batch_decode(found.sequences_ids))[:k]

    return answer


def ours(recommender: Recommender, strategy: str) -> Answer:
    """The whole way through ``recommend``, reasons and provenance included."""
    return lambda profile, k: list(recommender.recommend(profile, k=k, strategy=strategy).item_ids)


SYSTEMS: dict[str, Callable[[Recommender, Path], Answer]] = {
    "coldstart catalog": lambda rec, folder: ours(rec, "catalog"),
    "coldstart prior": lambda rec, folder: ours(rec, "prior"),
    "hf_sample": lambda rec, folder: hf_sample(ByHand(rec)),
    "hf_beam": lambda rec, folder: hf_beam(ByHand(rec)),
    "ct2_int8": lambda rec, folder: ctranslate2(ByHand(rec), "int8", folder),
    "ct2_float32": lambda rec, folder: ctranslate2(ByHand(rec), "float32", folder),
}

_turn: list[Callable[[], list[float]]] = []  # what this process does when it is its turn


@dataclass(frozen=True)
class Asked:
    """What a run of the benchmark asks for."""

    artifact: str
    dtype: str
    users: int
    shots: int
    sentences: bool


Judge = Callable[[Answer], float]


def held_out(recommender: Recommender, asked: Asked) -> list[tuple[UserProfile, Judge]]:
    """Profiles of users nobody was trained on, and NDCG@10 of what they are shown."""
    data = NAMED[recommender.manifest["data"]["name"]].load()
    test = Split.load(Path(asked.artifact, "split.json")).test

    def judge(case: ColdCase) -> Judge:
        def gain(answer: Answer) -> float:  # what is reserved may not be shown: more is asked for
            shown = answer(case.profile, 10 + len(case.excluded))
            return ndcg(cut(shown, case.excluded, 10), case.targets, 10)

        return gain

    cases = support_cases(data, test, [asked.shots]).cases[: asked.users]
    return [(case.profile, judge(case)) for case in cases]


def in_words(recommender: Recommender, asked: Asked) -> list[tuple[UserProfile, Judge]]:
    """Profiles of a sentence each, and the share of what they are shown that fulfils it."""

    def judge(sentence: Sentence) -> Judge:
        def share(answer: Answer) -> float:
            shown = answer(UserProfile(about=sentence.sentence), 10)
            return len(fulfilling(sentence, recommender.catalog).intersection(shown)) / 10

        return share

    every = read_sentences(MOVIES)
    some = every[:: max(1, len(every) // asked.users)][: asked.users]
    return [(UserProfile(about=s.sentence), judge(s)) for s in some]


def prepare(name: str, asked: Asked, folder: str) -> list[float]:
    """Make a system in this process; returns how good its lists are, for every user."""
    use_all_cores()
    recommender = Recommender.from_pretrained(asked.artifact, dtype=asked.dtype)
    cases = (in_words if asked.sentences else held_out)(recommender, asked)
    answer = SYSTEMS[name](recommender, Path(folder))

    def timed() -> list[float]:
        waits = []
        answer(cases[-1][0], 10)  # threads of the process before come to rest
        for profile, _ in cases:
            start = time.perf_counter()
            answer(profile, 10)
            waits.append(time.perf_counter() - start)
        return waits

    _turn.append(timed)
    return [judge(answer) for _, judge in cases]


def turn() -> list[float]:
    """Seconds that each user waits."""
    return _turn[0]()


def main() -> None:
    """Time every system on every user, in turns."""
    parser = command_line(__doc__)
    parser.add_argument("--artifact", default="adapters/ml-100k")
    parser.add_argument("--users", type=int, default=20)
    parser.add_argument("--shots", type=int, default=3)
    parser.add_argument("--sentences", action="store_true")
    parser.add_argument("--dtype", default="auto")
    chosen = parser.parse_args()
    report = Report("One new user after another", "torch", "transformers")

    names = [*SYSTEMS]
    if find_spec("ctranslate2") is None:
        print("ct2_int8 and ct2_float32 are left out: pip install ctranslate2")
        names = [n for n in names if not n.startswith("ct2")]
    waits: dict[str, list[float]] = {name: [] for name in names}
    gains: dict[str, list[float]] = {}
    context = multiprocessing.get_context("spawn")
    asked = Asked(chosen.artifact, chosen.dtype, chosen.users, chosen.shots, chosen.sentences)
    measure = "obedience@10" if asked.sentences else "ndcg@10"
    pools = {name: ProcessPoolExecutor(1, context) for name in names}
    with tempfile.TemporaryDirectory(prefix="coldstart-") as folder, ExitStack() as running:
        for name in names:  # one after the other: each loads a model
            running.enter_context(pools[name])
            gains[name] = pools[name].submit(prepare, name, asked, folder).result()
        for _, name in track([(n, m) for n in range(ROUNDS) for m in names], description="turns"):
            waits[name] += pools[name].submit(turn).result()
    rows = [
        {
            "system": name,
            "p50": float(np.percentile(waits[name], 50)),
            "p95": float(np.percentile(waits[name], 95)),
            "ratio": float(
                np.percentile(waits[name], 50) / np.percentile(waits["coldstart catalog"], 50)
            ),
            measure: float(np.mean(gains[name])),
        }
        for name in names
    ]
    cells = [
        (r["system"], f"{1e3 * r['p50']:.0f}", f"{1e3 * r['p95']:.0f}")
        + (f"{r['ratio']:.1f}", f"{r[measure]:.3f}")
        for r in rows
    ]
    head = ["system", "p50, ms", "p95, ms", "p50 ÷ that of coldstart", measure]
    people = "sentences" if asked.sentences else f"held-out users, {asked.shots} picks"
    told = f"{asked.users} {people}, {ROUNDS} rounds; numbers: {asked.dtype}."
    report.publish(chosen.out, [told, table(head, cells)], {"rows": rows})


if __name__ == "__main__":
    main()
