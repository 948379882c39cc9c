"""How far the packaged models know texts of different languages, and what takes their place.

``python benchmarks/languages.py`` writes ``docs/results/languages.md`` and ``.json``; a minute on
two cores. Three tables:

1. the share of known letters of one sentence, in fifteen languages, by the tokenizers of the
   packaged encoder and language model (``encoding.coverage``);
2. the share of an item's three nearest others that are of its finest and of its first category, by
   title and description alone and by the whole content, with the encoder and with n-grams;
3. requests of ten-item catalogs whose first item is the one that was asked for.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from coldstart import prompts
from coldstart.artifacts.language_advice import encoder_for
from coldstart.artifacts.loading import make_encoder
from coldstart.catalog.catalog import Catalog
from coldstart.data.items import load_catalog
from coldstart.encoding.coverage import KNOWN, known_share
from coldstart.encoding.ngram_encoder import NAME
from coldstart.interactions.interaction_stats import Counts
from coldstart.recommender import Recommender
from coldstart.runtime import models
from coldstart.schema import Item
from coldstart.starting.weights import from_nothing_ranker

ROOT = Path(__file__).parent.parent
OUT = ROOT / "docs" / "results"
NEAREST = 3
SENTENCES = {
    "English": "Lightweight breathable running shoes for daily jogging and marathon training",
    "German": "Leichte, atmungsaktive Laufschuhe für das tägliche Training und den Marathon",
    "French": "Chaussures de course légères et respirantes pour l'entraînement quotidien",
    "Turkish": "Günlük antrenman için hafif ve nefes alabilen koşu ayakkabısı",
    "Vietnamese": "Giày chạy bộ nhẹ và thoáng khí cho việc tập luyện hàng ngày",
    "Russian": "Лёгкие дышащие кроссовки для ежедневного бега и марафонских тренировок",
    "Greek": "Ελαφριά παπούτσια για τρέξιμο κάθε μέρα",
    "Arabic": "حذاء جري خفيف الوزن ومناسب للتدريب اليومي والماراثون",
    "Hebrew": "נעלי ריצה קלות ונושמות לאימון יומי ולמרתון",
    "Hindi": "रोज़ाना दौड़ने के लिए हल्के और हवादार जूते",
    "Thai": "รองเท้าวิ่งน้ำหนักเบาระบายอากาศได้ดี เหมาะสำหรับการวิ่งทุกวัน",
    "Chinese, simplified": "轻便透气的跑步鞋，适合日常慢跑和马拉松训练，鞋底采用缓震材料",
    "Chinese, traditional": "輕便透氣的跑步鞋，適合日常慢跑和馬拉松訓練，鞋底採用緩震材料",
    "Japanese": "軽くて通気性のよいランニングシューズ。毎日のジョギングに最適です",
    "Korean": "가볍고 통기성이 좋은 러닝화. 매일 조깅하기에 적합합니다",
}


def coverage() -> list[dict[str, object]]:
    """Share of known letters by language."""
    encoder, lm = make_encoder(models.DEFAULT_ENCODER), models.load_tokenizer()
    return [
        {
            "language": language,
            "encoder": round(encoder.known_share(text), 3),
            "language model": round(known_share(lm, text), 3),
        }
        for language, text in SENTENCES.items()
    ]


def neighbours() -> list[dict[str, object]]:
    """Share of the nearest items that are of the same category."""
    out = []
    for name in ("tests/data/shop-zh.csv", "examples/shop.csv"):
        catalog, _ = load_catalog(ROOT / name)
        items = catalog.items
        kinds = [item.categories for item in items]
        for encoder in (models.DEFAULT_ENCODER, NAME):
            row: dict[str, object] = {"catalog": name, "encoder": encoder}
            for what, texts in (
                ("title and description", [f"{i.title}\n{i.description}" for i in items]),
                ("content", [i.content_text() for i in items]),
            ):
                vectors = make_encoder(encoder).encode(texts)
                near = vectors @ vectors.T
                np.fill_diagonal(near, -9)
                order = np.argsort(-near, axis=1, kind="stable")[:, :NEAREST]
                for level, depth in (("finest", -1), ("first", 0)):
                    same = [
                        kinds[n][depth] == kinds[m][depth]
                        for n, row_ in enumerate(order)
                        for m in row_
                    ]
                    row[f"{what}, {level}"] = round(float(np.mean(same)), 3)
            out.append(row)
    return out


def ten_items() -> list[dict[str, object]]:
    """Requests answered by the item that was asked for, by language."""
    shops = json.loads((ROOT / "tests/data/languages.json").read_text(encoding="utf-8"))
    out = []
    for language, shop in shops.items():
        catalog = Catalog(
            Item(
                item_id=str(n),
                title=row["title"],
                categories=(row["category"],),
                description=row["description"],
            )
            for n, row in enumerate(shop["items"])
        )
        encoder = encoder_for(catalog)
        made = Recommender(
            catalog,
            None,
            prompts.load("catalog-en"),
            Counts.fit(catalog.ids, {}, {}),
            make_encoder(encoder),
            from_nothing_ranker(),
        )
        right, told = 0, 0
        for text, row in shop["sentences"]:
            found = made.recommend({"about": text}, k=5, strategy="prior")
            right += row is not None and found[0].item_id == str(row)
            told += any(note.startswith("nothing in the text") for note in found.notes)
        n = len(shop["sentences"])
        out.append(
            {
                "language": language,
                "encoder": encoder,
                "requests": n,
                "first": right,
                "nothing known, and said": told,
            }
        )
    return out


def table(rows: list[dict[str, object]]) -> str:
    """Rows as a Markdown table."""
    head = list(rows[0])
    lines = [head, ["---"] * len(head), *([str(v) for v in row.values()] for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def main() -> None:
    """Write the report."""
    parts = {"coverage": coverage(), "neighbours": neighbours(), "ten items": ten_items()}
    text = f"""# Languages

`python benchmarks/languages.py`. Models: `{models.DEFAULT_ENCODER}`, `{models.DEFAULT_LM}`.

## Share of the letters of a sentence that the models know

Below {KNOWN:g} a model does not count (docs/languages.md). Latin letters are known to both whatever
their language: what the models make of German or Turkish, this does not tell.

{table(parts["coverage"])}

## Nearest items of the same category

Share of the {NEAREST} nearest items that have the item's finest and its first category.

{table(parts["neighbours"])}

## Catalogs of ten items

Requests of `tests/data/languages.json` whose first item is the one that was asked for, and requests
of which nothing is known, which a note says.

{table(parts["ten items"])}
"""
    (OUT / "languages.md").write_text(text, encoding="utf-8")
    saved = json.dumps(parts, ensure_ascii=False, indent=1)
    (OUT / "languages.json").write_text(saved + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
