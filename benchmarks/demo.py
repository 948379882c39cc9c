"""Write lists for sentences into a Markdown file.

    python benchmarks/demo.py README.md

A list stands between two comments, of which the first holds the sentence:

    <!-- demo: an animated movie for my five year old -->
    <!-- /demo -->
"""

from __future__ import annotations

import argparse
import re
from pathlib import Path

from coldstart import RecommendationList, Recommender, UserProfile
from coldstart.runtime.cache import write_atomic
from coldstart.understanding.summary import summary

ROOT = Path(__file__).parent.parent
_DEMO = re.compile(r"(<!-- demo: (?P<sentence>.+?) -->\n).*?<!-- /demo -->", re.S)


def shown(sentence: str, result: RecommendationList) -> str:
    """The sentence, what was understood, and the list with its reasons, as Markdown."""
    lines = [f"**“{sentence}”**", "", f"*{summary(result.understood)}*", ""]
    for r in result:
        year = f" ({r.year})" if r.year else ""
        lines.append(f"{r.rank}. {r.title}{year}: {r.reason}")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Fill the lists of a file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", nargs="?", type=Path, default=ROOT / "README.md")
    parser.add_argument("--artifact", default=ROOT / "adapters" / "movies")
    parser.add_argument("-k", type=int, default=5, help="items of a list")
    options = parser.parse_args()
    rec = Recommender.from_pretrained(options.artifact)

    def make(found: re.Match[str]) -> str:
        result = rec.recommend(UserProfile(about=found["sentence"]), k=options.k)
        return f"{found[1]}{shown(found['sentence'], result)}<!-- /demo -->"

    text = options.file.read_text(encoding="utf-8")
    write_atomic(options.file, _DEMO.sub(make, text))


if __name__ == "__main__":
    main()
