"""What English requests are read as, piece by piece."""

from __future__ import annotations

import pytest

from coldstart.understanding.summary import summary

CLAUSES = {
    "no horror or war": {"-Horror", "-War"},
    "no horror, no war": {"-Horror", "-War"},
    "no horror, war or crime": {"-Horror", "-War", "-Crime"},
    "no horror, comedy please": {"-Horror", "+Comedy"},
    "westerns but no horror, from the 1980s": {"+Western", "-Horror", "+1980 to 1989"},
    "Not horror. Comedy.": {"-Horror", "+Comedy"},
    "I hate horror, thrillers, war": {"-Horror", "-Thriller", "-War"},
    "I don't like science fiction and war films": {"-Sci-Fi", "-War"},
    "I don’t like westerns": {"-Western"},
    "dont want any musicals": {"-Musical"},
    "anything but musicals": {"-Musical"},
    "everything except documentaries": {"-Documentary"},
    "I like everything but romance films": {"-Romance"},
    "nothing but westerns": {"+Western"},
    "I'm tired of superhero stuff, give me a western": {"!Action", "!superhero stuff", "+Western"},
    "science fiction, but no dramas": {"+Sci-Fi", "-Drama"},
    "scifi but no vampires": {"+Sci-Fi", "!Horror", "!vampires"},
    "i hate musicals i love thrillers": {"-Musical", "+Thriller"},
    "i hate horror and love comedies": {"-Horror", "+Comedy"},
    "less action more romance": {"!Action", "+Romance"},
    "more westerns, fewer musicals": {"+Western", "!Musical"},
    "not only comedies": {"+Comedy"},
    "not just horror": {"+Horror"},
    "can't get enough of westerns": {"+Western"},
    "I never get tired of film noir": {"+Film-Noir"},
    "nothing beats a good western": {"+Western"},
    "I don't mind horror": set(),
    "it doesn't have to be a comedy": set(),
    "not necessarily a drama": set(),
    "horror is not my thing": {"-Horror"},
    "horror is not my thing, comedies are": {"-Horror", "+Comedy"},
    "I love comedies and westerns bore me": {"+Comedy", "-Western"},
    "horror? no thanks": {"-Horror"},
    "musicals aren't for me": {"-Musical"},
    "instead of a thriller I want a comedy": {"-Thriller", "+Comedy"},
    "a comedy rather than a drama": {"+Comedy", "-Drama"},
    "not in the mood for a thriller": {"-Thriller"},
    "I can't stand rom-coms": {"!Romance"},
    "avoid war, please": {"-War"},
    "without musicals": {"-Musical"},
    "no cartoons, I'm an adult": {"-Animation"},
    "I usually love action but today I want a drama": {"+Drama"},
    "I usually love action": {"+Action"},
    "no idea, maybe a comedy": {"+Comedy"},
    "not sure. a western?": {"+Western"},
    "why not a musical": {"+Musical"},
    "I'm fed up with thrillers! Westerns!": {"-Thriller", "+Western"},
    "no westerns nor musicals": {"-Western", "-Musical"},
    "Neither horror nor war": {"-Horror", "-War"},
    "no more documentaries": {"-Documentary"},
    "a war film, except it should not be a drama": {"+War", "-Drama"},
    "I want a musical, not a western": {"+Musical", "-Western"},
    "my wife loves war films but I'd rather watch a musical": {"+Musical"},
    "I prefer comedies to dramas": {"+Comedy", "!Drama"},
    "rather a western than a musical": {"+Western", "!Musical"},
    "nothing with zombies or werewolves": {"!Horror", "!zombies", "!werewolves"},
    "no zombies, clowns or westerns": {"!Horror", "!zombies", "-Western"},
    "enough with the musicals already": {"-Musical"},
    "live action only, no animation": {"-Animation"},
    "a family film that is not animated": {"+Children", "-Animation"},
    "dramas, not comedies": {"+Drama", "-Comedy"},
    "Nothing animated": {"-Animation"},
}
GENRES = {
    "animated": {"+Animation"},
    "cartoons": {"+Animation"},
    "a kids movie": {"+Children"},
    "a family film": {"+Children"},
    "something kid-friendly": {"+Children"},
    "rom-com": {"+Romance", "+Comedy"},
    "romcoms": {"+Romance", "+Comedy"},
    "a romantic comedy": {"+Romance", "+Comedy"},
    "a romantic drama": {"+Romance", "+Drama"},
    "scary movies": {"+Horror"},
    "something spooky": {"+Horror"},
    "a slasher": {"~Horror"},
    "a whodunit": {"+Mystery"},
    "murder mysteries": {"+Mystery"},
    "cowboys": {"~Western"},
    "space and robots": {"~Sci-Fi"},
    "time travel": {"~Sci-Fi"},
    "dystopian": {"~Sci-Fi"},
    "superheroes": {"~Action"},
    "noir": {"+Film-Noir"},
    "docs": {"+Documentary"},
    "documentaries about music": {"+Documentary", "~Musical"},
    "a biopic": {"~Drama"},
    "a heist": {"~Crime"},
    "the mafia": {"~Crime"},
    "soldiers in wwii": {"~War"},
    "a costume drama": {"~Romance", "~Drama"},
    "Jane Austen": {"~Romance", "~Drama"},
    "sci fi": {"+Sci-Fi"},
    "Science-Fiction": {"+Sci-Fi"},
    "COMEDIES!": {"+Comedy"},
    "childrens films": {"+Children"},
    "black comedy": {"+Comedy"},
    "a comdey": {"+Comedy"},
    "horor": {"+Horror"},
    "sience fiction": {"+Sci-Fi"},
    "documentry": {"+Documentary"},
    "psychological thriller": {"+Thriller"},
}
YEARS = {
    "from 1950 to 1959": {"+1950 to 1959"},
    "between 1975 and 1979": {"+1975 to 1979"},
    "1950-1959": {"+1950 to 1959"},
    "the fifties": {"+1950 to 1959"},
    "films from the 90s": {"+1990 to 1999"},
    "80's films": {"+1980 to 1989"},
    "the seventies or 1980s": {"+1970 to 1979|+1980 to 1989"},
    "after 1980": {"+from 1981"},
    "since 1980": {"+from 1980"},
    "before 1970": {"+to 1969"},
    "until 1970": {"+to 1970"},
    "older than 1970": {"+to 1969"},
    "nothing after 1960": {"+to 1960"},
    "nothing older than 1990": {"+from 1990"},
    "no films before 1990": {"+from 1990"},
    "not from the 80s": {"-1980 to 1989"},
    "in 1994": {"+1994"},
    "1994 or later": {"+from 1994"},
    "from the 90s on": {"+from 1990"},
    "late 80s action": {"+1985 to 1989", "+Action"},
    "early nineties": {"+1990 to 1994"},
    "post-2000": {"+from 2001"},
    "this century": {"+from 2000"},
    "after 1950 and before 1960": {"+from 1951", "+to 1959"},
    "after 1990 but before 1980": set(),
    "an old film": {"~to 1969"},
    "classic or new are fine": set(),
    "old films from the 30s": {"+1930 to 1939"},
    "black and white": {"~to 1959"},
    "a recent thriller": {"~from 2006", "+Thriller"},
    "from the last five years": {"+from 2011"},
    "I'm in my fifties": set(),
    "I am in my 40s": set(),
    "set in the 1920s": set(),
    "New York": set(),
}
AUDIENCES = {
    "for my five-year-old": {"+age:5"},
    "for my 5 yo": {"+age:5"},
    "my 5yo loves it": {"+age:5"},
    "for my son, 5": {"+age:5"},
    "kids aged 6 and 8": {"+age:6"},
    "my kids (9 and 7)": {"+age:7"},
    "my niece, she is six": {"+age:6"},
    "my niece will come. She's turning 7.": {"+age:7"},
    "my daughter just turned 4": {"+age:4"},
    "for a toddler": {"+age:2"},
    "for teenagers": {"+age:14"},
    "a 15 year old boy wants a western": {"+age:15", "+Western"},
    "for my kids": {"+age:8"},
    "ages 6 to 9": {"+age:6"},
    "children under 10": {"+age:6"},
    "I'm 10": {"+age:10"},
    "I am 40 years old": set(),
    "about a 12 year old boy": {"+12 year old boy"},
    "nothing scary for my kids": {"-Horror", "+age:8"},
    "an animated movie for my five year old": {"+Animation", "+age:5"},
    "I'm 40 and want something for my 5 yo": {"+age:5"},
    "a scary movie for my 9 year old": {"+Horror", "+age:9"},
    "a 20 year old whisky": set(),
    "family movie, the youngest is 4": {"+Children", "+age:4"},
    "we have small children": {"+age:5"},
    "for my teenage daughter": {"+age:14"},
    "my 7 and 9 year olds": {"+age:7"},
    "Halloween with my 6-year-old": {"+tone:halloween", "+age:6"},
}
INFERRED = {
    "for October 31st": {"+tone:halloween"},
    "it's the 31st of October": {"+tone:halloween"},
    "trick or treat": {"+tone:halloween"},
    "a bedtime story": {"+age:5"},
    "for a kindergarten class": {"+age:5"},
    "for preschool": {"+age:4"},
    "real people, no actors": {"~Documentary"},
    "no actors, real life": {"~Documentary"},
    "keep it bloodless": {"!Horror", "!War", "!Crime", "!Thriller"},
    "a bloodless western": {"+Western", "!Horror", "!War", "!Crime", "!Thriller"},
    "dare us not to scream": {"~Horror|~Thriller"},
    "we want the lights on afterwards": {"~Horror|~Thriller"},
    "sleep with the lights on": {"~Horror|~Thriller"},
    "nothing that needs a content warning": {"-tone:violent"},
}
MOODS = {
    "gentle": {"+tone:gentle"},
    "something my grandma would like": {"+tone:gentle"},
    "we want to laugh, but not stupid humour": {"+tone:funny", "!stupid"},
    "an action movie that is also funny": {"+Action", "+tone:funny"},
    "action or comedy, westerns also": {"+Action|+Comedy|+Western"},
    "a black and white classic": {"~to 1959"},
    "nothing old": {"!to 1989"},
    "a classic": {"~to 1969"},
    "not James Bond": {"!James Bond"},
    "nothing too heavy": {"-tone:heavy"},
    "I hate violence": {"-tone:violent"},
    "not too violent": {"-tone:violent"},
    "a feel-good western": {"+tone:light", "+Western"},
    "I want to laugh": {"+tone:funny"},
    "make me laugh": {"+tone:funny"},
    "a good cry": {"+tone:heavy"},
    "for Halloween": {"+tone:halloween"},
    "rom-com for date night": {"+Romance", "+Comedy", "+tone:date night"},
    "rainy Sunday": {"+tone:rainy day"},
    "with my parents": {"+tone:with parents"},
    "Space adventure, but nothing violent": {"~Sci-Fi", "+Adventure", "-tone:violent"},
    "no violence, swearing or sex": {"-tone:violent", "-tone:sexual"},
    "not too dark or violent": {"-tone:dark", "-tone:violent"},
    "less scary": {"!Horror"},
    "not too scary": {"-Horror"},
    "funny, but not sad": {"+tone:funny", "-tone:heavy"},
}
TITLES = {
    "like Alien but less scary": {"+title:Alien", "!Horror"},
    "I loved Alien and Heat": {"+title:Alien", "+title:Heat"},
    "I hated Titanic": {"-title:Titanic"},
    "Pulp Fiction! hate Fargo": {"+title:Pulp Fiction", "-title:Fargo"},
    "something like toy story": {"+title:Toy Story"},
    "movies like titanic": {"+title:Titanic"},
    "similar to the big lebowski": {"+title:The Big Lebowski"},
    "once upon a time in the west": {"+title:Once Upon a Time in the West"},
    "we saw a fish called wanda yesterday": {"+title:A Fish Called Wanda"},
    "Heat (1977)": {"+title:Heat"},
    "The Dark Knight (1980) was great": {"+title:The Dark Knight"},
    "The Mask was not bad": {"+title:The Mask"},
    "I love Star Wars": {"+title:Star Wars: Episode IV - A New Hope"},
    "The Dark Knight was too violent": {"-title:The Dark Knight", "-tone:violent"},
    "I like War films": {"+War"},
    "Heat (2013) was fun": {"+tone:light"},
    "I liked Heat Wave": set(),
    "we saw Titanic (1979)": {"+title:Titanic"},
    "my favourites are Alien, Heat and Fargo": {"+title:Alien", "+title:Heat", "+title:Fargo"},
    "less like Saw": {"-title:Saw"},
    "I feel the heat": set(),
    "something new": {"~from 2006"},
    "a film with robots": {"~Sci-Fi"},
}
PEOPLE = {
    "something by Sofia Coppola": {"+Sofia Coppola"},
    "akira kurosawa films": {"+Akira Kurosawa"},
    "kurosawa": {"+Akira Kurosawa"},
    "tom hanks or meg ryan": {"+Tom Hanks|+Meg Ryan"},
    "with Tom Hanks and Meg Ryan": {"+Tom Hanks", "+Meg Ryan"},
    "no Tom Hanks": {"-Tom Hanks"},
    "a French comedy": {"+French", "+Comedy"},
}
ALL = {**CLAUSES, **GENRES, **YEARS, **AUDIENCES, **INFERRED, **MOODS, **TITLES, **PEOPLE}


@pytest.mark.parametrize(("text", "expected"), ALL.items(), ids=list(ALL))
def test_requests_are_read(reader, told, text, expected):
    assert told(reader.read(text)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("animated comedy", {"+Animation", "+Comedy"}),
        ("sci-fi horror", {"+Sci-Fi", "+Horror"}),
        ("comedies and westerns", {"+Comedy|+Western"}),
        ("comedies, westerns", {"+Comedy|+Western"}),
        ("comedy or western", {"+Comedy|+Western"}),
        ("comedy/western", {"+Comedy|+Western"}),
        ("comedy, western or musical", {"+Comedy|+Western|+Musical"}),
        ("action, adventure, and fantasy films", {"+Action|+Adventure|+Fantasy"}),
        ("I like westerns. I love comedies", {"+Western|+Comedy"}),
        ("I like westerns, also comedies", {"+Western|+Comedy"}),
        ("romantic comedies or westerns", {"+Romance|+Western", "+Comedy|+Western"}),
        ("a comedy with robots", {"+Comedy", "~Sci-Fi"}),
        ("a mix of comedy and horror", {"+Comedy", "+Horror"}),
        ("both a comedy and a western", {"+Comedy", "+Western"}),
        ("an animated and romantic film", {"+Animation", "+Romance"}),
        ("scary movies based on a true story", {"+Horror", "~Drama"}),
        ("a western that is scary", {"+Western", "+Horror"}),
    ],
)
def test_wishes_add_up_or_are_alternatives(reader, told, text, expected):
    assert told(reader.read(text)) == expected


def test_a_child_brings_what_is_made_for_children(reader):
    read = reader.read("for my five-year-old")
    (age,) = [p for p in read.pieces if p.kind == "audience"]
    assert (age.age, age.strict, age.words) == (5, True, "for my five-year-old")
    inferred = [p for p in read.pieces if p.kind == "category"]
    assert {p.value for p in inferred if p.wanted} == {"Children", "Animation"}
    assert len({p.group for p in inferred if p.wanted}) == 1
    rejected = {p.value for p in inferred if not p.wanted}
    assert rejected == {"Horror", "Thriller", "Crime", "War", "Film-Noir"}
    assert not any(p.strict for p in inferred)
    assert {p.words for p in inferred} == {age.words}


@pytest.mark.parametrize(
    "text", ["Halloween with my 6-year-old", "with my 6-year-old, for Halloween", "my kids, spooky"]
)
def test_a_child_is_not_scared_by_the_occasion(reader, text):
    inferred = {p.value for p in reader.read(text).pieces if p.wanted and not p.strict}
    assert "Horror" not in inferred


def test_a_teenager_brings_nothing(reader):
    assert [p.kind for p in reader.read("for teenagers").pieces] == ["audience"]


def test_a_mood_stands_for_categories_of_the_same_words(reader):
    read = reader.read("I hate violence, I want something gentle like a Jane Austen adaptation")
    assert read.values("tone") == ("gentle",)
    assert read.values("tone", wanted=False) == ("violent",)
    assert set(read.values("category", wanted=False)) == {
        "Action", "War", "Crime", "Horror", "Thriller", "Film-Noir",
    }  # fmt: skip
    assert {"Romance", "Drama"} <= set(read.values("category"))
    assert read.wanted_text == "I want something gentle like a Jane Austen adaptation"


@pytest.mark.parametrize(
    ("text", "wanted_text"),
    [
        ("dark films but no horror", "dark films"),
        ("like Alien but less scary", "like Alien"),
        ("I hated Titanic, give me a comedy", "give me a comedy"),
        ("no horror", ""),
        ("not only comedies", "not only comedies"),
        ("something for my son, 5, that isn't too scary", "something for my son, 5"),
    ],
)
def test_the_wanted_text_has_no_rejected_clause(reader, text, wanted_text):
    assert reader.read(text).wanted_text == wanted_text


def test_what_was_stated_wins_over_what_was_inferred(reader):
    read = reader.read("a horror film for my 8 year old")
    assert "Horror" in read.values("category")
    assert "Horror" not in read.values("category", wanted=False)


def test_pieces_tell_where_people_and_values_are_from(reader):
    (piece,) = reader.read("something with tom hanks").pieces
    assert (piece.kind, piece.value, piece.attribute) == ("person", "Tom Hanks", "stars")
    (piece,) = reader.read("french films").pieces
    assert (piece.kind, piece.value, piece.attribute) == ("attribute", "French", "language")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("red Nike running shoes", {"+red", "+nike", "+running shoes"}),
        ("nike or adidas", {"+nike|+adidas"}),
        ("trainers, but not black", {"+trainers", "-black"}),
        ("runningshoes", {"+running shoes"}),
        ("suede", {"+suede"}),
        ("Pegasus 40", {"+pegasus"}),
        ("I like my Pegasus 40", {"+title:1"}),
        ("something scary with cowboys", set()),
    ],
)
def test_a_shop_has_its_own_vocabulary(shop, told, text, expected):
    assert told(shop.read(text)) == expected


def test_a_mood_asks_for_what_is_not_stated_anyway(reader):
    def mood(text):
        pieces = [p for p in reader.read(text).pieces if p.words == "light" and p.wanted]
        return {p.value for p in pieces if p.kind == "category"}

    assert "Comedy" in mood("a light romance")
    assert "Romance" not in mood("a light romance")
    assert {"Comedy", "Romance"} <= mood("a light comedy")  # its first alternative is stated
    assert mood("something light") == mood("a light western")


@pytest.mark.parametrize(
    "text", ["something gentle", "a film for my grandma", "nothing with nudity"]
)
def test_what_is_gentle_is_fit_for_a_twelve_year_old(reader, text):
    (piece,) = (p for p in reader.read(text).pieces if p.kind == "audience")
    assert (piece.value, piece.age, piece.strict) == ("mild", 12, False)
    assert "age" not in summary(reader.read(text))


def test_a_topic_outweighs_a_mood_that_rejects_its_kind(reader):
    read = reader.read("anything about world war two that is not depressing")
    assert "War" in read.values("category")
    assert "War" not in read.values("category", wanted=False)


def test_a_topic_tells_more_than_a_gentle_age(reader):
    gentle = [p.kind for p in reader.read("something gentle").pieces]
    topic = [p.kind for p in reader.read("something gentle like a Jane Austen adaptation").pieces]
    assert ("audience" in gentle, "audience" in topic, "phrase" in topic) == (True, False, True)
