#!/usr/bin/env python3
"""pdf.py PAGE.html FILE.pdf - what weasyprint made of a page: tagged, in its language, with a bookmark for each
heading and a number on each sheet, nothing beyond the margins, no cell cut, all text in its order."""
import re
import subprocess
import sys
from html.parser import HTMLParser

MARGIN = 30   # points: 12 mm, less what letters lean out


class Cells(HTMLParser):
    """Headings, and texts of cells in their order."""

    def __init__(self):
        super().__init__()
        self.lang, self.headings, self.cells, self.text, self.charts = "", [], [], None, 0

    def handle_starttag(self, tag, attrs):
        if tag == "html":
            self.lang = dict(attrs)["lang"]
        elif tag == "svg":
            self.charts += 1
        elif tag in ("h1", "h2", "td", "dd"):
            self.text = ""

    def handle_endtag(self, tag):
        if tag == "svg":
            self.charts -= 1
        elif tag in ("h1", "h2"):
            self.headings.append(" ".join(self.text.split()))
        if tag in ("h1", "h2", "td", "dd"):
            self.cells.append("".join(self.text.split()))
            self.text = None

    def handle_data(self, data):
        if self.text is not None and not self.charts:
            self.text += data


def run(*command):
    return subprocess.run(command, check=True, capture_output=True).stdout.decode()


def look(page, pdf, most):
    wrong = []
    c = Cells()
    c.feed(open(page, encoding="utf-8").read())
    info = dict(line.split(":", 1) for line in run("pdfinfo", pdf).splitlines() if ":" in line)
    pages = int(info["Pages"])
    if info["Tagged"].strip() != "yes":
        wrong.append("it is not tagged")
    if not info.get("Title", "").strip():
        wrong.append("it has no title")
    if not 2 <= pages <= most:
        wrong.append("%d sheets, %d at most are expected" % (pages, most))
    raw = open(pdf, "rb").read()
    if b"/Lang (%s)" % c.lang.encode() not in raw:
        wrong.append("its language is not %s" % c.lang)
    outline = re.findall("<item page=[^>]*>(.*)</item>", run("pdftohtml", "-xml", "-i", "-stdout", pdf))
    unescaped = [o.replace("&amp;", "&").replace("&lt;", "<").replace("&gt;", ">") for o in outline]
    if unescaped != c.headings:
        wrong.append("its bookmarks are %s" % outline)
    wrong += boxes(pdf, pages)
    # In the order in which it was drawn. A sheet's heading row and foot may come between two cells, not into one.
    text, at = "".join(run("pdftotext", "-raw", pdf, "-").split()), 0
    for cell in c.cells:
        found = text.find(cell, at)
        if found < 0:
            wrong.append("a cell is cut, or stands elsewhere: %s" % cell[:120])
        else:
            at = found + len(cell)
    return wrong


def boxes(pdf, pages):
    """Each word between the margins, and the number of each sheet at its foot."""
    wrong, sheet, width = [], 0, 0.0
    for line in run("pdftotext", "-bbox", pdf, "-").splitlines():
        page = re.search('<page width="([0-9.]+)"', line)
        word = re.search('<word xMin="([0-9.]+)" yMin="([0-9.]+)" xMax="([0-9.]+)" yMax="([0-9.]+)">(.*)</word>', line)
        if page:
            sheet, width = sheet + 1, float(page.group(1))
        elif word and (float(word.group(1)) < MARGIN or float(word.group(3)) > width - MARGIN):
            wrong.append("sheet %d: %s stands beyond the margin" % (sheet, word.group(5)))
    for i, text in enumerate(run("pdftotext", "-layout", pdf, "-").split("\f")[:pages]):
        if "%d / %d" % (i + 1, pages) not in text:
            wrong.append("sheet %d has no number" % (i + 1))
    return wrong


def main(page, pdf, most):
    wrong = look(page, pdf, int(most))
    for line in wrong[:20]:
        print("%s: %s" % (pdf.rsplit("/", 1)[-1], line))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
