"""Write lists for sentences into a Markdown file.

    python benchmarks/demo.py README.md

A list stands between two comments, of which the first holds the sentence:

    <!-- demo: an animated movie for my five year old -->
    <!-- /demo -->

The first may name a table of items to start from instead of the artifact:

    <!-- demo examples/shop.csv: a telescope -->
"""

from __future__ import annotations

import argparse
import re
from functools import cache
from pathlib import Path

from coldstart import RecommendationList, Recommender, UserProfile
from coldstart.catalog.catalog import Catalog
from coldstart.runtime.cache import write_atomic
from coldstart.understanding.summary import summary

ROOT = Path(__file__).parent.parent
_DEMO = re.compile(
    r"(<!-- demo(?: (?P<items>\S+))?: (?P<sentence>.+?) -->\n).*?<!-- /demo -->", re.S
)


def shown(sentence: str, result: RecommendationList, catalog: Catalog) -> str:
    """The sentence, what was understood, and the list with its reasons, as Markdown."""
    lines = [f"**“{sentence}”**", "", f"*{summary(result.understood)}*", ""]
    for r in result:
        year = f" ({r.year})" if r.year and catalog[r.item_id].price is None else ""
        lines.append(f"{r.rank}. {r.title}{year}: {r.reason}")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Fill the lists of a file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", nargs="?", type=Path, default=ROOT / "README.md")
    parser.add_argument("--artifact", default=ROOT / "adapters" / "movies")
    parser.add_argument("-k", type=int, default=5, help="items of a list")
    options = parser.parse_args()

    @cache
    def recommender(items: str | None) -> Recommender:
        if items is None:
            return Recommender.from_pretrained(options.artifact)
        return Recommender.from_catalog(ROOT / items)

    def make(found: re.Match[str]) -> str:
        rec, sentence = recommender(found["items"]), found["sentence"]
        result = rec.recommend(UserProfile(about=sentence), k=options.k)
        return f"{found[1]}{shown(sentence, result, rec.catalog)}<!-- /demo -->"

    text = options.file.read_text(encoding="utf-8")
    write_atomic(options.file, _DEMO.sub(make, text))


if __name__ == "__main__":
    main()
