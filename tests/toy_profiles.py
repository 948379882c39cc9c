"""Random profiles of users of the toy world."""

from __future__ import annotations

from hypothesis import strategies as st

from coldstart import UserProfile
from tests.toy import toy_catalog

text = st.text(st.characters(codec="utf-8"), min_size=1, max_size=10).filter(str.strip)
ids = st.sampled_from(list(toy_catalog().ids))
titles = st.sampled_from([i.title for i in toy_catalog()])
profiles = st.builds(
    UserProfile,
    age=st.none() | st.integers(0, 130),
    gender=st.none() | st.sampled_from(["M", "F", "女"]),
    occupation=st.none() | text,
    interests=st.lists(st.sampled_from(["Sci-Fi", "Drama"]) | text, max_size=3),
    about=st.none() | text,
    liked=st.lists(ids | titles, max_size=4),
    disliked=st.lists(ids, max_size=2),
    seen=st.lists(ids, max_size=2),
    attributes=st.dictionaries(text, text, max_size=2),
)
