#!/usr/bin/env python3
"""page.py text FILE.html… - pages of reports as plain text, FILE.txt: a line for each
paragraph, heading and row: what a reviewer can read in a diff. Charts are left out.
page.py check FILE.html… - what readers and screen readers need: language, headings in
their order, tables whose headings say what they head, links that lead somewhere,
charts with a text, contrast of at least 4.5 (WCAG 2.1, 1.4.3), nothing fetched."""
import re
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


VOID = {"meta", "br", "link", "img", "hr", "input"}
WHITE, BLACK = "#ffffff", "#000000"


def luminance(colour):
    c = colour.lstrip("#")
    c = "".join(x * 2 for x in c) if len(c) == 3 else c
    parts = [int(c[i:i + 2], 16) / 255 for i in (0, 2, 4)]
    r, g, b = [x / 12.92 if x <= 0.03928 else ((x + 0.055) / 1.055) ** 2.4 for x in parts]
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def contrast(a, b):
    x, y = sorted((luminance(a), luminance(b)))
    return (y + 0.05) / (x + 0.05)


class Check(HTMLParser):
    def __init__(self, name):
        super().__init__()
        self.name, self.wrong, self.open, self.ids, self.links, self.headings = name, [], [], [], [], []
        self.style, self.lang, self.title, self.columns, self.cells, self.rows = "", None, "", 0, 0, 0
        self.fill, self.charts, self.tables = [], 0, 0

    def say(self, what):
        self.wrong.append("%s: line %d: %s" % (self.name, self.getpos()[0], what))

    def handle_starttag(self, tag, attrs):
        a = dict(attrs)
        if "id" in a:
            if a["id"] in self.ids:
                self.say("id %s comes twice" % a["id"])
            self.ids.append(a["id"])
        for key in ("src", "href", "xlink:href"):
            if key in a and not a[key].startswith("#"):
                self.say("fetches %s" % a[key])
        if tag == "html":
            self.lang = a.get("lang")
        elif tag == "a":
            self.links.append(a.get("href", ""))
        elif tag in ("h1", "h2", "h3", "h4"):
            level = int(tag[1])
            if level > (self.headings[-1] if self.headings else 0) + 1:
                self.say("%s after h%s" % (tag, self.headings[-1] if self.headings else "-"))
            self.headings.append(level)
        elif tag == "svg":
            self.charts += 1
            if a.get("role") != "img" or not a.get("aria-label"):
                self.say("a chart without a text")
        elif tag == "table":
            self.tables += 1
            self.columns = 0
        elif tag == "tr":
            self.cells = 0
        elif tag == "th":
            self.cells += 1
            if a.get("scope") not in ("col", "row"):
                self.say("a heading of a table that does not say what it heads")
        elif tag == "td":
            self.cells += int(a.get("colspan", 1))
        elif tag in ("rect", "text", "path", "polygon"):
            self.paint(tag, a)
        elif tag in ("script", "iframe", "object"):
            self.say("a %s" % tag)
        if tag not in VOID and not (tag in ("rect", "line", "path", "polygon", "use", "circle") and self.get_starttag_text().endswith("/>")):
            self.open.append(tag)

    # A self-closing tag of a chart is no open one.
    handle_startendtag = handle_starttag

    def paint(self, tag, a):
        """A text of a chart lies over what was painted at its place before."""
        if tag == "rect" and re.fullmatch("#[0-9a-f]{6}", a.get("fill", "")):
            self.fill.append([float(a[k]) for k in ("x", "y", "width", "height")] + [a["fill"]])
        elif tag == "text":
            x, y, colour, under = float(a["x"]), float(a["y"]) - 4, a.get("fill", BLACK), WHITE
            for left, top, width, height, fill in self.fill:
                if left <= x <= left + width and top <= y <= top + height:
                    under = fill
            if contrast(colour, under) < 4.5:
                self.say("text %s on %s: contrast %.1f" % (colour, under, contrast(colour, under)))

    def handle_endtag(self, tag):
        if tag in VOID:
            return
        if not self.open or self.open[-1] != tag:
            self.say("</%s> closes %s" % (tag, self.open[-1] if self.open else "nothing"))
        if tag in self.open:
            while self.open.pop() != tag:
                pass
        if tag == "tr":
            self.columns = self.columns or self.cells
            if self.cells != self.columns:
                self.say("a row of %d cells under %d headings" % (self.cells, self.columns))
        elif tag == "svg":
            self.fill = []

    def handle_data(self, data):
        if self.open[-1:] == ["style"]:
            self.style += data
        elif self.open[-1:] == ["title"] and "svg" not in self.open:
            self.title += data

    def colours(self):
        """Each colour of a text on its own ground, else on every ground that a page has."""
        rules = [(sel, dict(d.split(":", 1) for d in body.split(";") if ":" in d))
                 for sel, body in re.findall(r"([^{}]+)\{([^{}]*)\}", self.style)]
        ground = lambda d: re.search("#[0-9a-f]{3,6}", d.get("background", d.get("background-color", "")))
        grounds = {WHITE} | {ground(d).group() for _, d in rules if ground(d)}
        texts = [("links", "#0000ee", {WHITE, "#f4f4f4"})]
        for sel, d in rules:
            if re.fullmatch("#[0-9a-f]{3,6}", d.get("color", "").strip()):
                texts.append((sel.strip(), d["color"].strip(), {ground(d).group()} if ground(d) else grounds))
        for sel, colour, under in texts:
            for g in under:
                if contrast(colour, g) < 4.5:
                    self.wrong.append("%s: %s: %s on %s: contrast %.1f" % (self.name, sel, colour, g, contrast(colour, g)))
        if len(texts) < 3:
            self.wrong.append("%s: no colours were found in its style" % self.name)

    def done(self, lang):
        if self.lang != lang:
            self.wrong.append("%s: its language is %s" % (self.name, self.lang))
        if self.headings.count(1) != 1:
            self.wrong.append("%s: %d main headings" % (self.name, self.headings.count(1)))
        for link in self.links:
            if link[1:] not in self.ids:
                self.wrong.append("%s: a link to %s, which is nowhere" % (self.name, link))
        if not self.title.strip() or self.open:
            self.wrong.append("%s: no title, or tags that are not closed: %s" % (self.name, self.open))
        self.colours()
        return self.wrong


def check(name):
    text = open(name, encoding="utf-8").read()
    c = Check(name)
    c.feed(text)
    wrong = c.done(name.rsplit("/", 1)[-1].split(".")[0][-2:])
    # A check that can fail: each of these would be a page that somebody cannot read.
    harm = [('<html lang="', '<html lang="x'), ("</h2>", "</h3>"), ('scope="col"', ""), ('id="', 'id="x'), ("color:#444", "color:#aaa"),
            ("</td></tr>", "</td><td></td></tr>"), ('fill="#d6604d"', 'fill="#601010"'), ('aria-label="', 'aria-lable="'), ("<h2", "<h3")]
    for before, after in harm:
        if before in text and not wrong:
            c = Check(name)
            c.feed(text.replace(before, after))
            if not c.done(name.rsplit("/", 1)[-1].split(".")[0][-2:]) and (before != 'id="' or c.links):
                wrong.append("%s: %s instead of %s was not noticed" % (name, after, before))
    return wrong


if __name__ == "__main__":
    if len(sys.argv) < 3 or sys.argv[1] not in ("text", "check"):
        sys.exit("usage: page.py text|check FILE.html…")
    failures = []
    for page in sys.argv[2:]:
        if sys.argv[1] == "check":
            failures += check(page)
        else:
            with open(page.rsplit(".", 1)[0] + ".txt", "w", encoding="utf-8") as out:
                out.write(text(page))
    print("\n".join(failures[:40]), end="\n" if failures else "")
    sys.exit(1 if failures else 0)
