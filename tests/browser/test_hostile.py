"""Names and policies that are made to be run: they are shown, and nothing else.

The fixture `opened` fails a test whose page asks for anything, throws, or opens a dialog.
"""

import http.server
import re
import threading
from urllib.parse import quote

import pytest
from conftest import HOSTILE, until

AUDIT = ["overview", "findings?state=all&rows=250", "findings?state=all&rows=250&page=2", "checks", "compliance", "exceptions", "changes", "evidence"]
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
    assert HOSTILE[0] in watched.go("exceptions").locator("main").inner_text()
    assert HOSTILE[1] in watched.go("evidence").locator("main").inner_text()
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
        for route in [f"finding/{quote(text)}", f"findings?q={quote(text)}&severity={quote(text)}", f"compliance/{quote(text)}", f"{quote(text)}", "finding/%E0%A4%A"]:
            unharmed(watched.go(route))
    # Names that every object has are no pages.
    for name in ["constructor", "toString", "__proto__", "hasOwnProperty"]:
        page = watched.go(name)
        unharmed(page)
        assert page.locator("nav [aria-current=page]").count() == 1, name


@pytest.fixture
def listener(hostile):
    """A server of the report and of a page without a policy, which keeps what else it was asked."""
    asked = []
    pages = {"/report": hostile[0][0].path.read_bytes(), "/careless": b"<!doctype html><title>x</title><body>"}

    class Keeping(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            page = pages.get(self.path)
            if page is None:
                asked.append(self.path)
            self.send_response(204 if page is None else 200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(page or b"")

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Keeping)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()


CALLS = """async base => {
    const add = (name, attributes) => {
        const node = document.createElement(name);
        for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
        document.body.append(node);
        return node;
    };
    add('script', {}).textContent = 'window.pwned = 1';
    add('script', { src: base + '/script.js' });
    add('img', { src: base + '/image.png', onerror: 'window.pwned = 1' });
    add('link', { rel: 'stylesheet', href: base + '/style.css' });
    add('iframe', { src: base + '/frame' });
    add('iframe', { name: 'inner' });
    add('style', {}).textContent = '@import "' + base + '/import.css"; body { background: url(' + base + '/back.png) }';
    const form = add('form', { action: base + '/form', target: 'inner' });
    form.submit();
    navigator.sendBeacon(base + '/beacon', 'x');
    const sent = await fetch(base + '/fetch').then(() => true, () => false);
    await new Promise(done => setTimeout(done, 400));
    return sent;
}"""


def test_the_page_forbids_what_it_does_not_need(chromium, listener):
    """By the policy of the page: no script but its own, and nothing reaches anyone."""
    base, asked = listener
    page = chromium.new_page()
    page.goto(f"{base}/report")
    page.wait_for_selector("main h1")
    assert page.evaluate(CALLS, base) is False
    assert page.evaluate("window.pwned") is None
    assert asked == []
    # The same from a page without the policy does reach it.
    page.goto(f"{base}/careless")
    assert page.evaluate(CALLS, base) is True
    assert page.evaluate("window.pwned") == 1
    assert {"/image.png", "/script.js", "/style.css", "/frame", "/form?", "/fetch"} <= set(asked)
    page.close()


def test_the_watch_sees_what_it_watches_for(chromium, tmp_path):
    """The same texts in a page that takes them for markup do run: the tests above can fail."""
    page = chromium.new_page()
    careless = tmp_path / "careless.html"
    careless.write_text(f"<!doctype html><body>{HOSTILE[0]}</body>")
    page.goto(careless.as_uri())
    until(page, "window.pwned === 1")
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
