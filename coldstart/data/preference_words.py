"""Names of columns of preferences, and words in them: ratings, events, flags."""

from __future__ import annotations

import re
import unicodedata
from typing import Literal

RATING_NAMES = (
    "rating", "ratings", "user_rating", "rating_value", "book_rating", "movie_rating",
    "review_rating", "star_rating", "rating_score", "review_score", "overall", "overall_rating",
    "score", "scores", "stars", "star", "user_score", "rate", "rated", "grade", "preference",
    "pref", "my_rating", "your_rating", "points", "opinion", "sentiment", "satisfaction",
    "enjoyment",
    # German, Dutch, Scandinavian
    "bewertung", "wertung", "sterne", "punkte", "beoordeling", "waardering", "sterren", "cijfer",
    "betyg", "vurdering", "karakter", "arvosana",
    # French, Spanish, Portuguese, Italian
    "evaluation", "appreciation", "etoiles", "puntuacion", "valoracion", "calificacion",
    "estrellas", "avaliacao", "estrelas", "pontuacao", "valutazione", "voto", "stelle", "nota",
    "note",
    # Polish, Czech, Russian, Turkish, Chinese, Japanese, Korean
    "ocena", "hodnoceni", "оценка", "рейтинг", "puan", "评分", "評分", "評価", "평점", "별점",
)  # fmt: skip
"""Names of graded preferences, the surest first."""
EVENT_NAMES = (
    "event", "event_type", "event_name", "action", "action_type", "behavior", "behaviour",
    "behavior_type", "interaction", "interaction_type", "activity", "feedback", "feedback_type",
    "reaction", "vote", "user_action", "evento", "accion", "acao", "ereignis", "aktion",
    "verhalten", "действие", "событие", "行为", "行為",
)  # fmt: skip
"""Names of what a user did, in words or 0 and 1."""
OPINION_NAMES = (
    "like", "liked", "is_like", "is_liked", "likes", "love", "loved", "thumb", "thumbs",
    "thumbs_up", "thumb_up", "thumbsup", "upvote", "upvoted", "recommend", "recommended",
    "is_recommended", "would_recommend", "recommendation", "positive", "is_positive", "voted_up",
    "gefallt", "gefaellt", "gefallt_mir", "me_gusta", "gusta", "gostou", "aime", "j_aime", "piace",
)  # fmt: skip
"""Names of flags whose 0 is a dislike."""
FLAG_NAMES = (
    "click", "clicks", "clicked", "is_click", "is_clicked", "purchase", "purchased",
    "is_purchased", "bought", "ordered", "converted", "is_read", "watched", "is_watched", "saved",
    "favorite", "favourite", "is_favorite", "bookmarked", "in_wishlist", "interacted", "consumed",
    "label", "target", "implicit", "implicit_feedback", "gekauft", "geklickt", "comprado", "achete",
)  # fmt: skip
"""Names of flags whose 0 says nothing."""
DISLIKE_NAMES = (
    "dislike", "disliked", "is_dislike", "is_disliked", "thumbs_down", "thumb_down", "downvote",
    "downvoted", "hated", "not_interested",
)  # fmt: skip
"""Names of flags whose 1 is a dislike."""

_LIKES = """
like liked likes love loved loves favorite favorited favourite fav favor heart up thumbs_up
thumb_up thumbsup upvote plus positive pos good great excellent amazing yes recommend recommended
save saved bookmark bookmarked share shared purchase purchased buy bought order ordered
transaction checkout cart add_to_cart addtocart added_to_cart basket add_to_basket wishlist
add_to_wishlist subscribe subscribed follow followed rent rented download downloaded complete
completed finish finished conversion gefallt gefaellt gefallt_mir kauf gekauft bestellt warenkorb
aime j_aime achat achete me_gusta gusta compra comprado comprar curtir gostei acquisto mi_piace
👍 ❤ ❤️ 😍 ★
"""
_DISLIKES = """
dislike disliked dislikes hate hated down thumbs_down thumb_down thumbsdown downvote minus negative
neg bad terrible awful poor no not_recommended not_interested notinterested uninterested hide hidden
block blocked report return returned refund refunded reject rejected gefallt_mir_nicht
gefaellt_mir_nicht je_n_aime_pas no_me_gusta nao_gostei non_mi_piace 👎 💔
"""
_ENGAGED = """
view viewed views click clicked clicks open opened visit visited page_view pageview pv detail
detail_view product_view view_item play played listen listened watch watched read stream streamed
start started borrow borrowed checkin check_in rate rated review reviewed ansicht angesehen klick
vue vu clic visto ver
"""
_SHOWN = """
impression impressions show shown seen exposure expose display displayed serve served search scroll
hover neutral ok okay mixed meh so_so average unknown none skip skipped pass passed ignore ignored
remove removed remove_from_cart removefromcart unlike unliked unsave unfollow logout login
"""

Kind = Literal["like", "dislike", "engaged", "shown"]


def word_key(text: object) -> str:
    """Comparison key of an event: lower case, no accents, ``_`` between words.

    >>> word_key("Add-to-Cart"), word_key("👍")
    ('add_to_cart', '👍')
    """
    bare = unicodedata.normalize("NFKD", str(text).strip().casefold())
    bare = "".join(c for c in bare if not unicodedata.combining(c))
    return re.sub(r"[\s\-.'’/]+", "_", bare).strip("_")


_BY_KIND: tuple[tuple[Kind, str], ...] = (  # of a word in two lists the last counts
    ("shown", _SHOWN),
    ("engaged", _ENGAGED),
    ("dislike", _DISLIKES),
    ("like", _LIKES),
)
WORDS: dict[str, Kind] = {word_key(w): kind for kind, words in _BY_KIND for w in words.split()}
"""Kind of each known word, by ``word_key``."""
_YES = "true yes y t ja oui si sí sim vero tak ano да evet 是 はい".split()
_NO = "false no n f nein non nao não falso nie ne нет hayir hayır 否 いいえ".split()
TRUTHS = dict.fromkeys(_YES, 1.0) | dict.fromkeys(_NO, 0.0)
"""Words of a flag."""
