#!/usr/bin/env python3
"""page.py text FILE.html… - pages of reports as plain text, FILE.txt: a line for each
paragraph, heading and row: what a reviewer can read in a diff. Charts are left out."""
import sys
from html.parser import HTMLParser

BLOCKS = {"p", "h1", "h2", "h3", "tr", "li", "title", "caption", "div"}
CELLS = {"td", "th", "dt", "dd"}


class Text(HTMLParser):
    def __init__(self):
        super().__init__()
        self.lines, self.line, self.silent, self.cells = [], "", 0, 0

    def end_line(self):
        text = " ".join(self.line.split())
        if text.strip("| "):
            self.lines.append(text)
        self.line, self.cells = "", 0

    def handle_starttag(self, tag, attrs):
        if tag in ("svg", "style"):
            self.silent += 1
        elif tag in BLOCKS:
            self.end_line()
            self.line = "\x01# " if tag in ("h1", "h2", "h3") else ""
        elif tag in CELLS:
            self.line += " | " if self.cells else ""
            self.cells += 1
        elif tag == "br":
            self.line += " / "

    def handle_endtag(self, tag):
        if tag in ("svg", "style"):
            self.silent -= 1
        elif tag in BLOCKS:
            self.end_line()

    def handle_data(self, data):
        if not self.silent:
            self.line += data


def text(path):
    t = Text()
    t.feed(open(path, encoding="utf-8").read())
    t.end_line()
    return "\n".join(line.replace("\x01", "") for line in t.lines) + "\n"


if __name__ == "__main__":
    if len(sys.argv) < 3 or sys.argv[1] != "text":
        sys.exit("usage: page.py text FILE.html…")
    for name in sys.argv[2:]:
        with open(name.rsplit(".", 1)[0] + ".txt", "w", encoding="utf-8") as out:
            out.write(text(name))
