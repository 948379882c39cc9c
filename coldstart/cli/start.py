"""``coldstart start``: a recommender from a catalog alone, as an artifact or at once as a page."""

from __future__ import annotations

import os
import sys
import tempfile
import threading
import time
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from coldstart.cli import output
from coldstart.cli.database import need, open_store
from coldstart.cli.options import in_options
from coldstart.cli.source import column_pairs
from coldstart.errors import ConfigError
from coldstart.runtime.models import DEFAULT_ENCODER, DEFAULT_LM

if TYPE_CHECKING:
    from coldstart.catalog.catalog import Catalog
    from coldstart.recommender import Recommender

_TABLE, _MODELS, _PAGE = "The table", "The models", "The page"
_SHOWN = 10  # items of the opening list


def _table(help: str, **more: Any) -> Any:
    return typer.Option(help=help, rich_help_panel=_TABLE, **more)


def start(
    items: Annotated[
        Path, typer.Argument(help="CSV, TSV, Parquet or JSON lines of items.", metavar="ITEMS")
    ],
    out: Annotated[
        Path | None, typer.Option(help="Write an artifact folder.", metavar="FOLDER")
    ] = None,
    open_page: Annotated[
        bool, typer.Option("--open", help="Open a page on the catalog, until Ctrl-C.")
    ] = False,
    columns: Annotated[
        str | None,
        _table(
            "Columns that are not recognised by name, such as item_id=sku,title=label,"
            "popularity=sold; year= for none.",
            metavar="FIELD=COLUMN,…",
        ),
    ] = None,
    encoding: Annotated[
        str | None, _table("Of a text file, such as latin-1; recognised if left out.")
    ] = None,
    separator: Annotated[
        str | None, _table("Between fields of a text file; recognised if left out.")
    ] = None,
    quotes: Annotated[
        Literal["auto", "csv", "literal"],
        _table('What " means in a text file; literal: a character.'),
    ] = "auto",
    encoder: Annotated[
        str | None,
        typer.Option(
            help="Sentence encoder: packaged default, folder, hub id, or ngrams for none "
            f"[default: {DEFAULT_ENCODER}, or ngrams where it does not know the script]",
            rich_help_panel=_MODELS,
        ),
    ] = None,
    base: Annotated[
        str,
        typer.Option(
            help="Language model: packaged default, folder or hub id; it counts only where it "
            "helps on this catalog.",
            rich_help_panel=_MODELS,
        ),
    ] = DEFAULT_LM,
    prompt: Annotated[
        str | None,
        typer.Option(
            help="Prompt template: packaged name or folder; by default in the catalog's language.",
            rich_help_panel=_MODELS,
        ),
    ] = None,
    device: Annotated[
        str, typer.Option(help="auto, cpu or cuda.", rich_help_panel=_MODELS)
    ] = "auto",
    dtype: Annotated[
        str, typer.Option(help="auto, float32 or bfloat16.", rich_help_panel=_MODELS)
    ] = "auto",
    port: Annotated[
        int,
        typer.Option(
            min=0, max=65535, help="With --open; 0 for any free one.", rich_help_panel=_PAGE
        ),
    ] = 8000,
    db: Annotated[
        str | None,
        typer.Option(
            help="With --open: database that keeps the visits, to learn from later; by default "
            "they are forgotten at the end.",
            metavar="FILE|URL",
            rich_help_panel=_PAGE,
        ),
    ] = None,
    browser: Annotated[
        bool, typer.Option(help="With --open: show it in the browser.", rich_help_panel=_PAGE)
    ] = True,
    as_json: output.AsJson = False,
) -> None:
    """Start from a catalog alone: no interactions, no training, about a minute for 10,000 items.

    Says what it reads in the table, in which language, and what is missing. Lists follow what
    requests say, what picks are like, and the catalog's own sales or votes; the language model
    counts where it finds items of this catalog by their descriptions better than the rest does.

    [bold]Examples[/bold]
      coldstart start examples/shop.csv --open
      coldstart start products.csv --out shop/
      coldstart start products.csv --out shop/ --open --db visits.db
      coldstart start sklad.csv --columns item_id=kod,title=nazev,popularity=prodano
    """
    if not open_page:
        alone = {"--db": db, "--no-browser": None if browser else True}
        if given := [name for name, value in alone.items() if value is not None]:
            raise ConfigError(f"{given[0]} without --open", hint="add --open, or leave it out")
    else:
        need("uvicorn")
        from coldstart.serve.settings import refuse_used_port

        refuse_used_port("127.0.0.1", port)
    check_out(out)
    from coldstart.data.items import load_catalog
    from coldstart.tabular.reading import TextOptions

    begun = time.perf_counter()
    with output.status("reading the table …"):
        catalog, read = load_catalog(
            items,
            column_pairs(columns),
            TextOptions(encoding, separator, quotes),
            title_ids=True,
        )
    output.note(in_options(read.paragraph()))
    name = out.name if out is not None and out.name else items.stem
    with output.telling() as tell:
        from coldstart.recommender import Recommender

        made = Recommender.from_catalog(
            catalog,
            name=name,
            encoder=encoder,
            base=base,
            prompt=prompt,
            device=device,
            dtype=dtype,
            report=tell,
        )
    sentences = _told(made, catalog, items, out)
    seconds = time.perf_counter() - begun
    if out is not None:
        made.save_pretrained(out)
    if as_json:
        output.emit({"seconds": round(seconds, 1), **made.manifest["start"], "told": sentences})
    else:
        for sentence in sentences:
            output.note(f"- {sentence}")
        output.note(f"ready after {seconds:.0f} s")
    if open_page:
        return _serve(made, out, port=port, db=db, browser=browser, device=device, dtype=dtype)
    if not as_json:
        _show(made, items, out)


def check_out(out: Path | None) -> None:
    """Refuse an output folder that exists and is no artifact, before any work is done."""
    if out is None:
        return
    is_artifact = (out / "manifest.json").is_file()
    if out.is_file() or (out.is_dir() and any(out.iterdir()) and not is_artifact):
        raise ConfigError(f"--out {out} exists and is no artifact", hint="name a new folder")


def _told(made: Recommender, catalog: Catalog, items: Path, out: Path | None) -> list[str]:
    from coldstart.starting.build import told

    return told(made.manifest, catalog, str(items), str(out or "FOLDER"))


def _show(made: Recommender, items: Path, out: Path | None) -> None:
    """The list for a person of whom nothing is known, and how to go on."""
    from coldstart.ranking.wording.sentences import in_language, supported

    table = output.table("#", "Title", "Reason", right=("#",), title="Shown to a new person")
    opening = made.recommend({}, k=min(_SHOWN, len(made.catalog)))
    language = supported(made.manifest["start"]["survey"]["language"])
    for line in in_language(opening, language or "en"):
        table.add_row(str(line.rank), line.title, line.reason)
    output.stdout().print(table)
    if out is None:
        output.dim(f"nothing was saved; try: coldstart start {items} --open, or --out FOLDER")
    else:
        output.dim(f"saved; try: coldstart recommend --artifact {out} --about '…'")
        output.dim(f"or: coldstart serve --artifact {out} --open --db visits.db")


def _serve(
    made: Recommender,
    out: Path | None,
    *,
    port: int,
    db: str | None,
    browser: bool,
    device: str,
    dtype: str,
) -> None:
    """Serve the page on this machine until Ctrl-C."""
    from coldstart.serve.server import run
    from coldstart.serve.service import Service
    from coldstart.serve.settings import ServeSettings

    ready = [made]

    with tempfile.TemporaryDirectory(prefix="coldstart-") as work:
        folder = out or Path(work, "artifact")

        def load(given: str) -> Recommender:
            """The recommender just made; later, or of a release, what is in the folder."""
            if ready and given == str(folder):
                return ready.pop()
            from coldstart.recommender import Recommender

            return Recommender.from_pretrained(given, device=device, dtype=dtype)

        if out is None:
            made.save_pretrained(folder)
        store = open_store(db or str(Path(work, "visits.db")))
        service = Service(load, {"": str(folder)}, ServeSettings(open=True), store)
        port = port or _free_port()
        url = f"http://127.0.0.1:{port}/"
        kept = "" if db else "; visits are forgotten at the end (--db visits.db keeps them)"
        output.note(f"{url} shows the page, until Ctrl-C{kept}")
        if browser and _has_screen():
            later = threading.Timer(1.0, webbrowser.open, (url,))
            later.daemon = True
            later.start()
        run(service, "127.0.0.1", port)


def _has_screen() -> bool:
    """Whether a browser would open a window, rather than take over the terminal."""
    if not sys.stderr.isatty():
        return False
    if sys.platform in ("win32", "darwin"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _free_port() -> int:
    import socket

    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])
