"""Languages of films in Chinese requests: 法国片, 韩语电影, 外语片, 港片."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from coldstart.understanding.languages import NamedLanguage

_NAMES = {
    "法国": ("French",), "法语": ("French",), "日本": ("Japanese",), "日语": ("Japanese",),
    "日漫": ("Japanese",), "韩国": ("Korean",), "韩语": ("Korean",), "德国": ("German",),
    "德语": ("German",), "意大利": ("Italian",), "西班牙": ("Spanish",), "俄罗斯": ("Russian",),
    "俄国": ("Russian",), "俄语": ("Russian",), "苏联": ("Russian",), "印度": ("Hindi", "Bengali"),
    "宝莱坞": ("Hindi",), "瑞典": ("Swedish",), "丹麦": ("Danish",), "挪威": ("Norwegian",),
    "北欧": ("Swedish", "Danish", "Norwegian", "Finnish", "Icelandic"), "伊朗": ("Persian",),
    "泰国": ("Thai",), "土耳其": ("Turkish",), "香港": ("Cantonese",), "粤语": ("Cantonese",),
    "港": ("Cantonese",), "台湾": ("Mandarin",), "国语": ("Mandarin",), "国产": ("Mandarin",),
    "华语": ("Mandarin", "Cantonese"), "中国": ("Mandarin", "Cantonese"),
    "中文": ("Mandarin", "Cantonese"), "波兰": ("Polish",), "巴西": ("Portuguese",),
}  # fmt: skip
_FILM = r"(?:的)?(?:[\u4e00-\u9fff]{0,4}?)(?:影片|电影|片|动画|动漫|剧)"
_NAMED = re.compile(
    rf"(?P<foreign>外语片|外国片|外语电影|外国电影|带字幕的)|(?P<english>英[语文](?:片|电影))|"
    rf"(?<!关于)(?<!有关)(?P<name>{'|'.join(sorted(_NAMES, key=len, reverse=True))})"
    rf"(?!尼西亚|大革命)(?={_FILM})(?:(?<!港)|(?<=香港)|(?=式|产?[片剧]))"
)


def find_chinese_languages(text: str, spoken: Collection[str]) -> Iterator[NamedLanguage]:
    """Languages that a text names, in order; none where films do not tell.

    Args:
        text: in simplified characters.
        spoken: languages that the catalog's films are in.
    """
    for m in _NAMED.finditer(text) if spoken else ():
        if m["name"]:
            known = tuple(name for name in _NAMES[m["name"]] if name in spoken)
            if known:
                yield NamedLanguage(m.start(), m.end(), known)
        else:
            yield NamedLanguage(m.start(), m.end(), english=bool(m["english"]))
