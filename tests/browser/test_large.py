"""Reports of 10,000 principals, with FULL=1."""

import os
import time

import pytest
from conftest import Reports, until

pytestmark = pytest.mark.skipif(os.environ.get("FULL") != "1", reason="only with FULL=1")


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    return Reports(tmp_path_factory.mktemp("large"), 10_000)


def test_the_audit(opened, large):
    report = large.audit()
    assert report.size < 5_000_000
    watched = opened(report)
    began = time.monotonic()
    page = watched.go("findings")
    print(f"\naudit: {report.size:,} bytes, opened in {time.monotonic() - began:.2f} s, {len(report.facts['findings']):,} findings")
    began = time.monotonic()
    page.get_by_role("searchbox").fill("admin")
    until(page, "location.hash.includes('q=admin')")
    print(f"search: {time.monotonic() - began:.2f} s")
    began = time.monotonic()
    page.get_by_role("searchbox").fill("")
    until(page, "!location.hash.includes('q=')")
    page.get_by_role("button", name="About", exact=True).click()
    print(f"sort of all: {time.monotonic() - began:.2f} s")
    assert time.monotonic() - began < 5
    for route in ["overview", "compliance", "checks", f"finding/{report.facts['findings'][-1]['id']}"]:
        watched.go(route)


def test_the_graph(opened, large):
    report = large.escalate()
    assert report.size < 5_000_000
    began = time.monotonic()
    page = opened(report).go()
    print(f"\nescalate: {report.size:,} bytes, opened in {time.monotonic() - began:.2f} s")
    assert page.locator(".canvas .node").count() > 3
