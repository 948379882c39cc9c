"""``coldstart recommend``: what is asked, what is printed, and mistakes."""

from __future__ import annotations

import json

import pytest

from coldstart.schema import Piece, Reason, Understood
from tests.cli.helpers import fails, stdin

pytestmark = pytest.mark.usefixtures("fake")


def test_flags_become_profile_context_and_options(run, fake):
    code, _, _ = run(
        "recommend", "--age", 24, "--gender", "M", "--occupation", "technician",
        "--location", "Köln", "--language", "de", "--attribute", "diet=a=b",
        "--interest", "Sci-Fi", "--interest", "Thriller", "--about", "slow", "--liked", "Toy Story",
        "--disliked", "3", "--seen", "2", "--time", "Friday", "--using", "TV", "--place", "home",
        "--occasion", "date", "--text", "funny", "--viewing", "1", "-k", 2, "--strategy", "both",
        "--diversity", 0.5, "--popularity-penalty", 0.1, "--words", 0.8, "--near-duplicates",
        "--seed", 7,
        "--ignore-unknown",
        "--artifact", "here", "--device", "cpu", "--dtype", "float32", "--revision", "v1",
    )  # fmt: skip
    assert code == 0
    [call] = fake.calls
    assert call.pop("profile").model_dump(exclude_defaults=True) == {
        "age": 24,
        "gender": "M",
        "occupation": "technician",
        "location": "Köln",
        "language": "de",
        "attributes": {"diet": "a=b"},
        "interests": ("Sci-Fi", "Thriller"),
        "about": "slow",
        "liked": ({"item": "Toy Story"},),
        "disliked": ({"item": "3"},),
        "seen": ({"item": "2"},),
    }
    assert call.pop("context").model_dump(exclude_defaults=True) == {
        "time": "Friday",
        "device": "TV",
        "place": "home",
        "occasion": "date",
        "text": "funny",
        "viewing": {"item": "1"},
    }
    assert call == {
        "k": 2,
        "strategy": "both",
        "filters": None,
        "diversity": 0.5,
        "popularity_penalty": 0.1,
        "words": 0.8,
        "near_duplicates": True,
        "unknown_picks": "ignore",
        "decoding": None,
        "seed": 7,
        "strict": True,
    }
    assert fake.loaded == [("here", "cpu", "float32", "v1")]


def test_the_artifact_is_that_of_movies_or_from_the_environment(run, fake, monkeypatch):
    assert run("recommend")[0] == 0
    assert fake.loaded.pop()[0] == "adapters/movies"
    monkeypatch.setenv("COLDSTART_ARTIFACT", "elsewhere")
    assert run("recommend")[0] == 0
    assert fake.loaded[0][0] == "elsewhere"


def test_filters_add_to_the_default_ones(run, fake):
    run("recommend", "--exclude-category", "horror", "--from-year", 1990, "--to-year", 2000)
    names = [f.name for f in fake.calls[0]["filters"]]
    assert names == ["known", "available", "age-rating", "categories", "years"]
    years = fake.calls[0]["filters"][-1]
    assert (years.first, years.last) == (1990, 2000)


def test_a_misspelled_category_is_refused(run):
    fails(run("recommend", "--include-category", "SciFi"), "'SciFi'", "did you mean 'Sci-Fi'?")
    fails(run("recommend", "--exclude-category", "x"), "there are: Animation, Horror, Sci-Fi")


def test_flags_replace_fields_and_extend_lists_of_the_file(run, fake, tmp_path):
    path = tmp_path / "user.json"
    path.write_text(
        json.dumps(
            {
                "profile": {
                    "age": 31,
                    "gender": "F",
                    "liked": "Fargo",
                    "seen": [{"item": "2", "at": "2024-01-01T00:00:00"}],
                    "attributes": {"a": 1, "b": 2},
                },
                "context": {"time": "noon", "place": "home"},
            }
        )
    )
    run("recommend", "--profile", path, "--age", 32, "--liked", "1", "--seen", "3",
        "--attribute", "b=3", "--time", "night")  # fmt: skip
    profile, context = fake.calls[0]["profile"], fake.calls[0]["context"]
    assert (profile.age, profile.gender) == (32, "F")
    assert [p.item for p in profile.liked] == ["Fargo", "1"]
    assert [p.item for p in profile.seen] == ["2", "3"]
    assert profile.seen[0].at is not None
    assert profile.attributes == {"a": "1", "b": "3"}
    assert (context.time, context.place) == ("night", "home")


def test_picks_are_favourites_unless_they_are_said_to_be_a_history(run, fake):
    run("recommend", "--liked", "1")
    run("recommend", "--liked", "1", "--history")
    assert [call["profile"].history for call in fake.calls] == [False, True]


def test_a_plain_profile_comes_from_standard_input(run, fake, monkeypatch):
    stdin(monkeypatch, '\ufeff{"age": 31, "liked": ["Toy Story"]}\n')
    assert run("recommend", "-p", "-")[0] == 0
    assert fake.calls[0]["profile"].age == 31


@pytest.mark.parametrize(
    "text",
    ['[{"age": 1, "user_id": "ann"}, {"age": 2}]', '{"age": 1, "user_id": "ann"}\n\n{"age": 2}\n'],
)
def test_several_users_get_an_answer_each(run, fake, monkeypatch, text):
    stdin(monkeypatch, text)
    code, out, _ = run("recommend", "--profile", "-", "--gender", "F")
    assert code == 0
    assert out.index("ann") < out.index("user 2")
    assert [(c["profile"].age, c["profile"].gender) for c in fake.calls] == [(1, "F"), (2, "F")]
    stdin(monkeypatch, text)
    answers = json.loads(run("recommend", "--profile", "-", "--json")[1])
    assert [a["user_id"] for a in answers] == ["ann", None]


def test_each_sentence_of_a_file_is_a_user_known_by_it_alone(run, fake, tmp_path, monkeypatch):
    path = tmp_path / "sentences.txt"
    path.write_text("a western, please\n\n  ‘gentle’ films \n", encoding="utf-8")
    code, out, _ = run("recommend", "--sentences", path, "--age", 31)
    assert code == 0
    profiles = [call["profile"] for call in fake.calls]
    assert [(p.about, p.age) for p in profiles] == [
        ("a western, please", 31),
        ("‘gentle’ films", 31),
    ]
    assert out.index("“a western, please”") < out.index("Toy Story") < out.index("“‘gentle’ films”")
    stdin(monkeypatch, "westerns")
    answers = json.loads(run("recommend", "--sentences", "-", "--json")[1])
    assert [a["user_id"] for a in answers] == [None]


def test_the_understanding_of_a_sentence_stands_between_it_and_its_list(run, fake, monkeypatch):
    understood = Understood(
        text="westerns",
        pieces=(Piece(kind="category", value="Western", words="westerns", start=0, end=8),),
    )
    plain = fake.recommend

    def reading(self, profile, context=None, **options):
        found = plain(self, profile, context, **options)
        return found.model_copy(update={"understood": understood})

    monkeypatch.setattr(fake, "recommend", reading)
    stdin(monkeypatch, "westerns")
    out = run("recommend", "--sentences", "-")[1]
    places = [out.index(x) for x in ("“westerns”", "Understood: wanted: Western.", "Toy Story")]
    assert places == sorted(places)


def test_sentences_stand_alone(run, tmp_path):
    path = tmp_path / "sentences.txt"
    path.write_text("\n \n", encoding="utf-8")
    fails(run("recommend", "--sentences", path), "sentences.txt: no sentence in it", "one sentence")
    fails(run("recommend", "--sentences", tmp_path / "none.txt"), "No such file")
    fails(run("recommend", "--sentences", path, "--about", "x"), "--sentences beside --about")
    fails(run("recommend", "--sentences", path, "--profile", "x"), "--sentences beside --profile")


def test_json_lines_give_a_list_even_for_one_user(run, tmp_path):
    path = tmp_path / "users.jsonl"
    path.write_text('{"age": 3}\n')
    assert len(json.loads(run("recommend", "--profile", path, "--json")[1])) == 1


def test_table_shows_titles_as_they_are_and_what_was_left_out(run):
    code, out, err = run("recommend")
    assert (code, err) == (0, "")
    assert "[REC]" in out
    assert "0.500" in out
    assert "popular" in out
    assert "left out: Alien – already seen" in out
    assert "note: prompt trimmed" in out
    assert "Favourite" not in out
    assert "\x1b" not in out


def test_explain_shows_contributions_and_the_prompt(run):
    _, out, _ = run("recommend", "--explain", "-k", 1)
    assert "model -0.50, popularity +0.25" in out
    assert out.endswith("Favourite [movies]:\n")


def test_json_is_one_valid_document(run):
    code, out, err = run("recommend", "--json", "-k", 2)
    assert (code, err) == (0, "")
    answer = json.loads(out, parse_constant=lambda c: pytest.fail(f"{c} is no JSON"))
    assert [r["item_id"] for r in answer["items"]] == ["1", "2"]
    assert answer["items"][0]["provenance"]["logprob"] is None  # minus infinity
    assert answer["notes"] == ["prompt trimmed"]
    assert answer["user_id"] is None


def test_reasons_come_in_the_language_named_and_as_data(run, fake, monkeypatch):
    reasons = (Reason(code="alike", arguments={"pick": "Good, and Bad"}), Reason(code="cold"))
    plain = fake.recommend

    def explained(self, profile, context=None, **options):
        found = plain(self, profile, context, **options)
        items = (r.model_copy(update={"reasons": reasons, "reason": "English"}) for r in found)
        return found.model_copy(update={"items": tuple(items)})

    monkeypatch.setattr(fake, "recommend", explained)
    code, out, err = run(
        "recommend", "-k", 1, "--json", "--reasons-in", "zh-CN", "--language", "de"
    )
    assert (code, err) == (0, "")
    answer = json.loads(out)
    assert answer["items"][0]["reason"] == "和“Good, and Bad”相似；目录中的新品，接近人们喜欢的。"
    assert answer["items"][0]["reasons"] == [r.model_dump() for r in reasons]
    assert fake.calls[-1]["profile"].language == "de"
    assert "和“Good, and Bad”相似" in run("recommend", "-k", 1, "--reasons-in", "zh")[1]
    assert "Similar to Good, and Bad" in run("recommend", "-k", 1)[1]
    loaded = len(fake.loaded)
    fails(run("recommend", "--reasons-in", "fr"), "no reasons in language 'fr'", "one of en, zh")
    assert len(fake.loaded) == loaded


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ('{"age": 24,\n "gender": }', ["standard input: not JSON at line 2, column 12"]),
        ('{"age": 1}\n{"age" 2}\n', ["line 2, column 8"]),
        ("", ["no profile in it"]),
        ("[]", ["no profile in it"]),
        ("[1]", ["user 1: expected a JSON object, got int"]),
        ('"x"', ["expected a JSON object, got str"]),
        ('{"agee": 1}', ["agee: Extra inputs", "fields: "]),
        ('{"age": -1}', ["age: Input should be greater"]),
        ('[{"age": 1}, {"age": "x"}]', ["user 2: invalid profile: age"]),
        ('{"profile": 3}', ["invalid profile"]),
        ('{"profile": {}, "context": {"weather": "wet"}}', ["invalid context: weather"]),
        ('{"profile": {}, "k": 3}', ["k: Extra inputs"]),
        (b'{"about": "\xff"}', ["not UTF-8 at byte 11"]),
        ("[" * 200_000, ["nested too deeply"]),
    ],
)
def test_bad_profiles_get_one_line_before_anything_is_loaded(run, fake, monkeypatch, text, parts):
    stdin(monkeypatch, text)
    fails(run("recommend", "--profile", "-"), *parts)
    assert not fake.loaded


@pytest.mark.parametrize(
    ("args", "parts"),
    [
        (["--age", "x"], ["'--age'", "see coldstart recommend --help"]),
        (["--age", "-3"], ["age: Input should be greater than or equal to 0"]),
        (["--nonsense"], ["--nonsense", "hint: see coldstart recommend --help"]),
        (["-k", "0"], ["-k"]),
        (["--strategy", "magic"], ["--strategy"]),
        (["--diversity", "1.5"], ["--diversity"]),
        (["--from-year", "2000", "--to-year", "1990"], ["first year 2000 is after"]),
        (["--include-category", "a", "--exclude-category", "A"], ["both included and excluded"]),
        (["--attribute", "diet"], ["'diet'", "NAME=VALUE"]),
        (["--profile", "no/such.json"], ["no/such.json: No such file", "check the path"]),
    ],
)
def test_bad_options_get_one_line_before_anything_is_loaded(run, fake, args, parts):
    fails(run("recommend", *args), *parts)
    assert not fake.loaded


def test_errors_fit_on_one_line_and_carry_no_control_characters(run):
    err = fails(run("recommend", "--artifact", "broken"), "cannot load it", "(hint: mend it)")
    assert "\x1b" not in err


def test_debug_shows_the_traceback(run, monkeypatch):
    monkeypatch.setenv("COLDSTART_DEBUG", "1")
    code, _, err = run("recommend", "--artifact", "broken")
    assert code == 2
    assert "Traceback" in err


def test_a_bug_is_called_a_bug(run):
    code, out, err = run("recommend", "--artifact", "bug")
    assert (code, out) == (1, "")
    assert err.count("\n") == 1
    assert "this is a bug" in err


def test_ctrl_c_is_quiet(run):
    assert run("recommend", "--artifact", "slow") == (130, "", "")
