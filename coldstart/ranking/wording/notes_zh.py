"""Notes and details in Chinese, by their English templates; see ``wording.notes``."""

from __future__ import annotations

from collections.abc import Mapping

from coldstart.ranking.wording.zh import LANGUAGES

_NAMES_NONE = "no category, title, year, person or mood of this catalog"
_NAMES_NONE_ZH = "其中没有本目录认识的类别、标题、年份、人物或气氛"
_NOTHING = f"{_NAMES_NONE}, and no item resembles it"
_NOTHING_ZH = f"{_NAMES_NONE_ZH}，也没有与它相近的商品"

TEMPLATES: Mapping[str, str] = {
    "not in the catalog, left out: {name}": "目录里没有，已略去：{name}",
    "title of one item and id of another, left out: {name}": (
        "既是一件的标题，又是另一件的编号，已略去：{name}"
    ),
    "only {got} of the catalog's items may be shown; {k} were asked for": (
        "目录中只有 {got} 件可以推荐，要求的是 {k} 件"
    ),
    "only {got} of the grounded titles' items may be shown; {k} were asked for": (
        "所写标题对应的商品中只有 {got} 件可以推荐，要求的是 {k} 件"
    ),
    "no item that may be shown is {wanted}; these are the closest to it": (
        "可以推荐的里面没有完全符合要求的（{wanted}），以下最为接近"
    ),
    "nothing here is called {words}; these are closest in meaning": (
        "这里没有叫{words}的，以下意思最接近"
    ),
    "no item that may be shown matches {wanted}; these come closest": (
        "可以推荐的里面没有完全符合要求的（{wanted}），以下最为接近"
    ),
    "there is no {words} that may be shown; these come closest": (
        "可以推荐的里面没有“{words}”，以下最为接近"
    ),
    "there are no {words} that may be shown; these come closest": (
        "可以推荐的里面没有“{words}”，以下最为接近"
    ),
    "only 1 item matches {wanted}; the rest come closest": (
        "只有 1 件完全符合要求（{wanted}），其余最为接近"
    ),
    "only {n} items match {wanted}; the rest come closest": (
        "只有 {n} 件完全符合要求（{wanted}），其余最为接近"
    ),
    "only 1 item is {wanted}; the rest is the closest to it": (
        "只有 1 件完全符合要求（{wanted}），其余最为接近"
    ),
    "only {n} items are {wanted}; the rest is the closest to it": (
        "只有 {n} 件完全符合要求（{wanted}），其余最为接近"
    ),
    "what people chose who asked for {words} comes later": "要求过{words}的人所选的排在后面",
    "what is close in meaning to {words} comes later": "意思与{words}相近的排在后面",
    "nothing is known about {words}: it could not be left out": ("没有关于{words}的资料，无法排除"),
    "the {name} of {percent} of the items are not known; these are left out": (
        "有 {percent} 的商品不知道{name}，没有列入"
    ),
    "guessed from “{words}”: {values}": "由“{words}”推测：{values}",
    "“{words}” was not taken as {value}: the text says otherwise": (
        "没有把“{words}”当作“{value}”，因为原话另有说明"
    ),
    "“{words}” was read as “{meant}”": "“{words}”按“{meant}”理解",
    f"the text names {_NAMES_NONE}; the list follows its meaning": (
        f"{_NAMES_NONE_ZH}；推荐依据的是它的意思"
    ),
    f"the text names {_NOTHING}; the list follows what people chose who used its words": (
        f"{_NOTHING_ZH}；推荐依据的是用过这些词的人的选择"
    ),
    f"the text names {_NOTHING}; the list follows its words": (
        f"{_NOTHING_ZH}；推荐依据的是其中的字词"
    ),
    f"nothing in the text could be used: it names {_NOTHING}; the list follows {{others}}": (
        f"这段话没有用上：{_NOTHING_ZH}；推荐依据的是{{others}}"
    ),
    "interest {name}: did you mean {near}? It was read so": (
        "兴趣{name}：是不是指{near}？已按此理解"
    ),
    "interest {name}: did you mean {near}? It was read as text": (
        "兴趣{name}：是不是指{near}？已当作文字理解"
    ),
    "attribute {name} is unknown: did you mean {near}?": "不认识属性{name}：是不是指{near}？",
    "{name} is unknown: did you mean {near}?": "不认识{name}：是不是指{near}？",
    "no item has category {name}: {hint}": "没有类别为{name}的商品：{hint}",
    "no item has an attribute {name}: {hint}": "没有带属性{name}的商品：{hint}",
    "no item has {name}: {hint}": "没有{name}的商品：{hint}",
    "prompt over {n} tokens: {what} left out of it": "提示超过 {n} 个词元，略去了{what}",
    "{n} of {all} places explore: what you think of them tells most": (
        "{all} 个位置中有 {n} 个用来探索：你对它们的看法最能说明问题"
    ),
    "{name} adds {points} to the scores of {n} item(s) until {until}": (
        "{name}给 {n} 件商品的得分加 {points}，至 {until} 为止"
    ),
    "no row “because”: nothing was liked yet": "没有“因为你喜欢”一行：还没有喜欢过什么",
    "no row “people”: nothing was asked for": "没有“提过类似要求的人选了”一行：还没有提出要求",
    "no row “people”: no recorded request is like this one": (
        "没有“提过类似要求的人选了”一行：记录中没有类似的要求"
    ),
    "no row “asked”: fewer than {n} items": "没有“你想要的”一行：不足 {n} 件",
    "no row “because”: fewer than {n} items": "没有“因为你喜欢”一行：不足 {n} 件",
    "no row “people”: fewer than {n} items": "没有“提过类似要求的人选了”一行：不足 {n} 件",
    "no row “different”: fewer than {n} items": "没有“换换口味”一行：不足 {n} 件",
    "{fact}: rejected by “{words}”": "{fact}：因“{words}”而排除",
    "year unknown: not {years}": "年份未知，不符合{years}",
    "from {year}: not {years}": "{year} 年，不符合{years}",
    "suitable from age {age}": "适合 {age} 岁以上",
    "suitable up to age {age}": "适合 {age} 岁以下",
    "costs {price}: not {words}": "价格 {price}，不符合{words}",
    "price unknown: not {words}": "价格未知，不符合{words}",
    "not in stock: not {words}": "缺货，不符合{words}",
    "no item has a price; {words} was left out": "商品没有价格，已略去{words}",
    "{words} limits no price; it was left out": "{words}不是有效的价格，已略去",
    "prices are in {name}; {words} was compared as it stands": (
        "价格以 {name} 计，{words}按数字比较"
    ),
    "already {what}": "已经{what}",
    "category {name} is excluded": "排除了类别{name}",
    "not in {names}": "不属于{names}",
    "from {year}, before {first}": "{year} 年，早于 {first} 年",
    "from {year}, after {last}": "{year} 年，晚于 {last} 年",
    "costs {price}, more than {most}": "售价 {price}，高于 {most}",
    "not available": "缺货",
    "year unknown": "年份未知",
    "price unknown": "价格未知",
    "{name} unknown": "{name}未知",
    "{name} is {value}, not {values}": "{name}为{value}，不是{values}",
}
"""English template → Chinese one, the first that fits."""

PHRASES: Mapping[str, str] = {
    **{f"in {name}": text for name, text in LANGUAGES.items()},
    "known to be suitable for age {age}": "适合 {age} 岁",
    "suitable for age {age}": "适合 {age} 岁",
    "for age {age}": "适合 {age} 岁",
    "for an adult": "送给成年人",
    "a low price": "价格便宜",
    "a high price": "价格高档",
    "at most {price}": "不超过 {price}",
    "at least {price}": "不低于 {price}",
    "from the {year}s": "{year} 年代",
    "from {first} to {last}": "{first} 至 {last} 年",
    "from {year} on": "{year} 年以后",
    "from before {year}": "{year} 年以前",
    "up to {year}": "{year} 年及以前",
    "of any year": "年份不限",
    "did you mean {near}?": "是不是指{near}？",
    "there are: ": "现有：",
    "the catalog has none": "目录中没有",
    " and more": "等",
    "the rest of the profile": "其余信息",
    "what is often chosen": "大家常选的",
    "what the catalog has": "目录里有的",
    "oldest liked pick(s)": "个最早喜欢的",
    "oldest disliked pick(s)": "个最早不喜欢的",
    "the end of `about`": "自述的末尾",
    "the end of `text`": "文字的末尾",
    "the last interests": "最后的兴趣",
    "liked": "喜欢过",
    "disliked": "不喜欢",
    "seen": "看过",
    "; not ": "；不要",
    "not ": "不要",
    " last": "排在最后",
    " or ": "或",
    " and ": "、",
    ", ": "、",
}
"""Phrases within the fields, in this order."""
