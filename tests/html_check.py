"""What every page must keep: it is valid HTML, its links within the page lead somewhere, and it loads nothing."""

import re
from collections import Counter
from pathlib import Path
from urllib.parse import unquote

import html5lib

_LOADING = ("src", "{http://www.w3.org/1999/xlink}href", "data", "poster", "srcset", "action")


def assert_valid_page(path: Path) -> None:
    """Parse a page strictly."""
    text = path.read_text(encoding="utf-8")
    parser = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False)
    elements = list(parser.parse(text).iter())
    ids = Counter(element.get("id") for element in elements if element.get("id"))
    assert [name for name, count in ids.items() if count > 1] == []
    links = [element.get("href") or "" for element in elements if element.tag == "a"]
    assert [link for link in links if link.startswith("#") and unquote(link[1:]) not in ids] == []
    loaded = [element.get(name) for element in elements for name in _LOADING if element.get(name)]
    assert [value for value in loaded if not value.startswith("data:")] == []
    assert [element for element in elements if element.tag in ("link", "iframe", "object", "embed")] == []
    assert re.findall(r"url\((?!data:)|@import", text) == []
    assert sum(element.tag == "script" and element.get("type") is None for element in elements) == 1
