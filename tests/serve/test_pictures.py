"""Pictures of items: a folder of files, exactly the hosts that the catalog names, nothing else."""

import pytest

from coldstart.catalog.catalog import Catalog
from coldstart.errors import ConfigError
from coldstart.schema import Item
from coldstart.serve.pictures import MOST_HOSTS, Pictures
from tests.serve.helpers import begin, refused

SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "pictures"
    made.mkdir()
    (made / "alien.png").write_bytes(b"\x89PNG picture")
    (made / "drawn.svg").write_bytes(SVG)
    (made / "notes.txt").write_bytes(b"secret")
    (tmp_path / "outside.png").write_bytes(b"outside")
    (made / "link.png").symlink_to(tmp_path / "outside.png")
    return made


def put(client, item_id, **fields):
    done = client.patch(f"/v1/items/{item_id}", json=fields)
    assert done.status_code == 200, done.text


def sources(client):
    policy = client.get("/").headers["content-security-policy"]
    (images,) = [part for part in policy.split("; ") if part.startswith("img-src")]
    return images.split()[1:]


def cards(client, item_id):
    got = client.get("/v1/items/search", params={"q": client.service and "alien"}).json()["items"]
    return next(card for card in got if card["item_id"] == item_id)


def test_the_policy_names_the_hosts_of_the_catalog_as_it_is(client):
    assert sources(client) == ["'self'", "data:"]
    put(client, "i6", image="https://img.example.org/a.jpg", image_alt="A corridor")
    put(client, "i7", image="https://img.example.org:8443/b.jpg")
    hosts = ["https://img.example.org", "https://img.example.org:8443"]
    assert sources(client) == ["'self'", "data:", *hosts]
    card = cards(client, "i6")
    assert (card["image"], card["image_alt"]) == ("https://img.example.org/a.jpg", "A corridor")
    put(client, "i6", image=None)
    assert client.delete("/v1/items/i7").status_code == 204
    assert sources(client) == ["'self'", "data:"]


def test_remote_pictures_can_be_forbidden(start_service):
    with start_service(remote_images=False) as client:
        put(client, "i6", image="https://img.example.org/a.jpg", image_alt="A corridor")
        assert sources(client) == ["'self'", "data:"]
        assert (cards(client, "i6")["image"], cards(client, "i6")["image_alt"]) == ("", "")


def test_files_come_from_the_folder_alone(start_service, folder):
    with start_service(images=str(folder)) as client:
        put(client, "i6", image="alien.png")
        assert cards(client, "i6")["image"] == "images/alien.png"
        got = client.get("/images/alien.png")
        assert (got.content, got.headers["content-type"]) == (b"\x89PNG picture", "image/png")
        assert got.headers["x-content-type-options"] == "nosniff"
        for name in ("notes.txt", "link.png", "none.png", "..%2foutside.png", ".png", "a%00.png"):
            missing = client.get(f"/images/{name}")
            refused(missing, 404, "not_found")
            assert missing.headers["cache-control"] == "no-store"
        assert got.headers["cache-control"] == "public, max-age=3600"
        for path in ("/images/../outside.png", "/images/", "/images/x/alien.png"):
            assert client.get(path).status_code in (404, 405), path


def test_a_drawing_runs_no_scripts(start_service, folder):
    with start_service(images=str(folder)) as client:
        got = client.get("/images/drawn.svg")
        assert got.content == SVG
        policy = got.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "sandbox" in policy
        assert "script-src" not in policy


def test_without_a_folder_there_are_no_files(client):
    put(client, "i6", image="alien.png")
    assert cards(client, "i6")["image"] == ""
    refused(client.get("/images/alien.png"), 404, "not_found")


@pytest.mark.parametrize(
    "image",
    [
        "http://img.example.org/a.jpg", "javascript:alert(1)", "data:image/png;base64,AA==",
        "//img.example.org/a.jpg", "https://a b/c.png", "https://x.org;script-src/*",
        "https://user@x.org/a.png", "https://", "../a.png", "a/b.png", "a.html", "https://x\n.org",
        "https://*.org/a.png", "https://x..org/a.png",
    ],
)  # fmt: skip
def test_other_references_are_refused(client, image):
    refused(client.patch("/v1/items/i6", json={"image": image}), 422, "invalid")
    assert sources(client) == ["'self'", "data:"]


def test_a_line_has_the_face_of_its_item(client):
    put(
        client, "i6", image="https://img.example.org/a.jpg", price=3.5,
        description="A crew is woken too early. Something is aboard.",
    )  # fmt: skip
    path = begin(client)
    lines = client.post(f"{path}/recommendations", json={"k": 24}).json()["items"]
    line = next(line for line in lines if line["item_id"] == "i6")
    assert line["description"] == "A crew is woken too early."
    assert (line["price"], line["categories"]) == (3.5, ["Drama"])
    assert line["image"] == "https://img.example.org/a.jpg"


def test_a_missing_folder_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="no folder of pictures"):
        Pictures(tmp_path / "none")


def test_the_header_stays_short_and_keeps_the_hosts_of_most_items():
    def item(n, host):
        return Item(item_id=f"i{n}", title=f"T{n}", image=f"https://{host}/x.png")

    often = [item(n, "often.example.org") for n in range(3)]
    many = [item(10 + n, f"h{n}.example.org") for n in range(2 * MOST_HOSTS)]
    pictures, catalog = Pictures(), Catalog([*many, *often])
    pictures.follow(catalog)
    assert len(pictures.hosts) == MOST_HOSTS
    assert "often.example.org" in pictures.hosts
    left_out = next(i.image for i in many if i.image[8:].split("/")[0] not in pictures.hosts)
    assert pictures.address(left_out) == ""
    catalog.remove([i.item_id for i in many])
    pictures.follow(catalog)
    assert pictures.hosts == ("often.example.org",)


def test_a_name_too_long_for_the_disk_is_no_picture(folder):
    assert Pictures(folder).file("图" * 100 + ".png") is None  # 304 bytes
