"""The list of changed pages names exactly those that differ."""

import json
import shutil
import subprocess
import sys

import pytest
import yaml

from tools.facts import ROOT, SITE, published
from tools.site import changes
from tools.site.changes import Change, Changes

PAGE = """<!DOCTYPE html><html><body><nav>{nav}</nav><article class="bd-article">{article}</article>
<footer>last verified on {date}</footer></body></html>"""
ARTICLE = """<h1>Loss<a class="headerlink" href="#loss">#</a></h1>
<p>A <em>sentence</em> of <b>w</b>ords.</p><p>Another.</p><img src="_images/{name}" alt="A curve.">
<span class="katex"><span class="katex-mathml"><math><mi>{letter}</mi></math></span
><span class="katex-html">{drawn}</span></span>"""


def page(article=ARTICLE, date="2026-01-01", nav="", name="a.svg", letter="z", drawn="z"):
    article = article.format(name=name, letter=letter, drawn=drawn)
    return PAGE.format(article=article, date=date, nav=nav)


def site(folder, pages, figures=()):
    (folder / "_images").mkdir(parents=True)
    for name, content in {"index": page(), **pages}.items():
        (folder / f"{name}.html").write_text(content, "utf8")
    for name, content in dict(figures).items():
        (folder / "_images" / name).write_text(content)
    return folder


@pytest.mark.parametrize(
    ("after", "change"),
    [
        (page(date="2026-02-02", nav="<a href='x.html'>x</a>"), None),
        (page(name="b.svg"), None),  # another name for the same picture
        (page(drawn="another way to draw it"), None),
        (page(ARTICLE.replace("<em>sentence</em>", "sentence\n")), None),
        (page(ARTICLE.replace("Another.", "Another one.")), Change(2, 1)),
        (page(letter="y"), Change(1, 1)),
        (page(name="c.svg"), Change(0, 0, 1, 1)),
        (page(ARTICLE.replace("A curve.", "A line.")), Change(1, 1)),
        (page(ARTICLE + "<svg><path d='M0'/></svg>"), Change(0, 0, 1, 0)),
        (page(ARTICLE + "<p><a href='x.html'>words</a>.</p>"), Change(1, 0, 0, 0, 1, 0)),
        (page(ARTICLE.replace("<p>Another.</p>", "")), Change(0, 1)),
    ],
)
def test_only_what_a_reader_sees_counts_as_a_change(tmp_path, after, change):
    figures = {"a.svg": "<svg>1</svg>", "b.svg": "<svg>1</svg>", "c.svg": "<svg>2</svg>"}
    base = site(tmp_path / "base", {"loss": page()}, figures)
    head = site(tmp_path / "head", {"loss": after}, figures)
    assert changes.compare(base, head) == Changes([], {"loss": change} if change else {}, [])


def test_new_and_removed_pages_are_listed(tmp_path):
    base = site(tmp_path / "base", {"old": page(), "same": page()})
    head = site(tmp_path / "head", {"new": page(), "same": page()})
    found = changes.compare(base, head)
    assert found == Changes(["new"], {}, ["old"])
    assert changes.markdown(found).splitlines() == [
        "- `new`: new",
        f"- [old]({published()}old.html): removed",
    ]
    assert changes.markdown(changes.compare(base, base)) == "No page changes.\n"


@pytest.fixture
def copy(site_of_the_book, tmp_path):
    shutil.copytree(site_of_the_book, tmp_path / "copy")
    return tmp_path / "copy"


@pytest.fixture(scope="module")
def site_of_the_book():
    assert (SITE / "index.html").exists(), "the site is not built; run: make book"
    return SITE


def test_the_book_with_one_sentence_one_figure_and_one_page_changed(copy, tmp_path):
    sentence = "You need derivatives, matrix products, some idea of eigenvalues"
    mse = copy / "chapters" / "mse.html"
    text = mse.read_text("utf8")
    assert text.count(sentence) == 1
    mse.write_text(text.replace(sentence, "You need derivatives and matrix products"), "utf8")

    bce = copy / "chapters" / "bce.html"
    first = changes.article(copy, bce).figures
    name = next(
        part.partition('"')[0]
        for part in bce.read_text("utf8").split('src="../_images/')[1:]
        if ".svg" in part[:100]
    )
    figure = copy / "_images" / name
    figure.write_text(figure.read_text("utf8").replace("<path", "<path opacity='0.9'", 1), "utf8")
    assert changes.article(copy, bce).figures != first

    (copy / "chapters" / "hinge.html").rename(copy / "chapters" / "hinges.html")
    stored = tmp_path / "changes.json"
    run = [sys.executable, "-m", "tools.site.changes", str(SITE), str(copy), "--json", stored]
    said = subprocess.run(run, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    at = f"{published()}chapters"
    assert said.splitlines() == [
        "- `chapters/hinges`: new",
        f"- [chapters/bce]({at}/bce.html): 1 figure added, 1 figure removed",
        f"- [chapters/mse]({at}/mse.html): 2 words added, 5 words removed",
        f"- [chapters/hinge]({at}/hinge.html): removed",
    ]
    assert changes.markdown(changes.read(stored.read_text("utf8"))) == said


def test_the_address_of_the_site_is_that_of_the_configuration():
    config = yaml.safe_load((ROOT / "_config.yml").read_text("utf8"))
    assert published() == config["html"]["baseurl"]


def test_a_folder_without_a_site_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="make book"):
        changes.pages(tmp_path)


FULL = Changes(["a/b"], {"c": Change(1, 2, 3, 4, 5, 6)}, ["d-e"])


def test_a_stored_list_is_read_back():
    assert changes.read(changes.dump(FULL)) == FULL


def altered(**parts):
    return json.dumps(json.loads(changes.dump(FULL)) | parts)


COUNTS = json.loads(changes.dump(FULL))["changed"]["c"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "[" * 100_000,
        "{}",
        altered(more=[]),
        altered(added="abc"),
        altered(added=["a](https://evil.example) [b"]),
        altered(added=["@somebody"]),
        altered(added=["a\nb"]),
        altered(added=["a`b"]),
        altered(added=["../a"]),
        altered(added=["ａ"]),
        altered(added=["a" * 101]),
        altered(added=[["a"]]),
        altered(removed=["a"] * 501),
        altered(changed={"<img src=x>": COUNTS}),
        altered(changed={"a": COUNTS | {"words_added": "1"}}),
        altered(changed={"a": COUNTS | {"words_added": True}}),
        altered(changed={"a": COUNTS | {"words_added": -1}}),
        altered(changed={"a": COUNTS | {"words_added": 10**9}}),
        altered(changed={"a": COUNTS | {"words_added": 1.5}}),
        altered(changed={"a": COUNTS | {"more": 1}}),
        altered(changed={"a": 3}),
    ],
)
def test_a_forged_list_is_refused(text):
    with pytest.raises(ValueError):  # noqa: PT011 (the messages differ)
        changes.read(text)
