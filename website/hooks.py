"""What MkDocs does besides its plugins: pages made at build time, links that leave ``docs/``."""

from __future__ import annotations

import sys
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

sys.path.insert(0, str(Path(__file__).parent.parent))  # this coldstart, installed or not

import api
import commands
import elsewhere
import endpoints
import listing

STYLE = "assets/site.css"


def made() -> dict[str, str | bytes]:
    """Content of every file that is made at build time, by its path in the site."""
    style = Path(__file__).with_name("site.css").read_text(encoding="utf-8")
    pages = api.pages() | commands.pages() | endpoints.pages()
    return {**pages, **elsewhere.pages(), STYLE: style}


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Fill in the navigation: folders of pages, and the pages that are made here."""
    config.nav = listing.filled(config.nav, config.docs_dir, made())
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the reference, the notebooks, and the documents at the root of the repository."""
    for path, content in made().items():
        files.append(File.generated(config, path, content=content))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Lead links to pages of the site or to copies of files without a page."""
    text, copies = elsewhere.linked(markdown, page.file.src_uri)
    for source, path in copies.items():
        if files.get_file_from_path(path) is None:
            files.append(File.generated(config, path, abs_src_path=str(source)))
    return text
