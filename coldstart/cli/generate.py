"""``coldstart generate``: candidate titles of the language model, and their grounding."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from coldstart.cli import output
from coldstart.cli.options import with_groups
from coldstart.cli.profiles import ProfileOptions, read_requests
from coldstart.cli.recommend import ANSWER, Choices, Model, Seed
from coldstart.errors import ConfigError
from coldstart.schema import DecodingConfig, Grounding

if TYPE_CHECKING:
    from coldstart.catalog.catalog import Catalog

_NUMBERS = ("#", "log p", "Id", "Similarity")


@with_groups
def generate(
    flags: ProfileOptions,
    model: Model,
    n: Annotated[
        int, typer.Option("-n", "--n", min=1, help="Number of titles.", rich_help_panel=ANSWER)
    ] = 10,
    strategy: Annotated[
        Literal["catalog", "free"],
        typer.Option(
            help="catalog: only titles that exist; free: whatever the model writes.",
            rich_help_panel=ANSWER,
        ),
    ] = "catalog",
    mode: Annotated[
        Literal["sample", "beam", "diverse"] | None,
        typer.Option(help="Decoding of free titles.", rich_help_panel=ANSWER),
    ] = None,
    temperature: Annotated[
        float | None,
        typer.Option(help="Of free sampling: lower is more conservative.", rich_help_panel=ANSWER),
    ] = None,
    top_p: Annotated[
        float | None,
        typer.Option(help="Of free sampling: probability mass kept.", rich_help_panel=ANSWER),
    ] = None,
    choices: Choices = None,
    seed: Seed = 0,
    as_json: output.AsJson = False,
) -> None:
    """Generate candidate titles with the language model, before filtering and ranking.

    Each is shown with its log-probability and the catalog items it is grounded to.

    [bold]Examples[/bold]
      coldstart generate --age 24 --liked "Toy Story"
      coldstart generate --strategy free --mode diverse -n 20 --interest Western
      coldstart generate --strategy free --temperature 0.7 --age 31 --json
    """
    chosen = {"mode": mode, "temperature": temperature, "top_p": top_p, "choices": choices}
    options: dict[str, Any] = {name: value for name, value in chosen.items() if value is not None}
    if options and strategy != "free":
        given = ", ".join(f"--{name.replace('_', '-')}" for name in options)
        raise ConfigError(f"{given} has no meaning for catalog titles", "add --strategy free")
    users = read_requests(flags)
    decoding = None
    if strategy == "free":
        if "mode" not in options and ("temperature" in options or "top_p" in options):
            options["mode"] = "sample"  # the only mode with a temperature and top-p
        decoding = DecodingConfig(n=n, **options)
    rec = model.load()
    results = []
    for request in output.track(users.requests, "users"):
        found = rec.generate(
            request.profile,
            request.context,
            n=n,
            strategy=strategy,
            decoding=decoding,
            unknown_picks=flags.unknown_picks,
            seed=seed,
        )
        results.append(rec.ground(found))
    if as_json:
        answers = [
            {"user_id": request.profile.user_id, **_plain(groundings, rec.catalog)}
            for request, groundings in zip(users.requests, results, strict=True)
        ]
        return output.emit(answers if users.is_list else answers[0])
    for place, groundings in enumerate(results):
        _show_groundings(groundings, rec.catalog, users.name(place))


def _plain(groundings: Sequence[Grounding], catalog: Catalog) -> dict[str, Any]:
    """Groundings as JSON-ready data, with the titles of the matched items."""
    rows = []
    for g in groundings:
        matches = [{**m.model_dump(), "title": catalog[m.item_id].title} for m in g.matches]
        candidate = g.candidate.model_dump(include={"text", "logprob", "strategy"})
        rows.append({**candidate, "method": g.method, "matches": matches})
    return {"candidates": rows, "abstained": sum(g.abstained for g in groundings)}


def _show_groundings(groundings: Sequence[Grounding], catalog: Catalog, name: str | None) -> None:
    columns = ("#", "Generated", "log p", "Item", "Id", "Similarity", "Found by")
    table = output.table(*columns, right=_NUMBERS, title=name)
    for number, g in enumerate(groundings, start=1):
        head = (str(number), g.candidate.text, f"{g.candidate.logprob:.2f}")
        if not g.matches:
            table.add_row(*head, "–", "", "", "nothing like it")
        for place, match in enumerate(g.matches):
            item = catalog[match.item_id]
            title = f"{item.title} ({item.year})" if item.year is not None else item.title
            found = (title, item.item_id, f"{match.similarity:.2f}", g.method)
            table.add_row(*(("", "", "") if place else head), *found)
    output.stdout().print(table)
