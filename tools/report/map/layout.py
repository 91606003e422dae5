#!/usr/bin/env python3
"""Make ../country_table.c: where each country stands on the map of the weekly
report, and its names. See README.md beside this file. Nothing but Python 3,
tzdata and ICU is needed:

    tools/report/map/layout.py >tools/report/country_table.c
"""
import ctypes
import glob
import math
import re

ZONES = "/usr/share/zoneinfo/zone.tab"
CODES = "/usr/share/zoneinfo/iso3166.tab"
COLUMNS, ROWS = 35, 19
CUT = 10  # the map is cut 180 degrees from here
ATLANTIC = 13  # a column that stays free between the Americas and Europe and Africa
EXTRA = ["XK"]  # no code of ISO 3166-1, but in geolocation databases
ANTARCTICA = (17, ROWS - 1)  # its places of tzdata lie around the pole


def degrees(text, digits):
    whole, minutes, seconds = text[1:1 + digits], text[1 + digits:3 + digits], text[3 + digits:]
    value = int(whole) + int(minutes) / 60 + int(seconds or 0) / 3600
    return -value if text[0] == "-" else value


def places():
    """The part of the world to which tzdata counts the greatest place of each country (its first), and the middle of
    its places there: Spain is Madrid, without the Canaries."""
    sums, part = {}, {}
    for line in open(ZONES, encoding="ascii"):
        if line.startswith("#"):
            continue
        code, where, zone = line.split("\t")[:3]
        if part.setdefault(code, zone.split("/")[0]) != zone.split("/")[0]:
            continue
        lat, lon = re.match(r"([+-]\d+)([+-]\d+)$", where).groups()
        a, b = math.radians(degrees(lat, 2)), math.radians(degrees(lon, 3))
        x, y, z = sums.get(code, (0, 0, 0))
        sums[code] = (x + math.cos(a) * math.cos(b), y + math.cos(a) * math.sin(b), z + math.sin(a))
    middle = {c: (math.atan2(z, math.hypot(x, y)), math.degrees(math.atan2(y, x))) for c, (x, y, z) in sums.items()}
    return middle, part


def project(lat, lon):
    """Miller's cylindrical projection."""
    return (lon - CUT + 180) % 360, math.degrees(1.25 * math.log(math.tan(math.pi / 4 + 0.4 * lat)))


def assign(cost):
    """The cheapest cell for each row of cost, no cell twice (the Hungarian method)."""
    n, m = len(cost), len(cost[0])
    u, v, owner, way = [0.0] * (n + 1), [0.0] * (m + 1), [0] * (m + 1), [0] * (m + 1)
    for i in range(1, n + 1):
        owner[0], j0 = i, 0
        least, used = [math.inf] * (m + 1), [False] * (m + 1)
        while owner[j0] != 0:
            used[j0] = True
            i0, delta, j1 = owner[j0], math.inf, 0
            for j in range(1, m + 1):
                if used[j]:
                    continue
                now = cost[i0 - 1][j - 1] - u[i0] - v[j]
                if now < least[j]:
                    least[j], way[j] = now, j0
                if least[j] < delta:
                    delta, j1 = least[j], j
            for j in range(m + 1):
                if used[j]:
                    u[owner[j]] += delta
                    v[j] -= delta
                else:
                    least[j] -= delta
            j0 = j1
        while j0 != 0:
            owner[j0] = owner[way[j0]]
            j0 = way[j0]
    return {owner[j] - 1: j - 1 for j in range(1, m + 1) if owner[j]}


def cells():
    middle, part = places()
    where = {c: project(*p) for c, p in middle.items() if c != "AQ"}
    codes = sorted(where)
    xs, ys = [where[c][0] for c in codes], [where[c][1] for c in codes]
    def ideal(c):
        return ((where[c][0] - min(xs)) / (max(xs) - min(xs)) * (COLUMNS - 1),
                (max(ys) - where[c][1]) / (max(ys) - min(ys)) * (ROWS - 1))
    free = [(x, y) for y in range(ROWS) for x in range(COLUMNS) if (x, y) != ANTARCTICA]

    def price(c, x, y):
        overseas = part[c] == "America" and x >= ATLANTIC or part[c] in ("Europe", "Africa") and x <= ATLANTIC
        return (x - ideal(c)[0]) ** 2 + (y - ideal(c)[1]) ** 2 + (1e6 if overseas else 0)
    cost = [[price(c, x, y) for x, y in free] for c in codes]
    found = {codes[i]: free[j] for i, j in assign(cost).items()}
    found["AQ"] = ANTARCTICA
    return found


def icu_names(lang):
    path = sorted(glob.glob("/usr/lib/*/libicuuc.so.[0-9][0-9]"))[-1]
    version = path.rsplit(".", 1)[1]
    function = getattr(ctypes.CDLL(path), "uloc_getDisplayCountry_" + version)

    def name(code):
        buf, error = (ctypes.c_uint16 * 200)(), ctypes.c_int(0)
        n = function(("und_" + code).encode(), lang.encode(), buf, 200, ctypes.byref(error))
        return bytes(buf)[:2 * n].decode("utf-16-le")
    return name


def main():
    english, spanish, where = icu_names("en"), icu_names("es"), cells()
    codes = [line[:2] for line in open(CODES, encoding="utf-8") if not line.startswith("#")]
    print("/* Made by tools/report/map/layout.py (README.md beside it says from what): not by hand. */")
    print('#include "report/country.h"\n')
    print("const struct country country_table[] = {")
    rows = sorted(codes + EXTRA)
    for c in rows:
        x, y = where.get(c, (-1, -1))
        print(f'\t{{"{c}", {x}, {y}, "{english(c)}", "{spanish(c)}"}},')
    print("};\nconst size_t country_table_count = sizeof country_table / sizeof country_table[0];")


if __name__ == "__main__":
    main()
