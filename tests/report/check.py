#!/usr/bin/env python3
"""check.py [--schema FILE] DATABASE REPORT.json … - each number of weekly reports, traced to the rows that it comes from.

Nothing of garita is used: SQL on the database, Python's own time zones, hashlib. What the report must say is
reckoned here a second time; every number and flag of it must then stand there, or in UNTRACED with the reason.
Then numbers of the report are changed, one at a time, and each change must be noticed: a check that can fail."""
import copy
import datetime
import hashlib
import json
import random
import re
import sqlite3
import sys
import zoneinfo

# What no row of the database holds: it depends on site.yaml or on how much time has passed, and has tests of its own.
UNTRACED = {
    ("summary", "coverage_threshold_percent"): "site.yaml",
    ("summary", "geolocation_age_days"): "test_report_geo", ("summary", "geolocation_old"): "test_report_geo",
    ("geolocation", "age_days"): "", ("geolocation", "old"): "", ("geolocation", "at_end"): "",
    ("approvals", "days_left"): "site.yaml", ("suppressions", "entry"): "garita verify",
}
BLIND = ("stopped", "interface-down", "worker-died", "judge-died", "record-damaged", "clock-step")
LIVE = "run IN (SELECT id FROM run WHERE live = 1)"   # a replay says nothing of what the sensor saw
HOUR = 3600 * 10**6
VERDICTS = ("approved", "unapproved", "housekeeping")


def utc(us):
    t = datetime.datetime.fromtimestamp(us // 10**6, datetime.timezone.utc)
    return t.strftime("%Y-%m-%dT%H:%M:%S") + ".%06dZ" % (us % 10**6)


def ppm(part, whole):
    return 100.0 if whole == 0 else int(min(part / whole, 1.0) * 10**6) / 10**4


def join(spans):
    out = []
    for a, b in sorted(spans):
        if out and a <= out[-1][1]:
            out[-1][1] = max(out[-1][1], b)
        elif a < b:
            out.append([a, b])
    return out


def common(spans, a, b):
    return sum(max(0, min(b, y) - max(a, x)) for x, y in spans)


class Week:
    def __init__(self, text, zone):
        self.zone = zoneinfo.ZoneInfo(zone)
        year, number = int(text[:4]), int(text[6:])
        self.monday = datetime.date.fromisocalendar(year, number, 1)
        self.start, self.end = self.midnight(0), self.midnight(7)

    def midnight(self, days):
        d = self.monday + datetime.timedelta(days=days)
        return int(datetime.datetime(d.year, d.month, d.day, tzinfo=self.zone).timestamp()) * 10**6

    def before(self, weeks):
        return self.midnight(-7 * weeks), self.midnight(-7 * weeks + 7)

    def day(self, us):
        return str(datetime.datetime.fromtimestamp(us // 10**6, self.zone).date())


class Expected:
    def __init__(self, path, report):
        self.db = sqlite3.connect("file:%s?mode=ro" % path, uri=True)
        self.db.row_factory = sqlite3.Row
        s = report["summary"]
        self.week = Week(s["week"], s["time_zone"])
        self.tables = {"summary": [{}]}
        self.coverage()
        self.amounts()
        self.people()
        self.ledger()

    def rows(self, sql, *args):
        return self.db.execute(sql, args).fetchall()

    # --- what the sensor saw ---

    def coverage(self):
        w, s = self.week, self.tables["summary"][0]
        runs = self.rows("SELECT start_us, coalesce(end_us, last_us) AS end_us FROM run WHERE live = 1")
        gaps = self.rows("SELECT start_us, end_us, cause, lost FROM gap WHERE start_us < ? AND coalesce(end_us, start_us) >= ?"
                         " ORDER BY start_us, id", w.end, w.start)
        horizon = max([r["end_us"] for r in runs], default=0)
        on = join([(r["start_us"], r["end_us"]) for r in runs])
        off = join([(g["start_us"], g["end_us"] if g["end_us"] is not None else w.end) for g in gaps if g["cause"] in BLIND])
        seen_spans = []
        for a, b in on:
            at = a
            for x, y in off:
                if x < b and y > at:
                    seen_spans.append((at, max(at, x)))
                    at = max(at, min(y, b))
            seen_spans.append((at, b))
        seen_spans = join(seen_spans)
        hours, weighted, doubtful = [], 0, 0
        for a in range(w.start, w.end, HOUR):
            b = min(a + HOUR, w.end)
            until = b if horizon >= w.end else max(a, min(b, horizon))
            m = self.rows("SELECT sum(frames) f, sum(kernel_drops + interface_drops + flow_table_full) l, sum(malformed_frames) m,"
                          " sum(acks) k, sum(acks_unseen) u FROM minute WHERE " + LIVE + " AND minute_us >= ? AND minute_us < ?", a, b)[0]
            t = self.rows("SELECT count(*) n, total(flags & 24 <> 0) o FROM transfer WHERE start_us >= ? AND start_us < ?"
                          " AND proto = 6 AND flags & 2048", a, b)[0]
            f, lost, seen = m["f"] or 0, m["l"] or 0, common(seen_spans, a, until)
            h = {"hour": utc(a), "frames": f, "lost": lost, "malformed": m["m"] or 0, "acks": m["k"] or 0,
                 "acks_unseen": m["u"] or 0, "tcp_connections": t["n"], "one_way_connections": int(t["o"])}
            usual = sorted(n for n in (self.frames_before(a, i) for i in range(1, 5)) if n)
            if len(usual) >= 2:
                n = len(usual)
                h["usual_frames"] = usual[n // 2] if n % 2 else usual[n // 2 - 1] // 2 + usual[n // 2] // 2
            if until > a:
                h["time_percent"] = ppm(seen, until - a)
                h["coverage_percent"] = int(round(h["time_percent"] * 10**4) * round(ppm(f, f + lost) * 10**4) // 10**6) / 10**4
                if f + lost:
                    h["frames_percent"] = ppm(f, f + lost)
            weighted += seen * round(ppm(f, f + lost) * 10**4)
            one_way = t["n"] >= 20 and t["o"] * 10 >= t["n"] * 9
            lossy = h["acks"] >= 1000 and h["acks_unseen"] * 10 > h["acks"]
            silent = h.get("usual_frames", 0) >= 1000 and f < h["usual_frames"] // 10 and until == b
            doubtful += seen if seen and (one_way or lossy or silent) else 0
            hours.append((h, seen, until - a))
        self.tables["coverage"] = [h for h, _, _ in hours]
        self.hours = [(seen, part, h["frames"]) for h, seen, part in hours]
        past, seen = sum(p for _, _, p in hours), sum(x for _, x, _ in hours)
        frames, lost = sum(h["frames"] for h, _, _ in hours), sum(h["lost"] for h, _, _ in hours)
        # Hours times sixty minutes, less those that were not seen: by the spans, whole and not by the hour.
        assert seen == common(seen_spans, w.start, min(w.end, max(horizon, w.start))), "the hours do not add up to the week"
        s.update({"hours": (w.end - w.start) // HOUR, "live": bool(runs), "complete": horizon >= w.end, "frames": frames,
                  "frames_lost": lost})
        if runs:
            s.update({"coverage_percent": int(weighted / past) / 10**4 if past else 0.0,
                      "time_percent": ppm(seen, past) if past else 0.0, **({"frames_percent": ppm(frames, frames + lost)} if frames + lost else {}),
                      "doubtful_percent": ppm(doubtful, past) if past else 0.0})
        self.tables["gaps"] = [dict([("start", utc(g["start_us"]))] +
                                    ([("lasted", (g["end_us"] - g["start_us"]) // 10**6)] if g["end_us"] is not None else []) +
                                    ([("lost", g["lost"])] if g["lost"] else [])) for g in gaps]
        self.tables["runs"] = [dict(r) for r in self.rows(
            "SELECT r.id, t.frames, t.transfers FROM run r JOIN totals t ON t.run = r.id WHERE r.start_us < ?"
            " AND coalesce(r.end_us, r.last_us) >= ? ORDER BY r.id DESC", w.end, w.start)]

    def vlans_in(self, weeks):
        start, end = self.week.before(weeks)
        found = {}
        for r in self.rows("SELECT quarter_us, vlan FROM vlan_seen WHERE quarter_us >= ? AND quarter_us < ?", start, end):
            found.setdefault((r["quarter_us"] - start) // HOUR, set()).add(r["vlan"])
        return found

    def vlan(self, row):
        vid = {"untagged": 0, "others": -1}.get(row["vlan"]) if not row["vlan"].isdigit() else int(row["vlan"])
        now, weeks = self.vlans_in(0), [self.vlans_in(i) for i in range(1, 5)]
        missing = 0
        for i, (seen, past, frames) in enumerate(self.hours):
            had, known = sum(vid in w.get(i, ()) for w in weeks), sum(i in w for w in weeks)
            missing += "networks" in row and seen == past == HOUR and vid not in now.get(i, ()) and (i in now or not frames) and \
                had >= 2 and 2 * had > known
        return {"hours_seen": sum(vid in s for s in now.values()), "hours_missing": missing}

    def frames_before(self, hour_us, weeks):
        start, end = self.week.before(weeks)
        at = start + (hour_us - self.week.start)   # the hour of that number
        if at >= end:
            return 0
        return self.rows("SELECT total(frames) f FROM minute WHERE " + LIVE + " AND minute_us >= ? AND minute_us < ?", at, min(at + HOUR, end))[0]["f"]

    # --- what went out ---

    def sums(self, rows, before):
        d = {}
        for v in VERDICTS:
            d["transfers_" + v] = sum(1 + r["collapsed"] for r in rows if r["verdict"] == v)
            d["bytes_out_" + v] = sum(r["ip_bytes_out"] for r in rows if r["verdict"] == v)
        for v in VERDICTS[:2]:
            d["bytes_in_" + v] = sum(r["ip_bytes_in"] for r in rows if r["verdict"] == v)
            d["before_out_" + v] = sum(r["ip_bytes_out"] for r in before if r["verdict"] == v)
        d["bytes_out_unknown"] = sum(r["ip_bytes_out"] for r in rows if r["verdict"] == "unapproved" and r["app"] in (None, "", "Unknown"))
        return d

    def amounts(self):
        w, s = self.week, self.tables["summary"][0]
        sql = "SELECT * FROM transfer WHERE start_us >= ? AND start_us < ? ORDER BY id"
        now, before = self.rows(sql, w.start, w.end), self.rows(sql, *w.before(1))
        assert not self.rows("SELECT 1 FROM folded"), "sums of retention are not reckoned here"
        network = lambda r: "AS%d%s" % (r["asn"], " " + r["as_org"] if r["as_org"] else "") if r["asn"] else "unknown"
        keys = {"by_equipment": ("equipment", lambda r: r["equipment"]),
                "by_scanner_network": ("scanner_network", lambda r: r["network"] or "unknown"),
                "by_country": ("country", lambda r: r["country"] or "unknown"), "by_network": ("network", network),
                "by_app": ("application", lambda r: r["app"] or "unknown")}
        for table, (name, key) in keys.items():
            self.tables[table] = [dict(self.sums([r for r in now if key(r) == k], [r for r in before if key(r) == k]), **{name: k})
                                  for k in sorted({key(r) for r in now} | {key(r) for r in before})]
        where = lambda r: (r["equipment"], r["country"] or "unknown", network(r), r["jurisdiction"] or "")
        was = {where(r) for r in before}
        self.tables["destinations"] = [
            dict(self.sums([r for r in now if where(r) == k], [r for r in before if where(r) == k]), new=k not in was,
                 equipment=k[0], country=k[1], network=k[2], **({"jurisdiction": k[3]} if k[3] else {}))
            for k in sorted({where(r) for r in now})]
        days = [str(w.monday + datetime.timedelta(days=d)) for d in range(7)]
        self.tables["days"] = [dict(self.sums([r for r in now if w.day(r["start_us"]) == d],
                                              [r for r in before if w.day(r["start_us"] ) ==
                                               str(datetime.date.fromisoformat(d) - datetime.timedelta(days=7))]), day=d) for d in days]
        self.tables["trend"] = []
        for i in range(11, -1, -1):
            span = self.sums(self.rows(sql, *w.before(i)), [])
            iso = (w.monday - datetime.timedelta(days=7 * i)).isocalendar()
            self.tables["trend"].append(dict({k: span[k] for k in span if k.split("_", 1)[0] != "before" and "in_" not in k and
                                              not k.endswith(("housekeeping", "unknown"))}, week="%d-W%02d" % (iso[0], iso[1])))
        self.tables["unapproved_transfers"] = [
            dict({"id": r["id"], "start": utc(r["start_us"]), "lasted": (r["end_us"] - r["start_us"]) // 10**6,
                  "bytes_out": r["ip_bytes_out"], "bytes_in": r["ip_bytes_in"], "collapsed": r["collapsed"]},
                 **{a: r[b] for a, b in (("finding", "finding"), ("port", "dest_port")) if r[b] is not None})
            for r in now if r["verdict"] == "unapproved"]
        all_of = self.sums(now, [])
        s.update({k: all_of[k] for k in all_of if not k.startswith("before")})
        s["transfers"] = sum(all_of["transfers_" + v] for v in VERDICTS)
        s["transfers_open"] = sum(r["state"] == "open" for r in now)
        s["bytes_out_encrypted"] = sum(r["ip_bytes_out"] for r in now if r["encrypted"])
        carried = self.rows("SELECT * FROM transfer WHERE start_us < ? AND end_us >= ?", w.start, w.start)
        bad = [r for r in carried if r["verdict"] == "unapproved"]
        s.update({"carried_transfers": sum(1 + r["collapsed"] for r in carried), "carried_unapproved": sum(1 + r["collapsed"] for r in bad),
                  "carried_unapproved_bytes_out": sum(r["ip_bytes_out"] for r in bad), "monthly_sums": 0})
        self.approved = [r for r in now if r["verdict"] == "approved"]

    # --- what people look at ---

    def people(self):
        w, s = self.week, self.tables["summary"][0]
        as_of = max([max(r["last_us"], r["end_us"] or 0) for r in self.rows("SELECT last_us, end_us FROM run")], default=0)
        found = self.rows("SELECT f.*, r.state AS review, r.closed_us, r.reopened, r.hold, r.due_us FROM finding f"
                          " LEFT JOIN review r ON r.finding = f.id WHERE first_us < ? AND last_us >= ? AND (f.transfers > 0 OR f.signs IS NOT NULL) ORDER BY f.id", w.end, w.start)
        self.tables["findings"] = [
            dict({"id": f["id"], "severity": f["severity"], "transfers": f["transfers"], "bytes_out": f["bytes_out"],
                  "bytes_in": f["bytes_in"], "reopened": f["reopened"] or 0, "legal_hold": bool(f["hold"])},
                 **({"time_to_review": (f["closed_us"] - f["first_us"]) // 10**6} if f["closed_us"] else {})) for f in found]
        s.update({"findings": len(found), "findings_closed": sum(f["review"] == "closed" for f in found),
                  "findings_severe": sum(f["severity"] >= 70 for f in found),
                  "findings_overdue": sum(f["review"] != "closed" and (f["due_us"] or as_of + 1) <= as_of for f in found),
                  "findings_suppressed": 0, "policy_later": False})
        hidden = []
        for p in self.rows("SELECT * FROM suppression WHERE from_us < ? AND until_us > ? ORDER BY id", w.end, w.start):
            # Those of the demo name a machine and the network of an address.
            those = [f for f in found if f["equipment"] == p["equipment"] and f["severity"] <= p["severity"] and
                     f["peer"].startswith(p["peer"].split("0/24")[0])]
            row = {"id": p["id"], "up_to": p["severity"], "findings": len(those), "transfers": sum(f["transfers"] for f in those),
                   "bytes_out": sum(f["bytes_out"] for f in those)}
            hidden.append(dict(row, **({"worst": max(f["severity"] for f in those)} if those else {})))
        self.tables["suppressions"] = hidden
        self.tables["maintenance"] = [dict(r) for r in self.rows(
            "SELECT id, bytes_out, bytes_in, flows, unapproved FROM maintenance WHERE start_us < ? AND end_us >= ? ORDER BY start_us",
            w.end, w.start)]
        self.tables["limits"] = []
        self.tables["machines"] = {r["id"]: (bool(r["known"]), bool(r["mac_mismatch"])) for r in self.rows("SELECT * FROM machine")}
        self.usage = {(r["approval"], r["per"], utc(r["start_us"])): r for r in self.rows("SELECT * FROM usage")}

    def ledger(self):
        s = self.tables["summary"][0]
        as_of = max([max(r["last_us"], r["end_us"] or 0) for r in self.rows("SELECT last_us, end_us FROM run")], default=0)
        entries = self.rows("SELECT seq, kind, body, time_us FROM ledger WHERE time_us <= ? AND kind <> 'report' ORDER BY seq", as_of)
        leaf = lambda e: hashlib.sha256(b"\0" + e["body"].encode()).digest()
        s["ledger_entries"], self.head = entries[-1]["seq"] + 1, leaf(entries[-1]).hex()
        last = self.rows("SELECT size FROM checkpoint ORDER BY size DESC LIMIT 1")
        s["checkpoint_size"] = last[0]["size"]
        self.root = self.merkle([leaf(e) for e in self.rows("SELECT body FROM ledger WHERE seq < ? ORDER BY seq", last[0]["size"])]).hex()
        closed = self.rows("SELECT count(*) n FROM transfer WHERE state <> 'open'")[0]["n"]
        s.update({"ledger_signatures_checked": True, "ledger_wrong": 0, "transfers_sealed": closed,
                  "transfers_unsealed": self.rows("SELECT count(*) n FROM transfer WHERE state = 'open'")[0]["n"]})
        files = [(e, f) for e in self.rows("SELECT body FROM ledger WHERE kind = 'geolocation' ORDER BY seq")
                 for f in json.loads(e["body"])["files"]]
        self.sizes = {f["sha256"]: f["bytes"] for _, f in files}

    def limit(self, approval, direction):
        """As the site.yaml that the record holds says it."""
        text = self.rows("SELECT text FROM policy ORDER BY loaded_us DESC LIMIT 1")[0]["text"]
        part = text.split("id: %s" % approval)[1].split("- id:")[0]
        number, unit = re.search(r"limit: {[^}]*%s: (\d+)([KMG]?)B" % direction, part).groups()
        return int(number) * {"": 1, "K": 10**3, "M": 10**6, "G": 10**9}[unit]

    def merkle(self, leaves):
        """RFC 6962, 2.1"""
        if len(leaves) == 1:
            return leaves[0]
        k = 1
        while k * 2 < len(leaves):
            k *= 2
        return hashlib.sha256(b"\1" + self.merkle(leaves[:k]) + self.merkle(leaves[k:])).digest()


KEYS = {"coverage": "hour", "days": "day", "trend": "week", "by_equipment": "equipment", "by_scanner_network": "scanner_network",
        "by_country": "country", "by_network": "network", "by_app": "application", "unapproved_transfers": "id", "findings": "id",
        "suppressions": "id", "maintenance": "id", "runs": "id", "vlans": "vlan"}


def numbers(row):
    return {k: v for k, v in row.items() if isinstance(v, (int, float))}


def compare(table, row, want, wrong):
    for k, v in numbers(row).items():
        if (table, k) in UNTRACED:
            continue
        if k not in want:
            wrong.append("%s: nothing says where %s = %s comes from" % (table, k, v))
        elif (abs(v - want[k]) > 0.00011 if isinstance(v, float) else v != want[k]):
            wrong.append("%s %s: %s is %s, the database has %s" % (table, row.get(KEYS.get(table), ""), k, v, want[k]))
    for k in want:
        if isinstance(want[k], (int, float)) and k not in row:
            wrong.append("%s: %s = %s is not in the report" % (table, k, want[k]))


def check(report, want):
    wrong = []
    compare("summary", report["summary"], dict(want.tables["summary"][0], policy_later=report["summary"]["policy_later"]), wrong)
    s = report["summary"]
    if (s["ledger_head"], s["checkpoint_root"]) != (want.head, want.root):
        wrong.append("the ledger's head or root is another")
    if s["transfers_unapproved"] and not s["sentence"].startswith("%d " % s["transfers_unapproved"]):
        wrong.append("the sentence says another number")
    for table, rows in report.items():
        if table in ("report", "summary", "controls", "blind_spots", "policies", "self_tests", "ledger_wrong"):
            continue
        for row in rows:
            expected = rest(table, row, want)
            if expected is not None:
                compare(table, row, expected, wrong)
        if table in want.tables and table != "limits":
            paired(table, rows, want.tables[table], wrong)
    return wrong


def rest(table, row, want):
    """Tables whose rows are looked up one by one."""
    if table == "geolocation":
        return {"bytes": want.sizes[row["sha256"]]}
    if table == "vlans":
        return want.vlan(row)
    if table == "equipment":
        known, other = want.tables["machines"].get(row["id"], (True, False))
        return {"known": known, "mac_mismatch": other}
    if table == "approvals":
        those = [r for r in want.approved if r["approval"] == row["id"]]
        return {"transfers": sum(1 + r["collapsed"] for r in those), "bytes_out": sum(r["ip_bytes_out"] for r in those),
                "bytes_in": sum(r["ip_bytes_in"] for r in those)}
    if table == "limits":
        u = want.usage[(row["approval"], row["per"], row["start"])]
        used = {"out": u["bytes_out"], "in": u["bytes_in"], "total": u["bytes_out"] + u["bytes_in"]}[row["direction"]]
        limit = want.limit(row["approval"], row["direction"])
        return {"used": used, "limit": limit, "used_percent": int(used * 10**6 / limit) / 10**4}
    return None


def paired(table, rows, want, wrong):
    key = KEYS.get(table)
    if table == "destinations":
        pick = lambda r: (r["equipment"], r["country"], r["network"], r.get("jurisdiction", ""))
    elif key is None:
        pick = lambda r: json.dumps({k: v for k, v in r.items() if k == "start"})
    else:
        pick = lambda r: str(r[key])
    if len(rows) != len(want):
        wrong.append("%s has %d rows, the database %d" % (table, len(rows), len(want)))
    for a, b in zip(sorted(rows, key=pick), sorted(want, key=pick)):
        if pick(a) != pick(b):
            wrong.append("%s: %s is not %s" % (table, pick(a), pick(b)))
        compare(table, a, b, wrong)


def broken(report, want, count):
    """Change one number at a time."""
    places = [(t, i, k) for t in report if isinstance(report[t], list) for i, r in enumerate(report[t]) for k in numbers(r)
              if (t, k) not in UNTRACED]
    places = random.Random(6).sample(places, min(count, len(places)))
    places += [("summary", None, k) for k in numbers(report["summary"]) if ("summary", k) not in UNTRACED | {("summary", "policy_later"): ""}]
    missed = []
    for t, i, k in places:
        other = copy.copy(report)
        row = dict(report[t] if i is None else report[t][i])
        row[k] = not row[k] if isinstance(row[k], bool) else row[k] + 1
        other[t] = row if i is None else report[t][:i] + [row] + report[t][i + 1:]
        if not check(other, want):
            missed.append("%s %s: %s may be anything" % (t, i, k))
    return missed


def main(args):
    """check.py [--schema FILE] DATABASE REPORT…"""
    validator, bad = None, 0
    if args[:1] == ["--schema"]:
        import jsonschema
        validator = jsonschema.Draft202012Validator(json.load(open(args[1], encoding="utf-8")))
        args = args[2:]
    for path, name in zip(args[::2], args[1::2]):
        report = json.load(open(name, encoding="utf-8"))
        want = Expected(path, report)
        wrong = check(report, want)
        if not wrong:
            wrong = broken(report, want, 60)
        wrong += ["not of its schema: %s" % e.message for e in validator.iter_errors(report)] if validator else []
        for line in wrong[:20]:
            print("%s: %s" % (name, line))
        bad |= bool(wrong)
    return bad


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
