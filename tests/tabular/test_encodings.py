import codecs

import pytest

from coldstart.tabular.encodings import decode

TEXT = "id;title\n1;Amélie – “L’amour”\n2;Señor Año\n3;Plain\n"


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (TEXT.encode(), "UTF-8"),
        (TEXT.encode("utf-8-sig"), "UTF-8 with a byte order mark"),
        (TEXT.encode("utf-16"), "UTF-16"),
        (codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"), "UTF-16"),
        (TEXT.encode("utf-32"), "UTF-32"),
    ],
    ids=["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "utf-32"],
)
def test_what_unicode_says_itself(data, name):
    decoded = decode(data)
    assert (decoded.text, decoded.encoding, decoded.warning) == (TEXT, name, "")


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
def test_utf_16_without_a_mark_is_known_by_its_zeros(codec):
    decoded = decode(TEXT.encode(codec))
    assert (decoded.text, decoded.encoding) == (TEXT, "UTF-16")
    assert "without a byte order mark" in decoded.warning


def test_western_text_of_windows_is_read_and_said():
    decoded = decode(TEXT.encode("cp1252"))
    assert (decoded.text, decoded.encoding) == (TEXT, "Windows-1252 (Latin-1)")
    assert "'Amélie'" in decoded.warning
    assert "encoding='cp1252'" in decoded.warning
    undefined = "x,Älter als müde\n" * 10 + "\x81\n"  # no character of Windows-1252
    latin = decode(undefined.encode("latin-1"))
    assert (latin.text, latin.encoding) == (undefined, "Latin-1")


RUSSIAN = "id,название\n" + "\n".join(
    f"{n},{t}"
    for n, t in enumerate(["Солярис", "Сталкер", "Летят журавли", "Война и мир", "Иваново детство"])
)
JAPANESE = "id,題名\n1,千と千尋の神隠し\n2,となりのトトロ\n3,もののけ姫\n4,天空の城ラピュタ\n"


@pytest.mark.parametrize(("text", "codec"), [(RUSSIAN, "cp1251"), (JAPANESE, "cp932")])
def test_other_scripts_are_read_right_or_not_at_all(text, codec):
    decoded = decode(text.encode(codec))
    assert decoded.text == text
    assert "not UTF-8 but taken for" in decoded.warning


def test_the_encoding_may_be_given():
    assert decode("Łódź".encode("cp1250"), "cp1250").text == "Łódź"
    assert decode("\ufeffa".encode(), "utf-8").text == "a"
    with pytest.raises(ValueError, match="no encoding 'utf-9'"):
        decode(b"a", "utf-9")
    with pytest.raises(ValueError, match="not ASCII: byte 0xe9 at offset 2, line 2"):
        decode(b"a\n\xe9", "ascii")


def test_damaged_utf_8_is_not_taken_for_something_older():
    with pytest.raises(ValueError, match="not UTF-8: byte 0xe9 at offset 14, line 3"):
        decode("Amélie\nÉté\n".encode()[:14] + b"\xe9")
