import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coldstart.catalog.titles import (
    clean_text,
    natural_title,
    normalise_title,
    split_year,
    without_article,
)

titles = st.one_of(
    st.text(max_size=30),
    st.text(alphabet="aeilthn'’.,*()&;#+! éÉ😀电\u0301\u200d", max_size=30),
    st.lists(
        st.sampled_from(["The", "A", "La", "L'", "l’", "I", ",", "(", ")", "Rome", "&amp;", "A.I."])
    ).map(" ".join),
)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Usual Suspects, The", "the usual suspects!"),
        ("Postino, Il", "Il Postino"),
        ("Enfer, L'", "L’enfer"),
        ("Vitelloni, I", "I vitelloni"),
        ("Amélie", "AMELIE"),
        ("Amélie", "Ame\u0301lie"),
        ("Tom & Jerry", "Tom and Jerry"),
        ("Tom &amp; Jerry", "Tom and Jerry"),
        ("Schindler's List", "Schindlers List"),
        ("M*A*S*H", "MASH"),
        ("E.T. the Extra-Terrestrial", "ET, the Extra Terrestrial"),
        ("A.I. Artificial Intelligence", "AI: Artificial Intelligence"),
        ("20,000 Leagues Under the Sea", "20000 leagues under the sea"),
        ("Straße", "STRASSE"),
        ("Smørrebrød", "Smorrebrod"),
        ("WALL·E", "Wall-E"),
        ("The Las Vegas Story", "Las Vegas Story"),
        ("L.A. Story", "LA Story"),
        ("Blechtrommel, Die", "Die Blechtrommel"),
        ("Up 🎈", "Up"),
        ("Ｆｕｌｌ Width", "full width"),
        ("Toy Story (1995)", "toy story 1995"),
    ],
)
def test_spellings_of_one_title_share_a_key(one, other):
    assert normalise_title(one) == normalise_title(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("The A-Team", "The Team"),
        ("C", "C++"),
        ("C#", "C++"),
        ("Rocky II", "Rocky III"),
        ("L.A. Story", "Story"),
        ("Die Hard", "Hard"),
        ("Les Girls", "Girls"),
        ("El Dorado", "Dorado"),
        ("Das Boot", "Boot"),
        ("L'Avventura", "Avventura"),
        ("Las Vegas", "Vegas"),
        ("й", "и"),
        ("が", "か"),
        ("!!!", "???"),
        ("😀", "😁"),
    ],
)
def test_different_titles_keep_different_keys(one, other):
    assert normalise_title(one) != normalise_title(other)


@pytest.mark.parametrize("title", ["!!!", "The", "😀", "👩‍👩‍👧", "...", "L'", "&", "霸王别姬", "Á"])
def test_every_title_has_a_key(title):
    assert normalise_title(title)


@pytest.mark.parametrize(
    ("title", "bare"),
    [
        ("Postino, Il", "postino"),
        ("L’Enfer", "enfer"),
        ("Die Hard", "hard"),
        ("The Usual Suspects", "usual suspects"),
        ("La La Land", "la la land"),
        ("The A-Team", "the a team"),
        ("Das", "das"),
    ],
)
def test_articles_of_any_language_can_be_left_out_for_a_guess(title, bare):
    assert without_article(title) == bare


def test_chinese_is_untouched():
    assert normalise_title("霸王别姬") == "霸王别姬"


@given(titles)
def test_normalise_is_idempotent_and_never_empty(title):
    key = normalise_title(title)
    assert normalise_title(key) == key
    assert bool(key) == bool(clean_text(title))


@pytest.mark.parametrize(
    ("catalog", "natural"),
    [
        ("Usual Suspects, The", "The Usual Suspects"),
        ("Usual Suspects, The (1995)", "The Usual Suspects (1995)"),
        ("Postino, Il", "Il Postino"),
        ("Avventura, L'", "L'Avventura"),
        (
            "Double vie de Véronique, La (Double Life of Veronique, The)",
            "La Double vie de Véronique (The Double Life of Veronique)",
        ),
        (
            "Good, The Bad and The Ugly, The",
            "The Good, The Bad and The Ugly",
        ),
        ("L.A. Confidential", "L.A. Confidential"),
        ("Cook the Thief, His Wife", "Cook the Thief, His Wife"),
        ("Paris, Texas", "Paris, Texas"),
        ("Me, Myself, I", "Me, Myself, I"),
        ("Live, Love, Die", "Live, Love, Die"),
        ("Boot, Das", "Das Boot"),
        (", The", ", The"),
    ],
)
def test_natural_title(catalog, natural):
    assert natural_title(catalog) == natural


@given(titles)
def test_natural_title_is_idempotent_and_moves_no_letters(title):
    natural = natural_title(title)
    assert natural_title(natural) == natural
    letters = [c for c in title if c.isalnum()]
    assert sorted(letters) == sorted(c for c in natural if c.isalnum())


@pytest.mark.parametrize(
    ("title", "parts"),
    [
        ("Toy Story (1995)", ("Toy Story", 1995)),
        ("Seven (Se7en) (1995) ", ("Seven (Se7en)", 1995)),
        ("1984", ("1984", None)),
        ("(1995)", ("(1995)", None)),
        ("Pack (1408)", ("Pack (1408)", None)),
        ("Blade Runner 2049", ("Blade Runner 2049", None)),
    ],
)
def test_split_year(title, parts):
    assert split_year(title) == parts


@given(titles.filter(str.strip), st.integers(1500, 2199))
def test_split_year_undoes_writing_the_year(title, year):
    assert split_year(f"{title} ({year})") == (title.rstrip(), year)


def test_clean_text():
    assert clean_text("  Tom &amp;amp; Jerry\r\n\x00in\tParis ") == "Tom & Jerry in Paris"
    assert clean_text("Ame\u0301lie\u202e") == "Amélie"
    assert clean_text("👩‍👩‍👧") == "👩‍👩‍👧"


@given(titles)
def test_clean_text_is_idempotent_and_composed(text):
    cleaned = clean_text(text)
    assert clean_text(cleaned) == cleaned
    assert unicodedata.is_normalized("NFC", cleaned)
    assert "\n" not in cleaned
