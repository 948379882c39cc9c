"""Which cosine means "the same film"? Precision and recall of title grounding by threshold.

Variants of catalog titles should land on their item; titles of films that the catalog lacks
should land nowhere. Only the similarity stage is measured: in use, exact titles never reach it.

    python benchmarks/grounding_threshold.py --items ml-100k.item --model all-MiniLM-L6-v2
"""

from __future__ import annotations

import argparse
import random
import re
from pathlib import Path

import numpy as np
import polars as pl

from coldstart.catalog.titles import natural_title
from coldstart.encoding.sentence_encoder import SentenceEncoder
from coldstart.grounding.index.exact import ExactIndex

# Films made after MovieLens-100K was collected.
ABSENT = """Gladiator; Memento; Inception; Interstellar; The Dark Knight; Avatar; The Hangover; Up;
Amélie; City of God; Spirited Away; Finding Nemo; Kill Bill: Vol. 1; Lost in Translation; Shrek;
The Lord of the Rings: The Fellowship of the Ring; Harry Potter and the Sorcerer's Stone; Saw;
Pirates of the Caribbean: The Curse of the Black Pearl; Mulholland Drive; Donnie Darko; Oldboy;
Eternal Sunshine of the Spotless Mind; The Incredibles; Brokeback Mountain; Sin City; Crash; WALL-E;
Pan's Labyrinth; The Departed; Little Miss Sunshine; Casino Royale; Borat; Children of Men; Juno;
No Country for Old Men; There Will Be Blood; Ratatouille; Zodiac; Superbad; Slumdog Millionaire;
Iron Man; Twilight; District 9; Inglourious Basterds; The Social Network; Black Swan; Moonlight;
The King's Speech; Drive; Bridesmaids; The Hunger Games; Django Unchained; Frozen; Gravity; Her;
12 Years a Slave; Whiplash; Birdman; Boyhood; Mad Max: Fury Road; The Martian; La La Land; Get Out;
The Shape of Water; Black Panther; Parasite; Joker; Knives Out; Nomadland; Dune; Oppenheimer;
Barbie; Everything Everywhere All at Once""".replace("\n", " ").split("; ")

THRESHOLDS = [0.4, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95]


def typo(title: str, rng: random.Random) -> str:
    """Swap, drop, double or replace one letter inside a word."""
    places = [n for n in range(1, len(title) - 1) if title[n - 1 : n + 2].isalpha()]
    if not places:
        return title
    at = rng.choice(places)
    here = title[at]
    middle = rng.choice(["", here * 2, rng.choice("abcdefghijklmnopqrstuvwxyz")])
    swapped = title[:at] + title[at + 1] + here + title[at + 2 :]
    return rng.choice([swapped, title[:at] + middle + title[at + 1 :]])


def variants(title: str, year: str, rng: random.Random) -> dict[str, str]:
    """The ways in which a language model gets a title nearly right."""
    return {
        "one typo": typo(title, rng),
        "two typos": typo(typo(title, rng), rng),
        "subtitle dropped": re.split(r": | \(| - ", title)[0],
        "subtitle added": f"{title}: The Movie",
        "bare year added": f"{title} {year}",
        "article dropped": re.sub(r"^(The|A|An) ", "", title),
        "article at the end": re.sub(r"^(The|A|An) (.*)", r"\2, \1", title),
        "a film called": f"the film {title}",
    }


def read_items(path: Path) -> list[tuple[str, str]]:
    """Read (title, year), one of each title, from RecBole's tab-separated ``ml-100k.item``."""
    frame = pl.read_csv(path, separator="\t", quote_char=None, infer_schema=False)
    rows = frame.select("movie_title:token_seq", "release_year:token").drop_nulls().rows()
    return sorted({natural_title(title): (natural_title(title), y) for title, y in rows}.values())


def study(items: list[tuple[str, str]], encoder: SentenceEncoder) -> None:
    titles = [title for title, _ in items]
    index = ExactIndex()
    vectors = encoder.encode(titles)
    index.set(titles, vectors)
    taken = {title.casefold() for title in titles}

    rng = random.Random(0)
    cases = [
        (kind, text, title)
        for title, year in items
        for kind, text in variants(title, year, rng).items()
        if text.casefold() not in taken and len(text) > 2
    ]
    found = [hit[0] for hit in index.search(encoder.encode([text for _, text, _ in cases]), 1)]
    kinds = np.array([kind for kind, _, _ in cases])
    right = np.array([hit[0] == title for hit, (*_, title) in zip(found, cases, strict=True)])
    cosine = np.array([hit[1] for hit in found])

    absent_titles = [title for title in ABSENT if title.casefold() not in taken]
    absent_hits = [hit[0] for hit in index.search(encoder.encode(absent_titles), 1)]
    absent = np.array([hit[1] for hit in absent_hits])
    # Hold each real title out: the nearest other title is what it would wrongly land on.
    held_out = np.array(
        [
            next(s for i, s in hits if i != title)
            for title, hits in zip(titles, index.search(vectors, 2), strict=True)
        ]
    )

    print(
        f"{len(titles)} titles, {len(cases)} variants, {len(absent)} absent films, {encoder.name}"
    )
    print(
        "recall: variants that land on their item; wrong: on another one; absent, held out: films"
    )
    print("not in the catalog that land anyway; precision, F1: variants and held-out titles 1:1.\n")
    print("threshold  recall   wrong  absent  held out  precision      F1")
    for t in THRESHOLDS:
        recall, wrong = np.mean(right & (cosine >= t)), np.mean(~right & (cosine >= t))
        false = np.mean(held_out >= t)
        precision = recall / (recall + wrong + false)
        f1 = 2 * precision * recall / (precision + recall)
        rates = f"{recall:6.3f}  {wrong:6.3f}  {np.mean(absent >= t):6.3f}    {false:6.3f}"
        print(f"{t:9.2f}  {rates}     {precision:6.3f}  {f1:6.3f}")

    print("\nrecall by kind of variant at threshold")
    print(f"{'':20} {'n':>5}  top-1  " + "  ".join(f"{t:.2f}" for t in THRESHOLDS[2:9]))
    for kind in dict.fromkeys(kinds):
        ours = kinds == kind
        recalls = [np.mean(right[ours] & (cosine[ours] >= t)) for t in THRESHOLDS[2:9]]
        cells = "  ".join(f"{r:.2f}" for r in recalls)
        print(f"{kind:20} {ours.sum():5d}   {right[ours].mean():.2f}  {cells}")

    print("\nabsent films that come nearest")
    for n in np.argsort(-absent)[:8]:
        print(f"  {absent_titles[n]} → {absent_hits[n][0]} ({absent[n]:.2f})")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--items", type=Path, required=True, help="RecBole's ml-100k.item")
    parser.add_argument("--model", required=True, help="sentence-transformers folder or hub id")
    args = parser.parse_args()
    study(read_items(args.items), SentenceEncoder.from_pretrained(args.model))


if __name__ == "__main__":
    main()
