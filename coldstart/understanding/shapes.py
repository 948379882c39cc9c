"""Shapes of English rejection that need more than a fixed phrase: "keep X away", "X-free"."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, NamedTuple, Protocol

from coldstart.understanding.tokens import PhraseMatch, Token

Shape = Literal[
    "harmless",
    "reject",
    "brief",
    "before",
    "alone",
    "back",
    "close",
    "flip",
    "past",
    "habit",
    "resume",
]

# A text is matched as words, with X for a mention, K for an audience, and one mark of
# punctuation after a word where there is any.
_THING = r"(?:[a-z0-9]+ ){0,3}X"
_THINGS = rf"{_THING}(?:[,]? (?:(?:and|or|nor) )?(?:the |any |all |those )?X){{0,6}}"
_AHEAD = r"(?= (?:[a-z0-9]+ ){0,3}X)"
_PERSON = r"(?:me|us|him|her|them|everyone|everybody|people|you|(?:my|our|the) [a-z]+|K)"
_ADV = (
    r"(?:(?:really|just|simply|so|very|too|always|usually|often|quite|exactly|at all|all|totally|"
    r"completely|definitely|absolutely|only|feel|terrible|bad|such|real|a bit|the|a|an) )"
)
_END = r"(?=[,.?:-]|$| (?:please|thanks|then|now|today|tonight|anymore|altogether|and|but|so)\b)"
_NEG = (
    r"(?:dont|do not|doesnt|never|cant|cannot|can not|couldnt|could not|wont|will not|wouldnt|"
    r"would not|shouldnt|should not|not)"
)
_THEM = (
    r"(?:(?:all |any |one |some |more )?(?:of )?(?:those|them|these)|another(?: one)?"
    r"|(?:those|that|these|this) (?:kind|sort|type)s?(?: of (?:things?|movies?|films?|stuff))?)"
)
_IT = r"(?:(?:any |more )?(?:of )?(?:it|that|this)|anything like (?:that|it))"
_LEAVING = (  # of these also "it" refers to a kind of film, not to one film that was seen
    r"(?:avoid|skip|exclude|drop|forget|spare (?:me|us)|(?:stay|keep) (?:well |far )?away from"
    r"|steer clear of|lay off|pass on|without|no more|(?:had |have had )?(?:more than )?enough"
    r"|(?:tired|sick|bored|free) of|(?:cant|cannot) (?:stand|bear|take|handle|face))"
)
_DISLIKING = (
    r"(?:hate|hates|dislike|dislikes|loathe|loathes|detest|despise|none|not"
    r"|(?:dont|do not|doesnt|never) (?:really )?(?:like|want|need|enjoy|fancy|watch|do"
    r"|want to (?:see|watch)|(?:show|give|recommend|suggest|send)(?: me| us)?))"
)
_BAD = (
    r"anxious|anxiety|cringe|sick|nervous|uncomfortable|ill|queasy|nauseous|nauseated|yawn|sleepy"
    r"|angry|miserable|depressed|tense|stressed|uneasy|dizzy|jumpy|panic|gag|restless|itch"
    r"|roll (?:my|our|her|his) eyes"
)
_DULL = (
    r"boring|dull|tedious|annoying|irritating|upsetting|exhausting|unbearable|awful|terrible"
    r"|overdone|overrated|stale"
)

_HARMLESS = (
    rf"{_NEG} (?:ever |just |want to |wanna |you |let me |be |to )?(?:skip|forget|leave out|avoid"
    r"|exclude|hold back on|miss|pass on|pass up|say no to|do without|live without|go without"
    r"|be without|stop|have (?:too many|too much|enough)|get (?:enough|tired)|turn down|resist"
    r"|go wrong)\b(?: (?:of|on|with))?",
    r"who (?:doesnt|does not|wouldnt|would not|didnt) (?:love|like|enjoy|want|adore|need)\b",
    r"whats not to (?:love|like)",
    r"(?:nothing|no [a-z]+)(?: quite| ever| really)? (?:beats|tops|compares|like an?|(?:is |are )?"
    r"better than|(?:comes|gets) close)\b",
    r"no such thing as (?:too (?:many|much)|an? bad|enough)",
    r"(?:never|not an? (?:day|week|night|year)(?: goes by)?) without",
    r"(?:wont|cant|couldnt|wouldnt|why dont|why cant|why not|dont) (?:you|we)\b(?! dare)",
    r"never (?:gets?|grows?) old",
    r"no(?= X\? (?:id|i would|wed|we would|that would|thatd|what a|how sad))",
)
_PATTERNS: tuple[tuple[Shape, tuple[str, ...]], ...] = (
    ("harmless", _HARMLESS),
    (
        "back",
        (
            rf"(?:{_LEAVING} (?:{_THEM}|{_IT})|{_DISLIKING} {_THEM}){_END}",
            rf"(?:leave|keep|count) (?:{_THEM}|{_IT}) (?:out|away|off)\b",
        ),
    ),
    (
        "before",
        (
            rf"X (?:(?!that|which|to|who|will)[a-z]+ ){{0,3}}?(?P<m>gives? {_PERSON} {_ADV}{{0,3}}"
            r"(?:nightmares?|anxiety|headaches?|migraines?|panic(?: attacks?)?|palpitations|creeps"
            r"|stress|insomnia|hives|heebie jeebies))",
            rf"X (?:(?!that|which|to|who|will)[a-z]+ ){{0,3}}?(?P<m>makes? {_PERSON} {_ADV}{{0,3}}"
            rf"(?:{_BAD})\b)",
            rf"X (?:(?!that|which|to|who|will)[a-z]+ ){{0,3}}?(?P<m>(?:winds? {_PERSON} up"
            rf"|(?:stress(?:es)?|freaks?|creeps?|bums?|weirds?|gross(?:es)?) {_PERSON} out"
            rf"|puts? {_PERSON} (?:off|to sleep)|sends? {_PERSON} to sleep"
            rf"|bores? {_PERSON}|(?:is|are) too much for {_PERSON}|freaks? out {_PERSON}"
            rf"|(?:i|we) (?:can|could) do without{_END}|gets? on (?:my|our|her|his|their) nerves"
            rf"|drives? {_PERSON} (?:crazy|mad|insane|up the wall|nuts)))",
            rf"X (?:(?!that|which|who)[a-z]+ ){{0,2}}?(?P<m>(?:(?:is|are|was|be) )?{_ADV}{{0,2}}"
            rf"(?:not|isnt|arent|aint|never) {_ADV}{{0,2}}(?:for (?:me|us|him|her|them)\b"
            r"|(?:my|our|his|her|their) (?:thing|cup of tea|bag|jam|style|scene|genre|taste|vibe)"
            r"|what (?:i|we) (?:want|need|like|enjoy|feel like|fancy|had in mind)|on the menu"
            r"|an option|welcome|allowed))",
            rf"X (?:[a-z]+ )?(?P<m>(?:dont|doesnt|do not|does not|never) {_ADV}{{0,2}}(?:do it|work"
            r"|do much|cut it|appeal|click|sit well|agree) (?:for|with|to) "
            rf"{_PERSON}\b)",
            rf"X (?:(?!that|which|who)[a-z]+ ){{0,2}}?(?P<m>(?:is|are) {_ADV}{{0,2}}(?:out{_END}"
            r"|off the (?:table|menu|list)|off limits|out of the question|banned|forbidden"
            r"|a (?:hard |big |definite |firm )?(?:no(?: go| no)?|pass)\b|a (?:turn off|turnoff"
            r"|deal breaker|dealbreaker)|where (?:i|we) draw the line|dead to me|the last thing"
            rf" (?:i|we|she|he) (?:want|need)s?|(?:{_DULL})\b))",
            r"X(?:[?:-]|,)? (?P<m>(?:hard pass|meh|nope|no way|no chance|nah|ugh|yuck|god no"
            r"|please no|not (?:tonight|today|again)|no thanks|no thank you))"
            r"(?=[.?:-]|$|, (?!im?\b|ive|not))",
            r"X[?:-]? (?P<m>no)(?=[.:-]|$|, (?!im?\b|ive|id|its?\b|thats?\b|we|not|you|they|what))",
        ),
    ),
    ("alone", (r"X (?P<m>free)\b(?! (?:to|for|on|of|online|with|tonight|streaming))",)),
    (
        "close",
        (
            rf"(?P<o>keep) {_THINGS} (?P<m>(?:well |far |the hell )?(?:away|out|off)\b"
            rf"(?: (?:from|of) (?:{_PERSON}|it|this))?)",
            rf"(?P<o>leave) {_THINGS} (?P<m>(?:out|off|aside|behind)\b(?: of (?:it|this))?)",
            rf"(?P<o>give) {_THINGS} (?P<m>(?:a (?:miss|rest|wide berth|break))\b)",
            rf"(?P<o>finds?) {_THINGS} (?P<m>{_ADV}{{0,2}}(?:{_DULL})\b)",
        ),
    ),
    ("flip", (r"(?:unless|except (?:if|when)|only not if)\b",)),
    ("brief", (r"(?:go |goes |going )?(?:easy|light) on(?: the)?" + _AHEAD,)),
    (
        "reject",
        (
            rf"spar(?:e|ing) {_PERSON}(?: from)?{_AHEAD}",
            rf"(?:hold|lose|ditch|drop|scrap|lay off|cut|skip|enough with) (?:the|all|any){_AHEAD}",
            rf"lay off{_AHEAD}",
            rf"forget(?: about)?{_AHEAD}",
            r"zero(?: (?:interest|patience|tolerance|appetite|desire|time) (?:in|for|to see))?"
            + _AHEAD,
            rf"(?:im|i am|were|we are|shes|hes|theyre) (?:[a-z]+ly |so |just )?over{_AHEAD}",
            r"(?:ill|i will|well|we will|lets|gonna|going to|id|hard|i|we) (?:have to |rather "
            rf"|gladly )?pass on{_AHEAD}",
            r"(?:can|could|would|will) (?:easily |happily |rather )?(?:do|live) without",
            rf"too (?!much|many|long|few)[a-z]+ (?:for|to (?:watch|see|handle|take|face|sit through"
            rf"|deal with|cope with)){_AHEAD}",
            r"sick (?:to death|and tired) of",
            r"(?:had it )?up to here with",
            r"(?:stop|quit) (?:giving|showing|recommending|suggesting|sending|offering)"
            r"(?: me| us)?",
            r"last thing (?:i|we|she|he) (?:want|need|fancy)s?(?: to (?:see|watch))?"
            r"(?: (?:is|are))?",
            r"a (?:break|rest) from",
            r"dont you dare",
            r"(?:devoid|void|bereft|clear) of",
            r"(?:nobody|no one|none of (?:us|them)|neither of us)(?: [a-z]+)? (?:likes?|wants?"
            r"|loves?|enjoys?|needs?|asked for|(?:can |could )?(?:stands?|bears?)|cares? (?:for"
            r"|about))(?: to (?:see|watch))?",
            r"(?:no|little|zero) (?:appetite|energy|patience|nerves?|stomach|tolerance|room"
            r"|interest|desire) (?:for|in)",
            r"(?:rather|preferably|ideally|though|just) (?:not|no|never)\b",
        ),
    ),
    ("habit", (r"(?:i|we|she|he|they) used to\b",)),
    (
        "past",
        (
            r"(?:last (?:time|night|week|weekend|month|year|friday|saturday|sunday)|yesterday"
            r"|the other (?:day|night))\b",
            r"(?:i|we|she|he|they) (?:only ever|have been watching|always watch)\b",
            r"(?:ive|weve|i have|we have) (?:only |just )?been (?:watching|seeing)\b",
            r"(?:it was|(?:we|i|they) (?:had|watched|saw|got))(?= (?:[a-z0-9X]+ ){1,8}?"
            r"(?:last (?:time|night|week|weekend|month)|yesterday)\b)",
        ),
    ),
)
_COMPILED = tuple((kind, re.compile(rf"\b(?:{p})")) for kind, ps in _PATTERNS for p in ps)
_PUNCTUATION = re.compile(r"\s-+\s|[,.!?;:…()\n—–]")
_ANSWERS = re.compile(r"\s(?=(?:No|Nope|Not|Nah|Yes|Yeah|Ok)\b)")  # "a comedy No, I haven't"
_AS = {",": ",", "?": "?", ":": ":", "—": "-", "–": "-", "-": "-"}

_IDIOMS = re.compile(
    r"""\b(?:(?<=\bgive\s)|(?<=\bgives\s))(?:me|us|him|her|them|(?:my|our|the)\s+\w+)\s+(?:\w+\s+)?
    (?:nightmares?|anxiety|stress)\b
    |\b(?:go|goes|going)\s+(?:easy|light)\s+on\b|\b(?:easy|light)\s+on\s+the\b
    |(?<=\blike\sa\s)good\s+old\b|(?<=\bbeats\sa\s)good\s+old\b|\b(?:gets?|grows?)\s+old\b
    |\b(?:i|we|that|it|she|he)(?:['’]d|\s+would)\s+(?:be|feel|make\s+me)\s+(?:\w+\s+)?(?:sad|happy)\b
    |\bwhen\s+(?:(?:my|our|his|her|their)\s+\w+(?:\s+and\s+\w+)?|i|we|they|s?he)\s+(?:was|were)\s+
    (?:still\s+)?(?:a\s+)?(?:kids?|child(?:ren)?|little|young|small|born|teens?|teenagers?)\b""",
    re.I | re.X,
)


class _Span(Protocol):
    """What a text mentions: a token span."""

    @property
    def first(self) -> int: ...
    @property
    def after(self) -> int: ...
    @property
    def audience(self) -> bool: ...


class Idiom(NamedTuple):
    """Characters whose words do not mean what they mean alone: "when my parents were kids"."""

    start: int
    end: int


def find_idioms(text: str) -> list[Idiom]:
    """Idioms in a text, in order, without overlaps."""
    return [Idiom(m.start(), m.end()) for m in _IDIOMS.finditer(text)]


def find_shapes(
    text: str, tokens: Sequence[Token], mentions: Mapping[int, _Span]
) -> list[PhraseMatch[Shape]]:
    """Shapes in a text, in order; of two at one place the first in the table counts.

    Args:
        text: the text.
        tokens: its tokens.
        mentions: what the text mentions, by first token.
    """
    words, starts, ends = _words(text, tokens, mentions)
    found: dict[int, PhraseMatch[Shape]] = {}
    taken = [False] * len(tokens)
    for kind, pattern in _COMPILED:
        for match in pattern.finditer(words):
            group = match.groupdict()
            part = "m" if group.get("m") else 0
            spans: list[tuple[Shape, str | int]] = [(kind, part)]
            if group.get("o"):
                spans.insert(0, ("reject", "o"))
            marks = [
                PhraseMatch(starts[match.start(p)], ends[match.end(p)], shape)
                for shape, p in spans
                if match.start(p) in starts and match.end(p) in ends
            ]
            if len(marks) < len(spans) or any(any(taken[m.first : m.after]) for m in marks):
                continue
            for mark in marks:
                taken[mark.first : mark.after] = [True] * (mark.after - mark.first)
                found[mark.first] = mark
    return [found[first] for first in sorted(found)]


def _words(
    text: str, tokens: Sequence[Token], mentions: Mapping[int, _Span]
) -> tuple[str, dict[int, int], dict[int, int]]:
    """The text as it is matched, and tokens by the characters where words start and end."""
    parts: list[str] = []
    starts: dict[int, int] = {}
    ends: dict[int, int] = {}
    size = 0
    for word, first, after in _units(tokens, mentions):
        starts[size], ends[size + len(word)] = first, after
        end = tokens[after].start if after < len(tokens) else len(text)
        stop = tokens[after - 1].end
        mark = _PUNCTUATION.search(text, stop, end) or _ANSWERS.match(text, stop)
        part = f"{word}{_AS.get(mark[0].strip(), '.') if mark else ''} "
        parts.append(part)
        size += len(part)
    return "".join(parts).rstrip(), starts, ends


def _units(
    tokens: Sequence[Token], mentions: Mapping[int, _Span]
) -> Iterator[tuple[str, int, int]]:
    at = 0
    while at < len(tokens):
        mention = mentions.get(at)
        if mention is None:
            yield tokens[at].form, at, at + 1
            at += 1
        else:
            yield "K" if mention.audience else "X", at, mention.after
            at = mention.after
