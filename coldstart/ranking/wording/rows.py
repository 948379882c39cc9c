"""Titles of rows of recommendations, and the rule of each, in one sentence."""

from __future__ import annotations

from collections.abc import Mapping

from coldstart.schema import RecommendationRow

Words = tuple[str, str]  # title and rule

ENGLISH: Mapping[str, Words] = {
    "asked": (
        "What you asked for",
        "First what fulfils your wishes, then what is closest to your words and your taste.",
    ),
    "taste": ("For you", "What fits best to what you like and what you told about yourself."),
    "popular": ("Popular here", "What most people like; nothing is known of you yet."),
    "opening": ("A first look", "Something of every kind; nothing is known of you yet."),
    "because": ("Because you liked {about}", "Liked by the same people, or alike in content."),
    "named": ("Because you named {about}", "Liked by the same people, or alike in content."),
    "viewing": ("Like {about}", "Liked by the same people, or alike in content."),
    "people": (
        "People who asked for something like this",
        "Chosen most often by the people whose requests were closest to yours.",
    ),
    "different": (
        "Something different",
        "Good for your taste, but as unlike everything above as possible.",
    ),
    "unlike": (
        "Something different",
        "As unlike everything above as possible; nothing is known of you yet.",
    ),
}
CHINESE: Mapping[str, Words] = {
    "asked": ("你想要的", "先是完全符合要求的，再是与你的话和口味最接近的。"),
    "taste": ("为你推荐", "最符合你的喜好和你说过的情况。"),
    "popular": ("大家喜欢的", "喜欢的人最多；目前还不了解你。"),
    "opening": ("先看看", "各类都有一些；目前还不了解你。"),
    "because": ("因为你喜欢“{about}”", "喜欢它的人也喜欢，或者内容相近。"),
    "named": ("因为你提到“{about}”", "喜欢它的人也喜欢，或者内容相近。"),
    "viewing": ("和“{about}”类似", "喜欢它的人也喜欢，或者内容相近。"),
    "people": ("提过类似要求的人选了", "要求和你最接近的人最常选择的。"),
    "unlike": ("换换口味", "和上面的都尽量不同；目前还不了解你。"),
    "different": ("换换口味", "合你的口味，又和上面的都尽量不同。"),
}
_LANGUAGES = {"en": ENGLISH, "zh": CHINESE}


def row_words(code: str, about: str = "", language: str = "en") -> Words:
    """Title and rule of a row.

    Args:
        code: of its wording.
        about: title of the item that it is about.
        language: ``en`` or ``zh``.
    """
    title, rule = _LANGUAGES[language][code]
    return title.format(about=about), rule


def in_words_of(row: RecommendationRow, language: str) -> RecommendationRow:
    """The same row with title and rule in another language; its reasons stay."""
    title, rule = row_words(row.code, row.about_title, language)
    return row.model_copy(update={"title": title, "rule": rule})
