"""Prompt-sensitivity audit: how lists change under paraphrased prompt templates.

An adapter is trained on one wording only. Sclar et al. (2024) find that the format of a prompt
alone moves the accuracy of untrained models widely; this measures it for ours. Wordings are made
here, for the audit; an artifact still refuses a template other than its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from jinja2 import Environment

from coldstart.errors import ConfigError, DataError
from coldstart.evaluation.audits.list_similarity import (
    DEPTH,
    MEASURES,
    TOP,
    MeanInterval,
    compare,
    mean_of,
)
from coldstart.evaluation.baselines.registry import baselines
from coldstart.evaluation.cases import ColdCase
from coldstart.evaluation.recommender_adapter import LoadedArtifact, prompt_text, with_template
from coldstart.metrics.ranking_metrics import ndcg
from coldstart.metrics.significance import Difference, paired_bootstrap
from coldstart.prompts import VARIABLES, PromptTemplate
from coldstart.protocols import Recommends
from coldstart.recommender import Recommender

OWN = "as trained"
FULL, ALONE = "coldstart, catalog", "language model alone"

Progress = Callable[[int, int], None]

_TEXTS = Path(__file__).parent / "rewordings"
_EMPTY = {"attributes": "{}", "interests": "[]", "disliked": "[]"}


@dataclass(frozen=True)
class Reworded:
    """Effect of one wording on one system.

    Args:
        system: its name.
        wording: its name; ``OWN`` is the wording the adapter was trained on.
        n_picks: number of picks.
        overlap: of the first 10 with those under the own wording, in [0, 1].
        rbo: rank-biased overlap with them, p = 0.9, in [0, 1].
        shift: places that the first 10 move, mean of the absolute values, 0 to ``DEPTH``.
        ndcg: NDCG@10.
        gain: NDCG@10 less that under the own wording; ``None`` for the own, or for one user.
    """

    system: str
    wording: str
    n_picks: int
    overlap: MeanInterval
    rbo: MeanInterval
    shift: MeanInterval
    ndcg: MeanInterval
    gain: Difference | None


@dataclass(frozen=True)
class Wordings:
    """Result of the prompt-sensitivity audit.

    Args:
        rows: by system, number of picks and wording.
        prompts: what the first user with picks looks like in each wording.
        left_out: what could not be tested, and why, one line each.
    """

    rows: tuple[Reworded, ...]
    prompts: Mapping[str, str]
    left_out: tuple[str, ...] = ()


def rewordings(template: PromptTemplate) -> tuple[list[PromptTemplate], list[str]]:
    """Paraphrases of a template, and notes on what is left out.

    ``capitals`` and ``dashes`` change only the letters around the values, in any language: upper
    case, and " -" for every colon. For English, ``labels``, ``sentence`` and ``task`` are new
    texts. None names a variable that the template does not.

    Args:
        template: the one a model was trained on.
    """
    out = [
        _variant(template, "capitals", _around_values(template.source, str.upper)),
        _variant(template, "dashes", _around_values(template.source, _dashes)),
    ]
    if not template.language.lower().startswith("en"):
        left = f"no paraphrases in {template.language!r}: only case and punctuation are changed"
        return _differing(template, out), [left]
    # What the own template does not say is unsaid here too, whatever the profile holds.
    silent = sorted(VARIABLES - template.variables - {"liked"})
    unsaid = [f"{{% set {name} = {_EMPTY.get(name, 'none')} %}}" for name in silent]
    things = "films" if template.domain == "movies" else "items"
    start = "\n".join([f'{{% set things = "{things}" %}}', *unsaid]) + "\n"
    for path in sorted(_TEXTS.glob("*.j2")):
        source = start + path.read_text(encoding="utf-8")
        out.append(_variant(template, path.stem, source))
    return _differing(template, out), []


def audit_wordings(
    recommender: Recommender,
    cases: Sequence[ColdCase],
    *,
    more: Sequence[PromptTemplate] = (),
    seed: int = 0,
    report: Progress | None = None,
) -> Wordings:
    """Compare the lists of the same users under several wordings.

    Args:
        recommender: with a language model.
        cases: held-out users, from ``cold_users``.
        more: wordings of one's own, which must use the same variables.
        seed: of the bootstrap.
        report: called with (done, total) after each case.

    Raises:
        ConfigError: a template of ``more`` uses other variables, or its name is taken.
        DataError: there is no case.
    """
    if not cases:
        raise DataError("there is no held-out user to ask about", hint="give a split with more")
    templates, left_out = rewordings(recommender.template)
    names = {OWN, *(t.name for t in templates)}
    for template in more:
        _check(template, recommender.template, names)
        names.add(template.name)
    asked = {OWN: recommender} | {
        t.name: with_template(recommender, t) for t in (*templates, *more)
    }
    # A user's evidence serves both systems of a wording.
    known = baselines(artifact=True)
    systems: dict[tuple[str, str], Recommends] = {}
    for wording, reader in asked.items():
        artifact = LoadedArtifact(partial(_same, reader), seed)
        for system, name in ((FULL, "coldstart_catalog"), (ALONE, "model_catalog")):
            systems[system, wording] = known[name].build(artifact)
    lists: dict[tuple[str, str, int], dict[str, list[str]]] = {}
    for done, case in enumerate(cases, start=1):
        for (system, wording), each in systems.items():
            ids = each.recommend(case.profile, k=DEPTH).item_ids
            lists.setdefault((system, wording, case.n_picks), {})[case.user] = ids
        if report:
            report(done, len(cases))
    targets = {(c.user, c.n_picks): c.targets for c in cases}
    rows = []
    for system in (FULL, ALONE):
        for n_picks in sorted({c.n_picks for c in cases}):
            own = lists[system, OWN, n_picks]
            for wording in asked:
                other = lists[system, wording, n_picks]
                rows.append(_row(system, wording, n_picks, own, other, targets, seed))
    shown = next((c for c in cases if c.n_picks), cases[0])
    prompts = {n: prompt_text(r, shown.profile) for n, r in asked.items()}
    return Wordings(tuple(rows), prompts, tuple(left_out))


def _same(recommender: Recommender) -> Recommender:
    return recommender


def _row(
    system: str,
    wording: str,
    n_picks: int,
    own: Mapping[str, list[str]],
    other: Mapping[str, list[str]],
    targets: Mapping[tuple[str, int], frozenset[str]],
    seed: int,
) -> Reworded:
    values = {u: compare(own[u], other[u]) for u in own}
    means = {m: mean_of({u: v[m] for u, v in values.items()}, seed) for m in MEASURES}
    before = {u: ndcg(own[u], targets[u, n_picks], TOP) for u in own}
    after = {u: ndcg(other[u], targets[u, n_picks], TOP) for u in own}
    compared = wording != OWN and len(own) > 1
    return Reworded(
        system,
        wording,
        n_picks,
        means["overlap"],
        means["rbo"],
        means["shift"],
        mean_of(after, seed),
        paired_bootstrap(after, before, seed) if compared else None,
    )


def _variant(template: PromptTemplate, name: str, source: str) -> PromptTemplate:
    return replace(template, name=name, source=source, description="", example={})


def _differing(
    template: PromptTemplate, variants: Sequence[PromptTemplate]
) -> list[PromptTemplate]:
    return [v for v in variants if v.sha256 != template.sha256]


def _around_values(source: str, change: Callable[[str], str]) -> str:
    """The template with its literal text changed, and no expression touched."""
    lexed = Environment(keep_trailing_newline=True).lex(source)
    return "".join(change(text) if kind == "data" else text for _, kind, text in lexed)


def _dashes(text: str) -> str:
    return text.replace(":", " -").replace("：", "——")


def _check(template: PromptTemplate, own: PromptTemplate, names: set[str]) -> None:
    if template.name in names:
        raise ConfigError(f"two wordings are named {template.name!r}", hint="rename the folder")
    if other := sorted(template.variables ^ own.variables):
        raise ConfigError(
            f"wording {template.name} and the artifact's template differ in {', '.join(other)}",
            hint="a rewording uses the same variables; give a template that does",
        )
