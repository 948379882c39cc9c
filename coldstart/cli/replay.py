"""``coldstart replay``: recommend, observe, learn, recommend again; and what if tastes move?"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from coldstart.cli import output
from coldstart.cli.options import command_line, whole_numbers, with_groups
from coldstart.cli.source import DataSource
from coldstart.errors import ConfigError

if TYPE_CHECKING:
    from coldstart.evaluation.prequential.run import Groups

_ASKED, _SHIFT = "What is asked", "Interest shift"
_DEFAULT = "popularity,item_knn_prior,coldstart_prior"


def _asked(help: str, **more: Any) -> Any:
    return typer.Option(help=help, rich_help_panel=_ASKED, **more)


def _shift(help: str, **more: Any) -> Any:
    return typer.Option(help=help, rich_help_panel=_SHIFT, **more)


@with_groups
def replay(
    source: DataSource,
    systems: Annotated[str, _asked("Names, as in benchmark.", metavar="NAME,NAME,…")] = _DEFAULT,
    folds: Annotated[int, _asked("Parts the users are cut into.", min=2)] = 5,
    only: Annotated[str, _asked("Replay the test users of these folds.", metavar="N,N,…")] = "0",
    sample: Annotated[
        int | None, _asked("Replay so many of a fold's test users; all if left out.", min=2)
    ] = None,
    steps: Annotated[
        str, _asked("Show a list after so many observed picks.", metavar="N,N,…")
    ] = "0,1,2,3,5,10,15,20",
    soon: Annotated[int, _asked("“Soon” is among so many next likes.", min=1)] = 10,
    window: Annotated[int, _asked("Users in one window of arrivals.", min=1)] = 40,
    refresh: Annotated[int, _asked("Live counts are used anew after so many likes.", min=1)] = 500,
    retrain: Annotated[
        bool, _asked("Also train anew half-way: what does it add to live counts?")
    ] = False,
    shift: Annotated[bool, _shift("Measure how fast lists follow moving interests.")] = True,
    before: Annotated[int, _shift("Likes before the shift.", min=1)] = 10,
    after: Annotated[int, _shift("Likes after it, at least as many.", min=1)] = 15,
    half_life: Annotated[
        str, _shift("Half-lives of a pick, in picks, against no decay.", metavar="H,H,…")
    ] = "5",
    share: Annotated[float, _shift("Recovered: this share of the level without a shift.")] = 0.9,
    groups: Annotated[
        str | None,
        _shift("Two groups of categories; found in the likes if left out.", metavar="A,B/C,D"),
    ] = None,
    seed: Annotated[int, _asked("Of folds, systems and the bootstrap.", min=0)] = 0,
    out: Annotated[
        Path | None,
        typer.Option(help="Write PATH.md, PATH.html and PATH.json.", metavar="PATH"),
    ] = None,
    as_json: output.AsJson = False,
) -> None:
    r"""Play back held-out users' likes in time order: recommend, observe, learn, recommend.

    Every system is replayed with frozen knowledge and with counts that learn from each like. Then
    likes are reordered so that users move from one group of genres to another, and the observations
    are counted until lists are as good as without the shift, with and without decaying picks.

    [bold]Examples[/bold]
      coldstart replay --data ml-100k --systems popularity,item_knn_prior
      coldstart replay --data ml-100k --retrain --half-life 3,5,10 --out results/replay
      coldstart replay --data ml-small --sample 40 --steps 0,5,20 --no-shift
      coldstart replay --data ml-100k --groups "Action,Sci-Fi,Thriller/Drama,Romance"
    """
    from coldstart.evaluation.baselines.selection import choose
    from coldstart.evaluation.prequential.interest_shift import ShiftPlan
    from coldstart.evaluation.prequential.replay import ReplayPlan
    from coldstart.evaluation.prequential.run import ReplayOptions, run
    from coldstart.evaluation.prequential.summarise import make_replay_report
    from coldstart.splitting.folds import user_folds

    said = {n: v for n, v in locals().items() if n in _OPTIONS}
    names = [n.strip() for n in systems.split(",") if n.strip()]
    picked = [s.name for s in choose(names, seed=seed, note=output.note)]
    plan = ReplayPlan(whole_numbers("--steps", steps), soon=soon)
    moved = ShiftPlan(before, after, tuple(n for n in _SHIFT_STEPS if n <= after))
    if not 0 < share <= 1:
        raise ConfigError(f"--share {share}", hint="above 0, up to 1, such as 0.9")
    options = ReplayOptions(
        plan,
        moved if shift else None,
        _numbers("--half-life", half_life),
        _groups(groups),
        refresh,
        retrain,
        seed,
    )
    chosen = whole_numbers("--only", only)
    with output.status("reading the data"):
        data = source.dataset()
    splits = user_folds(data.likes, folds, seed)
    if chosen[-1] >= folds:
        raise ConfigError(f"no fold {chosen[-1]}", hint=f"folds are 0 to {folds - 1}")
    parts = [splits[n] for n in chosen]
    if sample is not None:
        parts = [replace(s, test=s.test[:sample]) for s in parts]
    with output.telling() as tell:
        found = run(
            data,
            parts,
            picked,
            options,
            note=output.note,
            report=tell,
        )
    with output.status("drawing intervals"):
        command = command_line("replay", source.said() | said)
        made = make_replay_report(found, options, data, command, window=window, share=share)
    if out:
        output.note(f"wrote {', '.join(map(str, made.save(out)))}")
    if as_json:
        return output.emit(made.to_dict())
    for table in made.tables()[: 1 + bool(made.staleness) + 2 * bool(made.shifted)]:
        shown = output.table(*table.columns, right=table.columns[1:], title=table.title)
        for row in table.rows:
            shown.add_row(*(cell.split(" ± ")[0] for cell in row))  # intervals are in the files
        output.stdout().print(shown)


_OPTIONS = (
    "systems", "folds", "only", "sample", "steps", "soon", "window", "refresh", "retrain", "shift",
    "before", "after", "half_life", "share", "groups", "seed", "out",
)  # fmt: skip
_SHIFT_STEPS = (0, 1, 2, 3, 5, 7, 10, 15, 20, 30, 50)


def _numbers(option: str, text: str) -> tuple[float, ...]:
    try:
        return tuple(float(n) for n in text.split(","))
    except ValueError:
        raise ConfigError(f"{option} {text!r}", hint="numbers above 0, such as 3,5") from None


def _groups(text: str | None) -> Groups | None:
    if text is None:
        return None
    parts = [frozenset(n.strip() for n in p.split(",") if n.strip()) for p in text.split("/")]
    if len(parts) != 2 or not all(parts):
        raise ConfigError(f"--groups {text!r}", hint='two groups, such as "Action,Sci-Fi/Drama"')
    return parts[0], parts[1]
