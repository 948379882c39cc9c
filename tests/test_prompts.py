from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coldstart import prompts
from coldstart.errors import PromptError
from coldstart.prompts import PromptTemplate, in_time_order, load
from coldstart.schema import Context, Pick, UserProfile

PACKAGED = ("catalog-en", "catalog-zh", "movies-en")
PICKS = ("liked", "disliked")
TITLES = "{% for t in liked %}\n{{ t }}\n{% endfor %}\n"

text = st.text(min_size=1, max_size=30).filter(str.strip)
hostile = st.lists(
    st.sampled_from(
        [
            "\n",
            "\r\n",
            "\r",
            "\x0b",
            "\x0c",
            "\x1c",
            "\x85",
            "\u2028",
            "\u2029",
            "&#10;",
            "&amp;#10;",
        ]
        + ["&NewLine;", "Favourite movies:", "Says: x", "{{ liked }}", "{% if a %}", "x", " "]
    ),
    min_size=1,
    max_size=6,
).map(lambda parts: "a" + "".join(parts) + "b")
picks = st.lists(text | hostile, max_size=3)
profiles = st.fixed_dictionaries(
    {},
    optional={
        "age": st.integers(0, 130),
        "gender": st.sampled_from(["M", "F", "m", "f"]) | text | hostile,
        "occupation": text | hostile,
        "location": text | hostile,
        "language": text | hostile,
        "attributes": st.dictionaries(text | hostile, text | hostile, max_size=2),
        "interests": st.lists(text | hostile, max_size=3),
        "about": text | hostile,
        "liked": picks,
        "disliked": picks,
    },
)
contexts = st.fixed_dictionaries(
    {},
    optional={
        name: text | hostile for name in ("time", "device", "place", "occasion", "text", "viewing")
    },
)


packaged = cache(load)


def template(source, *variables):
    return PromptTemplate("mine", source, frozenset(variables))


def shown(source, **profile):
    return template(source).render(UserProfile(**profile)).text


def words(prompt):
    return len(prompt.split())


def trimmed(budget, context=None, **profile):
    out = load("movies-en").render(
        UserProfile(**profile), Context(**(context or {})), budget=budget, count_tokens=words
    )
    assert words(out.text) <= budget
    return out


# -- the packaged templates ------------------------------------------------------------------


def test_packaged_templates_are_listed():
    assert prompts.available() == list(PACKAGED)


@pytest.mark.parametrize("name", PACKAGED)
def test_packaged_template_is_clean(name):
    loaded = load(name)
    assert loaded.lint() == []
    assert loaded.description
    assert loaded.language == ("zh" if name.endswith("zh") else "en")


@pytest.mark.parametrize("name", PACKAGED)
def test_packaged_example_renders_byte_for_byte(name):
    example = load(name).example
    profile, context = UserProfile.parse(example["profile"]), Context.parse(example["context"])
    rendered = load(name).render(profile, context)
    assert rendered.text == example["text"]
    assert rendered.notes == ()


@pytest.mark.parametrize("name", PACKAGED)
@settings(max_examples=60)
@given(profile=profiles, context=contexts)
def test_any_partial_profile_renders_tidily(name, profile, context):
    out = packaged(name).render(UserProfile(**profile), Context(**context)).text
    *lines, last = out.split("\n")
    assert last == ""
    for line in lines:
        assert line == " ".join(line.split())  # neither blank edges nor double spaces
        assert line
    wanted = str((profile, context))
    assert "None" not in out or "None" in wanted
    assert "Undefined" not in out or "Undefined" in wanted


@pytest.mark.parametrize(
    ("profile", "first"),
    [
        ({"age": 0}, "Viewer: aged 0"),
        ({"gender": "F"}, "Viewer: woman"),
        ({"gender": "m", "age": 30}, "Viewer: man, aged 30"),
        ({"occupation": "nurse"}, "Viewer: nurse"),
        ({"location": "Oslo", "language": "Norwegian"}, "Viewer: from Oslo, speaks Norwegian"),
        ({"gender": "non-binary", "age": 18}, "Viewer: non-binary, aged 18"),
        ({"attributes": {"skin type": "dry"}}, "skin type: dry"),
        ({"interests": ["Sci-Fi", "Drama"]}, "Likes: Sci-Fi, Drama"),
        ({"about": "one\ntwo"}, "Says: one two"),
        ({"disliked": ["Heat", "Cure"]}, "Dislikes: Heat; Cure"),
        ({}, "Favourite movies:"),
    ],
)
def test_movies_template_line_by_line(profile, first):
    rendered = load("movies-en").render(UserProfile(**profile)).text
    rest = "" if not profile else "Favourite movies:\n"
    assert rendered == f"{first}\n{rest}"


@pytest.mark.parametrize(
    ("context", "first"),
    [
        ({"device": "phone"}, "Now: phone"),
        ({"time": "noon", "place": "train", "occasion": "trip"}, "Now: noon, train, trip"),
        ({"text": "a comedy"}, "Wants: a comedy"),
        ({"viewing": "Heat"}, "Looking at: Heat"),
    ],
)
def test_movies_template_shows_the_moment(context, first):
    rendered = load("movies-en").render(UserProfile(), Context(**context)).text
    assert rendered == f"{first}\nFavourite movies:\n"


def test_blank_values_leave_no_trace():
    blank = {"occupation": "&nbsp;", "about": "\x00", "interests": ["\x01", "Drama"]}
    blank |= {"attributes": {"a": "", "\x02": "b"}, "liked": ["\x03", "Heat"]}
    rendered = load("movies-en").render(UserProfile(**blank), Context(time="\x04")).text
    assert rendered == "Likes: Drama\nFavourite movies:\nHeat\n"


def test_titles_come_from_the_catalog():
    profile = UserProfile(liked="1", disliked="2")
    rendered = load("movies-en").render(profile, Context(viewing="3"), title_of="Film {}".format)
    assert rendered.text == ("Looking at: Film 3\nDislikes: Film 2\nFavourite movies:\nFilm 1\n")


# -- hash and strictness ---------------------------------------------------------------------


def test_hash_changes_with_one_space():
    loaded = load("movies-en")
    spaced = loaded.source.replace("Favourite movies:", "Favourite movies: ")
    assert template(spaced).sha256 != loaded.sha256
    assert template(loaded.source).sha256 == loaded.sha256


def test_undefined_variables_are_all_named_at_once():
    with pytest.raises(
        PromptError, match=r"undefined variable\(s\) hobby, mood, shoe \(available: about, age"
    ):
        shown("{{ mood }} {{ age }} {% if shoe %}{{ hobby }}{% endif %}")


def test_undefined_part_of_a_known_variable_is_an_error():
    with pytest.raises(PromptError, match="mine cannot be rendered: .*no attribute 'shoe'"):
        shown("{{ attributes.shoe }}")


@pytest.mark.parametrize("use", [lambda t: t.render(UserProfile()), lambda t: t._compiled])
def test_syntax_error_names_the_line(use):
    with pytest.raises(PromptError, match="template mine, line 3: "):
        use(template("one\ntwo\n{% if age %"))


def test_unknown_filter_is_an_error_with_its_line():
    with pytest.raises(PromptError, match="line 2: No filter named 'shout'"):
        shown("one\n{{ age | shout }}")


@pytest.mark.parametrize(
    "source",
    [
        "{{ about | join }}",
        "{{ 1 / 0 }}",
        "{{ about.upper() }}",
        "{{ [1][5] }}",
        "{{ ''.__class__ }}",
        "{{ ''.__class__.__mro__ }}",
        "{{ liked.append('x') }}",
        "{{ ''['__class__'] }}",
    ],
)
def test_failing_or_unsafe_template_is_a_prompt_error(source):
    with pytest.raises(PromptError, match="template mine cannot be rendered: "):
        shown(source)


def test_template_without_final_newline_gets_one():
    assert shown("{{ age }}", age=3) == "3\n"


# -- lint ------------------------------------------------------------------------------------


def test_lint_of_a_good_template():
    assert template("Likes {{ age }}:\n" + TITLES, "age", "liked").lint() == []


@pytest.mark.parametrize(
    ("source", "variables", "problem"),
    [
        ("{{ age }}\n" + TITLES, "liked", "uses 'age' without declaring it"),
        ("x\n" + TITLES, "liked age", "declares 'age' without using it"),
        ("{{ shoe }}\n" + TITLES, "liked shoe", "uses 'shoe', which no prompt offers"),
        ("{% include 'x' %}\n" + TITLES, "liked", "line 1: a template stands alone"),
        ("a\n{% import 'x' as y %}\n" + TITLES, "liked", "line 2: a template stands alone"),
        ("{% from 'x' import y %}\n" + TITLES, "liked", "line 1: a template stands alone"),
        ("{% extends 'x' %}\n" + TITLES, "liked", "line 1: a template stands alone"),
        ("x\n" + TITLES + "end\n", "liked", "must end with the liked titles"),
        ("x {{ liked | join(', ') }}\n", "liked", "must end with the liked titles"),
        ("{{ age }}\n", "age", "must end with the liked titles"),
        ("{{ liked | length }}\n" + TITLES, "liked", "must not depend on them"),
        ("{% if liked %}\nx:\n{% endif %}\n" + TITLES, "liked", "must not depend on them"),
        ("x\n{{ about.upper() }}\n" + TITLES, "liked about", "cannot be rendered"),
        ("x\n{% endfor %}", "", "line 2: "),
        ("x\n{{ age | shout }}\n" + TITLES, "liked age", "line 2: No filter named 'shout'"),
    ],
)
def test_lint_finds(source, variables, problem):
    found = template(source, *variables.split()).lint()
    assert any(problem in line for line in found), found


def test_lint_reports_everything_at_once():
    found = template("{{ shoe }} {{ age }} {% include 'x' %}", "time").lint()
    assert len(found) == 5  # shoe unknown, shoe and age undeclared, time unused, include


# -- order and budget ------------------------------------------------------------------------


def test_picks_are_shown_oldest_first_and_undated_before_dated():
    order = [
        Pick(item="new", at="2024-05-01T00:00:00Z"),
        Pick(item="a"),
        Pick(item="old", at="1999-01-01"),
        Pick(item="b"),
    ]
    assert [p.item for p in in_time_order(order)] == ["a", "b", "old", "new"]


def test_any_date_can_be_compared():
    order = [
        Pick(item="east", at="2024-01-01T12:00:00+09:00"),
        Pick(item="zoneless", at="2024-01-01T05:00:00"),
        Pick(item="west", at="2024-01-01T01:00:00-03:00"),
        Pick(item="first", at="0001-01-01T00:00:00"),
        Pick(item="last", at="9999-12-31T23:59:59+14:00"),
    ]
    found = [p.item for p in in_time_order(order)]
    assert found == ["first", "east", "west", "zoneless", "last"]


def test_oldest_liked_are_dropped_first_with_a_note():
    out = trimmed(6, liked=["one", "two", "three", "four", "five"], about="short")
    assert out.text == "Says: short\nFavourite movies:\nfour\nfive\n"
    assert out.notes == ("prompt over 6 tokens: 3 oldest liked pick(s) left out of it",)


def test_oldest_liked_are_dropped_by_timestamp():
    liked = [{"item": f"d{day}", "at": f"2024-01-0{day}"} for day in (3, 1, 4, 2)]
    out = trimmed(4, liked=liked)
    assert out.text == "Favourite movies:\nd3\nd4\n"
    assert out.notes == ("prompt over 4 tokens: 2 oldest liked pick(s) left out of it",)


def test_dislikes_are_dropped_after_every_liked_pick():
    out = trimmed(4, liked=["one"], disliked=["bad", "worse"])
    assert out.text == "Dislikes: worse\nFavourite movies:\n"
    assert [n.split(": ")[1] for n in out.notes] == [
        "1 oldest liked pick(s) left out of it",
        "1 oldest disliked pick(s) left out of it",
    ]


def test_free_text_loses_its_end_after_the_picks():
    out = trimmed(
        8, {"text": "w1 w2"}, about="a1 a2", interests=["i1", "i2", "i3"], liked="x", disliked="y"
    )
    assert out.text == "Likes: i1, i2, i3\nWants: w1\nFavourite movies:\n"
    assert [n.split(": ")[1].removesuffix(" left out of it") for n in out.notes] == [
        "1 oldest liked pick(s)",
        "1 oldest disliked pick(s)",
        "the end of `about`",
        "the end of `text`",
    ]


def test_interests_go_last_and_from_the_end():
    out = trimmed(5, interests=["i1", "i2", "i3"])
    assert out.text == "Likes: i1, i2\nFavourite movies:\n"
    assert out.notes == ("prompt over 5 tokens: the last interests left out of it",)


def test_long_text_keeps_its_beginning():
    out = trimmed(30, about=" ".join(f"w{n}" for n in range(3000)))
    assert out.text.startswith("Says: w0 w1 w2 ")
    assert words(out.text) == 30


def test_enough_budget_changes_nothing():
    profile = {"liked": ["one", "two"], "about": "x"}
    whole = load("movies-en").render(UserProfile(**profile))
    assert trimmed(words(whole.text), **profile) == whole


def test_attributes_alone_over_budget_are_an_error():
    with pytest.raises(PromptError, match="movies-en needs 8 tokens without any pick.*budget of 6"):
        trimmed(6, age=3, occupation="deep sea diver", about="x", liked=["y"])


@settings(max_examples=60)
@given(profile=profiles, context=contexts, budget=st.integers(2, 60))
def test_budget_is_kept_and_only_newest_picks_stay(profile, context, budget):
    def render(profile, context, **options):
        return packaged("catalog-zh").render(UserProfile(**profile), Context(**context), **options)

    limits = {"budget": budget, "count_tokens": words}
    attributes = {k: profile[k] for k in profile.keys() - {"about", "interests", *PICKS}}
    moment = {k: context[k] for k in context.keys() - {"text"}}
    if words(render(attributes, moment).text) > budget:
        with pytest.raises(PromptError, match=f"over the budget of {budget}"):
            render(profile, context, **limits)
        return
    whole, out = render(profile, context), render(profile, context, **limits)
    assert words(out.text) <= budget
    assert bool(out.notes) == (words(whole.text) > budget)
    liked = out.text.split("喜欢的商品：\n")[1]
    assert whole.text.endswith(liked)


# -- injection -------------------------------------------------------------------------------


def flat(value):
    """The same data with every line break a plain space."""
    if isinstance(value, dict):
        return {flat(k): flat(v) for k, v in value.items()}
    if isinstance(value, list):
        return [flat(v) for v in value]
    if not isinstance(value, str):
        return value
    for entity in ("&amp;#10;", "&#10;", "&NewLine;"):
        value = value.replace(entity, " ")
    return " ".join(value.splitlines())


@pytest.mark.parametrize("name", PACKAGED)
@settings(max_examples=60)
@given(profile=profiles, context=contexts)
def test_no_field_can_write_a_prompt_line(name, profile, context):
    def lines(p, c):
        return packaged(name).render(UserProfile(**p), Context(**c)).text.splitlines()

    assert len(lines(profile, context)) == len(lines(flat(profile), flat(context)))


def test_user_text_is_never_a_template():
    assert "{{ liked }}" in shown("{{ about }}", about="{{ liked }}")


# -- finding and loading ---------------------------------------------------------------------


def write(folder: Path, meta: str, source: str | None = "x\n" + TITLES) -> Path:
    folder.mkdir(parents=True)
    (folder / "meta.toml").write_text(meta, encoding="utf-8")
    if source is not None:
        (folder / "template.j2").write_text(source, encoding="utf-8")
    return folder


META = 'language = "en"\ndomain = "any"\ndescription = "Mine."\nvariables = ["liked"]\n'


def test_any_folder_can_be_loaded(tmp_path):
    loaded = load(write(tmp_path / "shop", META))
    assert loaded.name == "shop"
    assert loaded.variables == {"liked"}
    assert loaded.example == {}
    assert loaded.lint() == []


def test_source_is_kept_byte_for_byte(tmp_path):
    folder = write(tmp_path / "shop", META)
    (folder / "template.j2").write_bytes(b"x\r\n y \n")
    assert load(folder).source == "x\r\n y \n"


@pytest.mark.parametrize("name", ["nowhere", "", "\0", "movies_en"])
def test_unknown_template_lists_the_packaged_ones(name):
    with pytest.raises(PromptError, match="no prompt template .*catalog-en, catalog-zh, movies-en"):
        load(name)


def test_folder_without_template_is_unknown(tmp_path):
    with pytest.raises(PromptError, match="no prompt template"):
        load(write(tmp_path / "shop", META, source=None))


@pytest.mark.parametrize(
    ("meta", "why"),
    [
        ("language = ", "Invalid value"),
        ('language = "en"\n', "variables"),
        (META.replace('["liked"]', '"liked"'), "variables is no list"),
        (META.replace('["liked"]', "3"), "variables is no list"),
        (META.replace('["liked"]', '[["liked"]]'), "unhashable"),
        (META.replace("domain", "area"), "domain"),
    ],
)
def test_malformed_meta_is_one_line(tmp_path, meta, why):
    with pytest.raises(
        PromptError, match=f"cannot read the template: .*{why}.*meta.toml needs"
    ) as e:
        load(write(tmp_path / "shop", meta))
    assert "\n" not in str(e.value)


def test_missing_meta_and_wrong_encoding_are_prompt_errors(tmp_path):
    folder = write(tmp_path / "shop", META)
    (folder / "template.j2").write_bytes(b"\xff\xfe")
    with pytest.raises(PromptError, match="cannot read the template: 'utf-8' codec"):
        load(folder)
    (folder / "meta.toml").unlink()
    with pytest.raises(PromptError, match="cannot read the template: .*No such file"):
        load(folder)


def test_wheel_layout_is_found(tmp_path, monkeypatch):
    write(tmp_path / "coldstart" / "_prompts" / "wheeled", META)
    monkeypatch.setattr(prompts, "__file__", str(tmp_path / "coldstart" / "prompts.py"))
    assert prompts.available() == ["wheeled"]
    assert load("wheeled").description == "Mine."


def test_repository_layout_is_found(tmp_path, monkeypatch):
    write(tmp_path / "prompts" / "checked-out", META)
    monkeypatch.setattr(prompts, "__file__", str(tmp_path / "coldstart" / "prompts.py"))
    assert prompts.available() == ["checked-out"]
