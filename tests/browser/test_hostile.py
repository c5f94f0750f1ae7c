"""Names and policies that are made to be run: they are shown, and nothing else.

The fixture `opened` fails a test whose page asks for anything, throws, or opens a dialog.
"""

import re

import pytest

from conftest import HOSTILE

AUDIT = ["overview", "findings?state=all&rows=250", "findings?state=all&rows=250&page=2", "checks", "compliance", "exceptions", "evidence"]
ESCALATE = ["graph", "principals", "cuts", "administrators", "through?edge=0"]


def unharmed(page):
    assert page.evaluate("window.pwned") is None
    found = page.evaluate("document.querySelectorAll('img, iframe, script[src], object, embed, [onerror], [onload], link[rel=stylesheet]').length")
    assert found == 0
    links = page.evaluate("[...document.querySelectorAll('[href]')].map(node => node.getAttribute('href'))")
    assert [one for one in links if not one.startswith("#") and one != "data:,"] == []


def walk(watched, routes):
    for route in routes:
        page = watched.go(route)
        for details in page.locator("details").all():
            details.evaluate("node => { node.open = true; }")
        unharmed(page)
    page.wait_for_timeout(200)
    unharmed(page)


def test_tm_k03_an_account_with_hostile_texts(opened, hostile):
    (audit, escalate), _ = hostile
    told = [one for one in audit.facts["findings"] if "pwned" in str(one)]
    assert told
    watched = opened(audit)
    walk(watched, [*AUDIT, *[f"finding/{one['id']}" for one in told[:6]]])
    # It is there to be read, letter by letter.
    shown = watched.go(f"finding/{told[0]['id']}").locator("main").inner_text()
    assert "pwned=1" in shown
    walk(opened(escalate), [*ESCALATE, *[f"principal/{one['id']}" for one in escalate.facts["findings"][:6]]])


def test_tm_k03_every_text_of_a_report_hostile(opened, hostile):
    (audit, escalate), (bad_audit, bad_escalate) = hostile
    watched = opened(bad_audit)
    ids = [one["id"] for one in audit.facts["findings"][::40]][:8]
    walk(watched, [*AUDIT, "check/POL-12", *[f"finding/{one}" for one in ids]])
    assert HOSTILE[0] in watched.go("findings?state=all&rows=250").locator("main").text_content()
    watched = opened(bad_escalate)
    walk(watched, [*ESCALATE, *[f"principal/{one['id']}" for one in escalate.facts["findings"][:8]]])
    # Groups of the graph, opened.
    page = watched.go("graph")
    for at in range(page.locator(".node.group").count()):
        page.locator(".node.group").nth(at).dispatch_event("click")
    unharmed(page)


def test_tm_k03_hostile_addresses(opened, hostile):
    (audit, _), _ = hostile
    watched = opened(audit)
    for text in HOSTILE:
        from urllib.parse import quote

        for route in [f"finding/{quote(text)}", f"findings?q={quote(text)}&severity={quote(text)}", f"compliance/{quote(text)}", f"{quote(text)}", "finding/%E0%A4%A"]:
            unharmed(watched.go(route))


def test_the_page_forbids_what_it_does_not_need(chromium, hostile):
    """By the policy of the page: no script but its own, nothing asked of anyone."""
    (audit, _), _ = hostile
    page = chromium.new_page()
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(audit.path.as_uri())
    page.wait_for_selector("main h1")
    asked.clear()
    page.evaluate("""() => {
        const script = document.createElement('script');
        script.textContent = 'window.pwned = 1';
        document.body.append(script);
        const image = document.createElement('img');
        image.setAttribute('onerror', 'window.pwned = 1');
        image.src = 'https://example.com/x.png';
        document.body.append(image);
    }""")
    assert page.evaluate("fetch('https://example.com/').then(() => 'sent', () => 'refused')") == "refused"
    page.wait_for_timeout(200)
    assert page.evaluate("window.pwned") is None
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    page.close()


def test_the_watch_sees_what_it_watches_for(chromium, tmp_path):
    """The same texts in a page that takes them for markup do run: the tests above can fail."""
    page = chromium.new_page()
    careless = tmp_path / "careless.html"
    careless.write_text(f"<!doctype html><body>{HOSTILE[0]}</body>")
    page.goto(careless.as_uri())
    page.wait_for_function("window.pwned === 1")
    with pytest.raises(AssertionError):
        unharmed(page)
    page.close()


def test_a_changed_script_does_not_run(chromium, hostile, tmp_path):
    """The hashes of the policy hold the page's own script too."""
    (audit, _), _ = hostile
    changed = tmp_path / "changed.html"
    text = audit.path.read_text()
    changed.write_text(re.sub(r'<script>"use strict";', '<script>"use strict";window.pwned=1;', text, count=1))
    page = chromium.new_page()
    page.goto(changed.as_uri())
    page.wait_for_timeout(300)
    assert page.evaluate("window.pwned") is None and page.locator("main").count() == 0
    page.close()
