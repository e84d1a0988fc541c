"""The search finds the page that one wants first, without a server's help or another host."""

import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import expect

from tests.book.test_questions import sections
from tests.site.toc import CHAPTERS

WANTED = """
    why cross entropy: mse_vs_bce
    why not mse: mse_vs_bce
    mse vs cross entropy: mse_vs_bce
    vanishing gradient: mse_vs_bce
    vanishing gradients: mse_vs_bce
    log loss: bce
    logistic loss: bce
    binary cross entropy: bce
    sigmoid: bce
    logistic regression: bce
    softmax: cross_entropy
    softmax jacobian: cross_entropy
    softmax minus label: cross_entropy
    perplexity: entropy
    KL: entropy
    kl divergence: entropy
    label smoothing: entropy
    temperature scaling: entropy
    svm: hinge
    support vectors: hinge
    hinge loss: hinge
    margins: hinge
    focal loss: decisions
    dice: decisions
    class weights: decisions
    multi-label: decisions
    huber: robust
    outliers: robust
    quantile regression: robust
    nan: numerics
    overflow: numerics
    float16: numerics
    poisson: canonical
    newton: canonical
    exponential family: canonical
    brier score: canonical
    maximum likelihood: mle
    least squares: mse
    learning rate too high: mse
    which loss should I use: choosing_a_loss
    label noise: choosing_a_loss
    roofline: scaling
"""
QUERIES = dict(line.strip().split(": ") for line in WANTED.strip().splitlines())
AS_TYPED = """
    do I need softmax before cross entropy: softmax-twice
    softmax twice: softmax-twice
    why not mse for classification: why-not-mse
    gradient accumulation: mean-or-sum
    ignore_index: ignore-index
    loss is nan: nan
    why does my loss become nan: nan
    label smoothing loss not zero: label-smoothing
    kldivloss batchmean: kl-batchmean
    dice vs cross entropy: dice
    contrastive loss temperature: infonce
    nllloss vs crossentropyloss: nll-or-cross-entropy
    average perplexity: perplexity
    quantile crossing: quantiles-cross
    dpo loss 0.693: dpo-and-z-loss
    z-loss: dpo-and-z-loss
"""
FIELD = "#pst-search-dialog input[type=search]"


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def plain(site):
    """Serve the site as the plainest of file servers does."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=site)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_the_wanted_page_comes_first(open_page, plain):
    tab = open_page("search", at=plain)
    tab.evaluate("courseSearch.load()")
    first = {
        query: tab.evaluate("q => courseSearch.search(q)[0]?.page", query) for query in QUERIES
    }
    missed = {query: page for query, page in first.items() if page != f"chapters/{QUERIES[query]}"}
    assert len(QUERIES) >= 40
    assert len(missed) <= len(QUERIES) - 38, missed


def test_a_question_as_it_is_typed_finds_its_answer(open_page, plain):
    """Among the first three pages, and there the answer is the best place."""
    tab = open_page("search", at=plain)
    tab.evaluate("courseSearch.load()")
    wanted = dict(line.strip().split(": ") for line in AS_TYPED.strip().splitlines())
    wanted |= {section["title"]: anchor for anchor, section in sections().items()}
    missed = {}
    for query, anchor in wanted.items():
        pages = tab.evaluate("q => courseSearch.search(q).slice(0, 3)", query)
        places = {page["page"]: page["places"][0]["title"] for page in pages}
        if places.get("appendix/questions") != sections()[anchor]["title"]:
            missed[query] = places
    assert not missed


def test_results_are_sentences_with_the_words_marked(open_page, plain):
    tab = open_page("search", at=plain)
    tab.locator(".bd-search-container input").fill("support vectors")
    results = tab.locator("#search-results")
    expect(results.get_by_role("status")).to_contain_text("Found on")
    expect(results.locator("mark").first).to_contain_text("support")
    assert tab.url.endswith("?q=support%20vectors")
    text = results.inner_text()
    assert "\\" not in text, "TeX is shown"
    assert "import " not in text, "code is shown"
    results.locator("li li a").first.click()
    assert "#" in tab.url


def test_a_query_without_results_says_what_to_do(open_page, plain):
    tab = open_page("search", at=plain)
    tab.locator(".bd-search-container input").fill("zyzzyva qwqwqw")
    expect(tab.get_by_role("status")).to_contain_text("Nothing is found")


def test_an_index_that_does_not_come_is_said_and_asked_for_again(browser, plain):
    tab = browser.new_page()
    tab.goto(f"{plain}/search.html")
    tab.route("**/search-index.js", lambda route: route.abort())
    field = tab.locator(".bd-search-container input")
    field.fill("hinge")
    expect(tab.get_by_role("status")).to_contain_text("could not be loaded")
    tab.unroute("**/search-index.js")
    field.fill("hinge loss")
    expect(tab.get_by_role("status")).to_contain_text("Found on")
    tab.close()


def test_the_dialog_answers_while_one_types_and_by_arrow_keys(open_page):
    tab, asked = open_page(CHAPTERS[0]), []
    tab.on("request", lambda request: asked.append(request.url))
    dialog = tab.locator("#pst-search-dialog")
    for key, shown in [("Control+k", True), ("Escape", False), ("Control+k", True)]:
        tab.keyboard.press(key)
        assert dialog.is_visible() == shown
    tab.keyboard.type("focal los")
    expect(dialog.locator("li a").first).to_contain_text("decision")
    assert sum("search-index" in url for url in asked) == 1
    tab.keyboard.press("ArrowDown")
    expect(dialog.locator("li a").first).to_be_focused()
    tab.keyboard.press("ArrowUp")
    expect(tab.locator(FIELD)).to_be_focused()
    tab.keyboard.press("Enter")
    tab.wait_for_url("**/search.html?q=focal+los")
    expect(tab.locator("#search-results li a").first).to_contain_text("decision")


def test_no_index_is_loaded_before_one_searches(open_page):
    tab = open_page(CHAPTERS[0])
    loaded = tab.evaluate("performance.getEntriesByType('resource').map((each) => each.name)")
    assert not [url for url in loaded if "search-index" in url or "minisearch" in url]
