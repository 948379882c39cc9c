"""``coldstart recommend``, and the options of loading a recommender."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.text import Text

from coldstart.cli import output
from coldstart.cli.artifact import Revision
from coldstart.cli.options import with_groups
from coldstart.cli.profiles import ProfileOptions, read_requests
from coldstart.errors import ConfigError
from coldstart.protocols import Filter
from coldstart.ranking.filters import Categories, Years, default_filters, make_filter
from coldstart.schema import (
    DecodingConfig,
    PickReading,
    Provenance,
    RecommendationList,
    Strategy,
)
from coldstart.understanding.summary import summary

if TYPE_CHECKING:
    from coldstart.catalog.catalog import Catalog
    from coldstart.generation.remote.vllm import GeneratorOptions
    from coldstart.recommender import Recommender

ANSWER, _FILTERS, _MODEL = "The answer", "Filters", "The model"
_MOST_DROPPED = 5
_WORTH_SAYING = 0.01  # of a score; smaller parts would only fill the line
_RANKED = ("#", "Year", "Score")
_EXPLAINED = ("#", "log p", "Score")


@dataclass(frozen=True)
class Model:
    """Options of the artifact, the device and the title generator."""

    artifact: Annotated[
        str,
        typer.Option(
            envvar="COLDSTART_ARTIFACT",
            help="A trained recommender's folder, or org/name on the Hugging Face Hub.",
            metavar="FOLDER|ORG/NAME",
            rich_help_panel=_MODEL,
        ),
    ] = "adapters/movies"
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.", rich_help_panel=_MODEL)] = "auto"
    dtype: Annotated[
        str, typer.Option(help="auto, float32 or bfloat16.", rich_help_panel=_MODEL)
    ] = "auto"

    revision: Revision = None
    generator: Annotated[
        str | None,
        typer.Option(
            help="vLLM server that generates the titles of free, instead of the local language "
            "model; its key is read from COLDSTART_GENERATOR_KEY.",
            metavar="URL",
            rich_help_panel=_MODEL,
        ),
    ] = None
    generator_model: Annotated[
        str | None,
        typer.Option(
            help="Name of the base model on the server; by default its only one.",
            metavar="NAME",
            rich_help_panel=_MODEL,
        ),
    ] = None
    generator_adapter: Annotated[
        str | None,
        typer.Option(
            help="Name of the artifact's adapter on the server; with =FOLDER (on its disk), it is "
            "loaded if needed.",
            metavar="NAME[=FOLDER]",
            rich_help_panel=_MODEL,
        ),
    ] = None

    def load(self) -> Recommender:
        """Load the recommender; takes some seconds."""
        served = self.served()
        with output.status(f"loading {self.artifact} …"):
            from coldstart.recommender import Recommender

            return Recommender.from_pretrained(
                self.artifact,
                device=self.device,
                dtype=self.dtype,
                revision=self.revision,
                generator=served.open() if served else None,
            )

    def served(self) -> GeneratorOptions | None:
        """Options of the remote title generator, if there is one."""
        if self.generator is None:
            if self.generator_model is not None or self.generator_adapter is not None:
                raise ConfigError("a generator's model or adapter, but no --generator URL")
            return None
        from coldstart.generation.remote.vllm import GeneratorOptions

        return GeneratorOptions(self.generator, self.generator_model, self.generator_adapter)


@dataclass(frozen=True)
class Keep:
    """Options of the item filters."""

    include_category: Annotated[
        list[str] | None,
        typer.Option(
            help="Only items of this category. [dim]Repeatable: any of them.[/dim]",
            rich_help_panel=_FILTERS,
        ),
    ] = None
    exclude_category: Annotated[
        list[str] | None,
        typer.Option(
            help="No items of this category. [dim]Repeatable.[/dim]", rich_help_panel=_FILTERS
        ),
    ] = None
    from_year: Annotated[
        int | None, typer.Option(help="First year allowed.", rich_help_panel=_FILTERS)
    ] = None
    to_year: Annotated[
        int | None, typer.Option(help="Last year allowed.", rich_help_panel=_FILTERS)
    ] = None
    filter: Annotated[
        list[str] | None,
        typer.Option(
            help="A filter by name, its arguments as a JSON object: age-rating, attributes, "
            "available, categories, known, price, years, or one of an installed package. "
            "[dim]Repeatable: all of them.[/dim]",
            metavar="NAME[=JSON]",
            rich_help_panel=_FILTERS,
        ),
    ] = None

    def filters(self) -> list[Filter] | None:
        """The default filters and those of the options; ``None`` without such options."""
        more: list[Filter] = []
        if self.include_category or self.exclude_category:
            more.append(Categories(self.include_category or (), self.exclude_category or ()))
        if self.from_year is not None or self.to_year is not None:
            more.append(Years(self.from_year, self.to_year))
        more += map(read_filter, self.filter or ())
        return [*default_filters(), *more] if more else None

    def check(self, catalog: Catalog) -> None:
        """Reject categories and attributes without items, most likely misspelled."""
        from coldstart.ranking.filter_names import unknown_names

        for what, hint in unknown_names(self.filters() or (), catalog):
            raise ConfigError(what, hint)


def read_filter(text: str) -> Filter:
    """Read ``NAME`` or ``NAME=JSON``.

    >>> read_filter('years={"first": 1980}').first
    1980

    Raises:
        ConfigError: an unknown name, no JSON object, or arguments that do not fit.
    """
    name, given, arguments = text.partition("=")
    try:
        values = json.loads(arguments) if given else {}
    except ValueError as e:
        raise ConfigError(
            f"--filter {name}: {arguments!r} is no JSON ({e})",
            hint="""such as --filter 'price={"max": 20}', in quotes""",
        ) from None
    if not isinstance(values, dict):
        raise ConfigError(
            f"--filter {name}: {arguments!r} is no JSON object",
            hint="""name the arguments, such as --filter 'price={"max": 20}'""",
        )
    return make_filter(name.strip(), values)


Choices = Annotated[
    Literal["shortlist"] | None,
    typer.Option(
        help="Restrict free to titles of the user's shortlist, which are all in the catalog.",
        rich_help_panel=ANSWER,
    ),
]
Seed = Annotated[int, typer.Option(min=0, help="Same seed, same answer.", rich_help_panel=ANSWER)]


@with_groups
def recommend(
    flags: ProfileOptions,
    model: Model,
    keep: Keep,
    k: Annotated[
        int, typer.Option("-k", "--k", min=1, max=1000, help="Items.", rich_help_panel=ANSWER)
    ] = 10,
    strategy: Annotated[
        Strategy,
        typer.Option(
            help="catalog: the language model scores catalog titles; free: it writes titles, which "
            "are grounded in the catalog; both; prior: without the language model.",
            rich_help_panel=ANSWER,
        ),
    ] = "catalog",
    diversity: Annotated[
        float,
        typer.Option(
            min=0,
            max=1,
            help="0: by score alone; 1: maximum diversity.",
            rich_help_panel=ANSWER,
        ),
    ] = 0.0,
    popularity_penalty: Annotated[
        float,
        typer.Option(
            min=0,
            max=10,
            help="1 cancels popularity among the best 200 items; 0 leaves it.",
            rich_help_panel=ANSWER,
        ),
    ] = 0.0,
    words: Annotated[
        float,
        typer.Option(
            min=0,
            max=1,
            help="0: only picks, profile and popularity; 1: only what the texts say.",
            rich_help_panel=ANSWER,
        ),
    ] = 0.5,
    near_duplicates: Annotated[
        bool,
        typer.Option(
            "--near-duplicates",
            help="Keep near-duplicates of other titles and of picks.",
            rich_help_panel=ANSWER,
        ),
    ] = False,
    strict: Annotated[
        bool,
        typer.Option(
            "--strict/--no-strict",
            help="What the text demands decides what is shown and what comes first; with "
            "--no-strict it is one signal among others.",
            rich_help_panel=ANSWER,
        ),
    ] = True,
    choices: Choices = None,
    seed: Seed = 0,
    reasons_in: Annotated[
        str,
        typer.Option(
            help="Language of the reasons: en (English) or zh (Chinese). The language of the user "
            "is --language.",
            metavar="en|zh",
            rich_help_panel=ANSWER,
        ),
    ] = "en",
    explain: Annotated[
        bool,
        typer.Option(
            "--explain",
            help="Also print the contributions to each score, and the prompt (--json always does).",
            rich_help_panel=ANSWER,
        ),
    ] = False,
    as_json: output.AsJson = False,
) -> None:
    """Recommend items to a new user.

    All options of the user are optional.

    [bold]Examples[/bold]
      coldstart recommend --about "an animated movie for my five year old"
      coldstart recommend --about "something like Alien, but less scary" --explain
      coldstart recommend --sentences examples/sentences.txt
      coldstart recommend --liked "Toy Story" --liked "Babe" --from-year 1980 -k 5
      coldstart recommend --interest Sci-Fi --reasons-in zh
      coldstart recommend --filter 'price={"max": 20}' --filter 'age-rating={"assume_age": 12}'
      coldstart recommend --profile users.jsonl --json
      echo '{"age": 31, "liked": "Fargo"}' | coldstart recommend --profile -
      coldstart recommend --strategy free --generator http://gpu:8000 --generator-adapter movies
    """
    from coldstart.ranking.wording.sentences import check_language, in_language

    users, filters = read_requests(flags), keep.filters()
    check_language(reasons_in)
    decoding = None
    if choices is not None:
        if strategy not in ("free", "both"):
            raise ConfigError(f"--choices has no meaning for {strategy}", "add --strategy free")

        decoding = DecodingConfig(choices=choices)
    rec = model.load()
    keep.check(rec.catalog)
    results = [
        in_language(
            rec.recommend(
                request.profile,
                request.context,
                k=k,
                strategy=strategy,
                filters=filters,
                diversity=diversity,
                popularity_penalty=popularity_penalty,
                words=words,
                near_duplicates=near_duplicates,
                unknown_picks=flags.unknown_picks,
                decoding=decoding,
                seed=seed,
                strict=strict,
            ),
            reasons_in,
        )
        for request in output.track(users.requests, "users")
    ]
    if as_json:
        answers = [
            {"user_id": request.profile.user_id, **result.to_dict()}
            for request, result in zip(users.requests, results, strict=True)
        ]
        return output.emit(answers if users.is_list else answers[0])
    for place, result in enumerate(results):
        _show(result, users.name(place))
        if explain:
            _explain(result)


def _show(result: RecommendationList, name: str | None) -> None:
    if name is not None:
        output.stdout().print(Text(name, style="bold"))
    if result.understood.text or result.understood.pieces:
        output.dim(summary(result.understood))
    for line in read_picks(result.picks):
        output.dim(line)
    table = output.table("#", "Title", "Year", "Score", "Why", right=_RANKED)
    for r in result:
        table.add_row(str(r.rank), r.title, str(r.year or ""), f"{r.score:.3f}", r.reason)
    output.stdout().print(table)
    for dropped in result.dropped[:_MOST_DROPPED]:
        output.dim(f"left out: {dropped.title} – {dropped.detail}")
    counts = ", ".join(f"{name} {n}" for name, n in result.dropped_counts.items())
    if len(result.dropped) > _MOST_DROPPED:
        output.dim(f"left out in all: {counts}")
    if result.abstained:
        output.dim(f"{result.abstained} of {result.generated} written titles matched no item")
    for text in result.notes:
        output.dim(f"note: {text}")


def read_picks(picks: Sequence[PickReading]) -> list[str]:
    """How typed picks were read, one line for each field."""
    lines: dict[str, list[str]] = {}
    for pick in picks:
        year = f" ({pick.year})" if pick.year is not None else ""
        by = f", id {pick.item_id}" if pick.by == "id" else ""
        note = f", {pick.note}" if pick.note else ""
        lines.setdefault(pick.field, []).append(f"{pick.title}{year}{by}{note}")
    return [f"{field}: {'; '.join(found)}" for field, found in lines.items()]


def _explain(result: RecommendationList) -> None:
    if result.understood.text or result.understood.pieces:
        output.dim(summary(result.understood))
    table = output.table("#", "Title", "Found by", "log p", "Score", "Made of", right=_EXPLAINED)
    for r in result:
        parts = sorted(r.provenance.contributions.items(), key=lambda part: -abs(part[1]))
        logprob = r.provenance.logprob
        table.add_row(
            str(r.rank),
            r.title,
            _found_by(r.provenance),
            "" if logprob is None else f"{logprob:.2f}",
            f"{r.score:.3f}",
            ", ".join(
                f"{name} {value:+.2f}" for name, value in parts if abs(value) >= _WORTH_SAYING
            ),
        )
    output.stdout().print(table)
    if result.prompt is not None:
        output.dim("The prompt:")
        output.verbatim(result.prompt.rstrip("\n") + "\n")


def _found_by(provenance: Provenance) -> str:
    if provenance.matched_by == "similarity" and provenance.similarity is not None:
        return f"“{provenance.generated_text}” {provenance.similarity:.2f}"
    return {"trie": "catalog", "exact": "title"}.get(provenance.matched_by or "", "prior")
