"""Reasons in Chinese."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from coldstart.ranking.wording.amounts import amount
from coldstart.ranking.wording.spreads import spreads_of

LANGUAGES: Mapping[str, str] = {
    "French": "法语",
    "Japanese": "日语",
    "Korean": "韩语",
    "Mandarin": "汉语",
    "Cantonese": "粤语",
    "German": "德语",
    "Italian": "意大利语",
    "Spanish": "西班牙语",
    "Portuguese": "葡萄牙语",
    "Russian": "俄语",
    "Swedish": "瑞典语",
    "Danish": "丹麦语",
    "Norwegian": "挪威语",
    "Finnish": "芬兰语",
    "Icelandic": "冰岛语",
    "Dutch": "荷兰语",
    "Polish": "波兰语",
    "Czech": "捷克语",
    "Hungarian": "匈牙利语",
    "Hindi": "印地语",
    "Persian": "波斯语",
    "Turkish": "土耳其语",
    "Hebrew": "希伯来语",
    "Arabic": "阿拉伯语",
    "Thai": "泰语",
    "Greek": "希腊语",
    "foreign language": "外语",
    "a foreign language": "外语",
}
"""Languages that are spoken in films; others stay as they are."""
VALUES: Mapping[str, str] = {
    "m": "男",
    "f": "女",
    "none": "无",
    "other": "其他",
    "administrator": "行政人员",
    "artist": "艺术家",
    "doctor": "医生",
    "educator": "教育工作者",
    "engineer": "工程师",
    "entertainment": "娱乐业",
    "executive": "高管",
    "healthcare": "医疗保健",
    "homemaker": "持家",
    "lawyer": "律师",
    "librarian": "图书管理员",
    "marketing": "市场营销",
    "programmer": "程序员",
    "retired": "退休",
    "salesman": "销售",
    "scientist": "科学家",
    "student": "学生",
    "technician": "技术员",
    "writer": "作家",
    "action": "动作",
    "adventure": "冒险",
    "animation": "动画",
    "children's": "儿童",
    "children": "儿童",
    "comedy": "喜剧",
    "crime": "犯罪",
    "documentary": "纪录片",
    "drama": "剧情",
    "fantasy": "奇幻",
    "film-noir": "黑色电影",
    "horror": "恐怖",
    "musical": "音乐",
    "mystery": "悬疑",
    "romance": "爱情",
    "sci-fi": "科幻",
    "thriller": "惊悚",
    "war": "战争",
    "western": "西部",
    "gentle": "温馨",
    "with parents": "和父母一起",
    "light": "轻松",
    "funny": "好笑",
    "heavy": "沉重",
    "dark": "黑暗",
    "violent": "暴力",
    "sexual": "色情",
    "tense": "紧张",
    "date night": "约会",
    "halloween": "万圣节",
    "christmas": "圣诞节",
    "family": "全家一起",
    "party": "朋友聚会",
}
"""Common attribute values, categories and tones; others stay as they are."""
ATTRIBUTES: Mapping[str, str] = {
    "brand": "品牌",
    "colour": "颜色",
    "color": "颜色",
    "material": "材质",
    "size": "尺码",
    "power": "电源",
    "author": "作者",
    "director": "导演",
    "actors": "演员",
    "cast": "演员",
    "language": "语言",
    "original language": "语言",
    "foreign": "语言",
    "minutes": "分钟",
    "country": "国家",
    "publisher": "出版社",
    "studio": "制片方",
    "style": "风格",
    "weight": "重量",
    "currency": "货币",
}
"""Common names of attributes; others stay as they are."""
_AGES = {
    "00s": "10 岁以下的人",
    "10s": "10 至 19 岁的人",
    **{f"{tens}0s": f"{tens}0 多岁的人" for tens in range(2, 6)},
    "60s": "60 岁以上的人",
}


def clause(code: str, arguments: Mapping[str, Any]) -> str | None:
    """A reason as part of a sentence, ``None`` for an unknown code."""
    make = _CLAUSES.get(code)
    return None if make is None else make(arguments)


def sentence(clauses: Sequence[str]) -> str:
    """Clauses as one sentence."""
    return "；".join(clauses) + "。"


def points(text: str, amount: float) -> str:
    """A clause with what it adds to the score."""
    return f"{text}（{amount:+.2f} 分）"


def adjustments(clauses: Sequence[str]) -> str:
    """Clauses with points as one sentence."""
    return sentence(clauses)


def paragraph(sentences: Sequence[str]) -> str:
    """Sentences one after another."""
    return "".join(sentences)


def _picks(a: Mapping[str, Any]) -> str:
    why = "因为你正在看" if a["viewing"] else "因为你喜欢"
    why = "因为你提到" if a.get("named") else why
    return f"{why}“{a['pick']}”，有 {a['people']} 人两者都喜欢"


def _kinds(a: Mapping[str, Any]) -> str:
    like = f"和“{a['pick']}”一样" if a["pick"] else "和你喜欢的许多一样"
    return f"{like}，属于{_list(a['categories'])}"


def _wishes(a: Mapping[str, Any]) -> str:
    names = [*a.get("types", ()), *a.get("categories", ())]
    parts = [_list(names)] if names else []
    parts += [f"“{term}”" for term in a.get("terms", ())]
    parts += [years(*span) for span in a.get("years", ())]
    if "ages" in a:
        parts.append(f"适合 {min(a['ages'])} 岁")
    if "people" in a:
        parts.append(f"有{_list(a['people'])}")
    attributes, counts = spreads_of(a.get("attributes", ()))
    for name, low, high in counts:
        span = f"{low}–{high}" if low and high else f"最多 {high}" if high else f"至少 {low}"
        parts.append(f"{_attribute(name)}：{span}")
    parts += [f"{_attribute(name)}：{_value(value)}" for name, value in attributes]
    parts += a.get("values", ())
    parts += [f"价格 {amount(*price)}" for price in a.get("prices", ())]
    return "符合你的要求：" + "，".join(parts)


def years(first: int | None, last: int | None) -> str:
    """A span of years in words."""
    if first is None and last is not None and last % 10 == 9:
        return f"{last + 1} 年以前"
    if first is None or last is None:
        return f"{last} 年及以前" if first is None else f"{first} 年以后"
    if first == last:
        return f"{first} 年"
    decade = first % 10 == 0 and last == first + 9
    return f"{first} 年代" if decade else f"{first} 至 {last} 年"


def _boosted(a: Mapping[str, Any]) -> str:
    return f"因“{a['name']}”而{'提前' if a['points'] > 0 else '靠后'}"


def _group(group: str) -> str:
    name, value = group.split("=", 1)
    if name == "age" and value in _AGES:
        return _AGES[value]
    if name == "gender":
        return {"m": "男性", "f": "女性"}.get(value, f"{value}性别的人")
    if name == "occupation":
        return f"{_value(value)}职业的人"
    return f"{_value(value)}的人"


def _value(value: str) -> str:
    return VALUES.get(value.casefold()) or LANGUAGES.get(value, value)


def _attribute(name: str) -> str:
    return ATTRIBUTES.get(name.casefold(), name)


def _list(names: Sequence[str]) -> str:
    return "、".join(_value(name) for name in names)


_CLAUSES: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "request": lambda a: f"提出过类似“{a['text']}”的人选择了这类内容",
    "picks": _picks,
    "alike": lambda a: f"和“{a['pick']}”相似",
    "shares": lambda a: f"和“{a['pick']}”的{_attribute(a['attribute'])}相同：{a['value']}",
    "kinds": _kinds,
    "wishes": _wishes,
    "interests": lambda a: f"符合你的兴趣：{_list(a['interests'])}",
    "words": lambda a: f"符合“{a['text']}”",
    "meaning": lambda a: f"意思接近“{a['text']}”",
    "near": lambda a: f"与你要找的同属{_value(a['category'])}",
    "mentions_words": lambda a: f"提到{'、'.join(f'“{word}”' for word in a['words'])}",
    "asked_alike": lambda a: f"有 {a['people']} 位提出相似要求的人选了它",
    "mentioned": lambda a: f"有 {a['people']} 人把它和“{a['pick']}”一起提到",
    "of_likers": lambda a: f"喜欢“{a['pick']}”的 {a['of']} 人中，有 {a['people']} 人也喜欢它",
    "liked_here": lambda a: f"这里 {a['of']} 位有过喜好的人中，有 {a['people']} 人喜欢它",
    "people": lambda a: f"{'、'.join(map(_group, a['groups']))}尤其喜欢",
    "written": lambda a: f"语言模型为你写下了“{a['title']}”",
    "model": lambda a: "就你的情况，语言模型对它的评价超出它的名气",
    "popular": lambda a: f"广受喜爱：我们认识的人中有 {a['share']:.0%} 喜欢",
    "cold": lambda a: "目录中的新品，接近人们喜欢的",
    "remaining": lambda a: "剩下的里面最好的",
    "opening": lambda a: f"先看看{_value(a['category']) if a.get('category') else '这里有什么'}",
    "sought": lambda a: "是这里最受欢迎的之一",
    "boosted": _boosted,
    "exploration": lambda a: "推荐它是为了了解你的口味，你的看法很有参考价值",
}
