"""Ten films and nine people who liked some: item store, random requests, signals and lists."""

from types import SimpleNamespace

from hypothesis import strategies as st

from coldstart.catalog.catalog import Catalog
from coldstart.catalog.item_store import ItemStore
from coldstart.interactions.interaction_stats import Counts
from coldstart.pipeline.draft import Draft
from coldstart.pipeline.explain import ExplainStage
from coldstart.pipeline.rank import RankStage
from coldstart.pipeline.request import RecommendOptions, RecommendRequest
from coldstart.profile.resolve import PickResolver, ResolvedProfile
from coldstart.ranking.filters import default_filters
from coldstart.ranking.ranker import BlendRanker
from coldstart.schema import Candidate, Context, Grounding, Item, Match, UserProfile
from coldstart.scoring.lm_signals import LMSignals
from coldstart.scoring.registry import SIGNALS
from coldstart.scoring.scorer import Scores
from coldstart.scoring.scorers import Scorers
from coldstart.testing import probes
from tests.fakes import FakeEncoder

FILMS = (
    ("1", "Star Voyage", 1979, ("Sci-Fi", "Action")),
    ("2", "Star Voyage Two", 1982, ("Sci-Fi",)),
    ("3", "Moon Colony", 1990, ("Sci-Fi", "Drama")),
    ("4", "Quiet Garden", 1991, ("Drama",)),
    ("5", "Garden of Letters", 1993, ("Drama", "Romance")),
    ("6", "Paris Wedding", 1994, ("Romance", "Comedy")),
    ("7", "The Clumsy Waiter", 1995, ("Comedy",)),
    ("8", "Night Train", 1996, ("Thriller",)),
    ("9", "Desert Chase", 1997, ("Action", "Thriller")),
    ("10", "Unseen Reels", 1998, ("Drama",)),  # liked by nobody
)
PEOPLE = {
    "u1": (UserProfile(age=24, gender="M", occupation="student"), "1 2 3 9"),
    "u2": (UserProfile(age=29, gender="M", occupation="student"), "1 2 9"),
    "u3": (UserProfile(age=31, gender="F", occupation="nurse"), "4 5 6"),
    "u4": (UserProfile(age=35, gender="F", occupation="nurse"), "4 5 6 7"),
    "u5": (UserProfile(age=70, gender="F", attributes={"pet": "cat"}), "6 7 8"),
    "u6": (UserProfile(age=8, attributes={"pet": "dog"}), "1 7"),
    "u7": (UserProfile(age=15), "1 3"),
    "u8": (UserProfile(gender="M", attributes={"age": "old"}), "1 9"),
    "u9": (UserProfile(age=64), "8"),
}
NOBODY = ResolvedProfile(UserProfile(), Context())


def film(item_id, title, year=None, categories=(), **more):
    return Item(item_id=item_id, title=title, year=year, categories=categories, **more)


def make_catalog():
    return Catalog(film(*row) for row in FILMS)


def make_counts():
    users = {u: p for u, (p, _) in PEOPLE.items()}
    return Counts.fit([f[0] for f in FILMS], users, {u: x.split() for u, (_, x) in PEOPLE.items()})


def make_item_store(catalog=None, encoder=None):
    item_store = ItemStore(catalog or make_catalog(), make_counts(), encoder or FakeEncoder())
    item_store.sync()
    return item_store


ITEM_STORE = make_item_store()  # shared by tests that do not change it


def resolved(profile=None, context=None, item_store=ITEM_STORE, unknown="error"):
    who, now = UserProfile(**(profile or {})), Context(**(context or {}))
    return PickResolver(item_store.catalog, item_store.counts, unknown).resolve(who, now)


def features_of(user, item_store=ITEM_STORE, **more):
    features = probes.features_of(item_store, user, [Scores.of_model(LMSignals(**more))])
    return dict(zip(SIGNALS.names, features.T, strict=True))


def recommend(user, item_store=ITEM_STORE, found=None, ranker=None, **options):
    """Rank and explain by the item store alone, without a language model."""
    options = {"strategy": "prior", "filters": default_filters()} | options
    parts = SimpleNamespace(
        item_store=item_store, ranker=ranker or BlendRanker.default(), scorers=Scorers()
    )
    draft = Draft(0, RecommendRequest(user, RecommendOptions(**options)), item_store)
    draft.catalog_scores = [Scores.of_model(found or LMSignals())]
    draft.features = probes.features_of(item_store, user, draft.catalog_scores)
    return ExplainStage(parts).explain(draft, RankStage(parts).rank(draft))


ids = st.sampled_from([f[0] for f in FILMS])
titles = st.sampled_from([f[1] for f in FILMS])
profiles = st.fixed_dictionaries(
    {},
    optional={
        "age": st.integers(0, 130),
        "gender": st.sampled_from(["M", "F", "m", "other"]),
        "occupation": st.sampled_from(["nurse", "Student ", "diver"]),
        "attributes": st.dictionaries(
            st.sampled_from(["pet", "age"]), st.sampled_from(["cat", "dog", "old"])
        ),
        "interests": st.lists(
            st.sampled_from(["sci-fi", "Drama", "COMEDY", "gardens", "trains\nat night"])
        ),
        "about": st.sampled_from(["quiet garden letters", "star\nvoyage", "x" * 100, "\x00"]),
        "liked": st.lists(ids | titles, max_size=4),
        "disliked": st.lists(ids, max_size=2),
        "seen": st.lists(ids, max_size=2),
    },
)
contexts = st.fixed_dictionaries(
    {},
    optional={
        "viewing": ids,
        "text": st.sampled_from(["paris wedding", "a desert\n chase"]),
        "occasion": st.just("night on a train"),
        "time": st.just("evening"),
    },
)


def reasons_of(profile=None, context=None, item_store=ITEM_STORE, **options):
    user = resolved(profile, context, item_store)
    return {line.item_id: line.reason for line in recommend(user, item_store, **options)}


def wrote(title, logprob, *matches):
    return Grounding(
        candidate=Candidate(text=title, logprob=logprob, strategy="free"),
        matches=tuple(Match(item_id=i, similarity=s) for i, s in matches),
        method="similarity" if matches else "abstained",
    )
