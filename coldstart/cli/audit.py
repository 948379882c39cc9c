"""``coldstart audit``: what an evaluation table hides about a trained recommender."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from coldstart.cli import output
from coldstart.cli.artifact import Artifact, Revision, folder_of
from coldstart.cli.options import command_line, with_groups
from coldstart.cli.train import Tables
from coldstart.errors import ConfigError

if TYPE_CHECKING:
    from coldstart.evaluation.audits.report import Result

AUDITS = ("counterfactual", "wordings", "memory", "ledger")


@with_groups
def audit(
    artifact: Artifact,
    tables: Tables,
    only: Annotated[
        str | None,
        typer.Option(
            help=f"Some of {', '.join(AUDITS)}; all if left out.",
            metavar="NAME,NAME,…",
        ),
    ] = None,
    sample: Annotated[
        int, typer.Option(help="Held-out users to ask about, drawn by --seed.", min=2)
    ] = 30,
    seed: Annotated[
        int, typer.Option(help="Of users, changed values, sampling and the bootstrap.", min=0)
    ] = 0,
    wording: Annotated[
        list[Path] | None,
        typer.Option(help="Also ask in this template's words; repeatable.", metavar="FOLDER"),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Write PATH.md and PATH.json as well.", metavar="PATH")
    ] = None,
    revision: Revision = None,
    as_json: output.AsJson = False,
) -> None:
    r"""Ask what moves a recommender's lists, what its model knew before, and what it makes up.

    counterfactual: gender, age band or occupation of held-out users is changed; how alike are the
    lists? wordings: the same statements in other words. memory: which titles the base model,
    without the adapter, knows by heart. ledger: which titles free writing invents. The held-out
    users are those of the artifact's split.json, without picks and with three.

    [bold]Examples[/bold]
      coldstart audit adapters/ml-100k --out audit
      coldstart audit adapters/ml-100k --only counterfactual,ledger --sample 10
      coldstart audit adapters/ml-100k --only wordings --wording my-prompt/
      coldstart audit adapters/films --items films.csv --interactions ratings.csv
    """
    chosen = _chosen(only)
    if wording and "wordings" not in chosen:
        raise ConfigError(
            "--wording without the audit wordings", hint="leave --only out, or add it"
        )
    from coldstart import Recommender, prompts
    from coldstart.evaluation.audits.auditor import Auditor, held_out, training_people
    from coldstart.evaluation.audits.report import PACKAGES, AuditReport
    from coldstart.evaluation.report import made_with
    from coldstart.splitting.user_splits import Split

    more = [prompts.load(folder) for folder in wording or []]
    with output.status("loading the recommender"):
        folder = folder_of(artifact, revision)
        recommender = Recommender.from_pretrained(folder)
        split = Split.load(tables.split or folder / "split.json")
        trained = recommender.manifest.get("data", {})
        said = tables.said()
        data, _ = tables.or_that_of(recommender.manifest).load(seed)
        if trained.get("fingerprint") not in (None, data.fingerprint):
            output.note("the likes, or their order, are not those that the artifact was trained on")
        cases = held_out(data, split, sample, seed)
    auditor = Auditor(recommender, cases, training_people(data, split), more, seed)
    results: dict[str, Result] = {}
    with output.telling() as tell:
        for name in chosen:
            results[name] = auditor.run(name, tell)
    said |= {"only": only, "sample": sample, "seed": seed, "wording": wording, "out": out}
    said |= {"revision": revision}
    asked = {c.user for c in cases}
    about = {
        "artifact": str(recommender.manifest.get("name", Path(artifact).name)),
        "command": command_line(f"audit {shlex.quote(artifact)}", said),
        "data": f"{data.name} {data.fingerprint[:12]}, {len(recommender.catalog)} items",
        "users": f"{len(asked)} of {len(split.test)} held out",
        "base model": str(recommender.manifest["base"]["name"]),
        "prompt": f"{recommender.template.name} {recommender.template.sha256[:12]}",
    }
    made = AuditReport(results, about | made_with(PACKAGES))
    if out:
        output.note(f"wrote {', '.join(map(str, made.save(out)))}")
    for line in made.left_out:
        output.note(f"left out: {line}")
    if as_json:
        return output.emit(made.to_dict())
    output.verbatim("\n".join(table.markdown() for table in made.tables()))


def _chosen(only: str | None) -> list[str]:
    names = list(AUDITS) if only is None else [n.strip() for n in only.split(",") if n.strip()]
    unknown = [n for n in names if n not in AUDITS]
    if unknown or not names:
        what = f"no audit {unknown[0]!r}" if unknown else f"--only {only!r} names no audit"
        raise ConfigError(what, hint=f"some of {', '.join(AUDITS)}")
    return [n for n in AUDITS if n in names]
