#include "judge/policy_notes.h"

#include <string.h>
#include <strings.h>

#include "base/msgid.h"
#include "judge/policy_parts.h"

static const struct {
	const char *word, *text;
} notes[POLICY_NOTE_KINDS] = {
    [POLICY_NOTE_EXPIRED] = {"expired", N_("has expired and approves nothing")},
    [POLICY_NOTE_NEVER_DAY] = {"never-day", N_("none of its days of the week falls within 'valid'; it never holds")},
    [POLICY_NOTE_NEVER_EQUIPMENT] =
        {"never-equipment",
         N_("no machine of the inventory can be in this network; unknown machines are never approved")},
    [POLICY_NOTE_NEVER_OUTSIDE] =
        {"never-outside", N_("its prefixes lie within the equipment's own network, where nothing is a transfer")},
    [POLICY_NOTE_WHOLE_INTERNET] = {"whole-internet", N_("its prefix is the whole Internet")},
    [POLICY_NOTE_NOT_YET] = {"not-yet-valid", N_("is not valid yet")},
    [POLICY_NOTE_EXPIRES_SOON] = {"expires-soon", N_("expires within 30 days")},
    [POLICY_NOTE_HOSTS_ALONE] =
        {"hosts-alone",
         N_("names hosts without a prefix or ASN: honoured only where a DNS answer gave the name for the address")},
    [POLICY_NOTE_COUNTRIES_ALONE] = {"countries-alone", N_("names countries alone: any address there, whoever has it")},
    [POLICY_NOTE_SEVERAL_MEANINGS] = {"several-meanings",
                                      N_("is more than one of id, group, vendor and network; all of them are meant")},
    [POLICY_NOTE_CLOCK_IS_UTC] =
        {"clock-is-utc", N_("hours, validity and limits go by UTC; set site.timezone if the site's clock is meant")},
    [POLICY_NOTE_EQUIPMENT_WITHOUT] = {"equipment-without-approval",
                                       N_("no valid approval covers it; all that it sends is unapproved")},
};

const char *policy_note_word(enum policy_note_kind k)
{
	return (unsigned)k < POLICY_NOTE_KINDS ? notes[k].word : "?";
}

const char *policy_note_text(enum policy_note_kind k)
{
	if ((unsigned)k >= POLICY_NOTE_KINDS)
		return "?";
	return notes[k].text;
}

struct telling {
	policy_note_fn fn;
	void *ctx;
};

static void tell(const struct telling *t, enum policy_note_kind kind, const struct config_approval *a,
                 const char *subject)
{
	const struct policy_note n = {
	    .kind = kind, .warning = kind < POLICY_NOTE_NOT_YET, .approval = a, .subject = subject};
	t->fn(t->ctx, &n);
}

static int64_t day_of(const struct policy *p, int64_t time_us)
{
	const struct policy_facts f = {.time_us = time_us};
	struct question q;
	question_init(&q, p, &f, NULL, NULL);
	question_local(&q);
	return q.local_day;
}

static int64_t last_day(const struct config_approval *a)
{
	return tz_days(a->valid_to.year, a->valid_to.month, a->valid_to.day);
}

int policy_validity(const struct policy *p, const struct config_approval *a, int64_t now_us)
{
	return valid_side(a, day_of(p, now_us));
}

/* A machine without a configured address may turn up in any network. */
static bool may_be_in(const struct config_equipment *e, const struct config_network *n)
{
	for (size_t i = 0; i < e->address_count; i++)
		for (size_t k = 0; k < n->prefix_count; k++)
			if (prefix_has(&n->prefixes[k], &e->addresses[i]))
				return true;
	return e->address_count == 0;
}

bool policy_covers(const struct policy *p, const struct config_approval *a, const struct config_equipment *e)
{
	struct policy_facts f = {
	    .known_equipment = true, .equipment = e->id, .group = e->group, .vendor = e->vendor};
	if (match_equipment(a, &f).state == COND_HOLDS)
		return true;
	for (size_t i = 0; i < p->cfg->network_count; i++) {
		f.network = p->cfg->networks[i].name;
		if (may_be_in(e, &p->cfg->networks[i]) && match_equipment(a, &f).state == COND_HOLDS)
			return true;
	}
	return false;
}

static const struct config_network *network_named(const struct config *c, const char *name)
{
	for (size_t i = 0; i < c->network_count; i++)
		if (strcmp(c->networks[i].name, name) == 0)
			return &c->networks[i];
	return NULL;
}

static void note_selector(const struct policy *p, const struct config_approval *a, const char *word,
                          const struct telling *t)
{
	const struct config *c = p->cfg;
	const struct config_network *n = network_named(c, word);
	unsigned as_id = 0, as_group = 0, as_vendor = 0, there = 0;
	for (size_t i = 0; i < c->equipment_count; i++) {
		const struct config_equipment *e = &c->equipment[i];
		as_id |= strcmp(e->id, word) == 0;
		as_group |= e->group != NULL && strcmp(e->group, word) == 0;
		as_vendor |= e->vendor != NULL && strcasecmp(e->vendor, word) == 0;
		there |= n != NULL && may_be_in(e, n);
	}
	const unsigned meanings = as_id + as_group + as_vendor + (n != NULL);
	if (meanings > 1)
		tell(t, POLICY_NOTE_SEVERAL_MEANINGS, a, word);
	else if (n != NULL && there == 0)
		tell(t, POLICY_NOTE_NEVER_EQUIPMENT, a, word);
}

static void note_days(const struct config_approval *a, const struct telling *t)
{
	const int64_t from = tz_days(a->valid_from.year, a->valid_from.month, a->valid_from.day);
	if (a->hours_count == 0)
		return;
	for (int64_t day = from; day <= last_day(a) && day < from + 7; day++) {
		struct tz_civil c;
		tz_civil_of_days(day, &c);
		for (unsigned minute = 0; minute < 1440; minute++) {
			c.hour = (uint8_t)(minute / 60);
			c.minute = (uint8_t)(minute % 60);
			for (size_t i = 0; i < a->hours_count; i++)
				if (hours_hold(&a->hours[i], &c))
					return;
		}
	}
	tell(t, POLICY_NOTE_NEVER_DAY, a, NULL);
}

/* Is every prefix of the approval inside each network that its equipment can
 * be in? Between two scanner networks there are transfers, within one none. */
static bool inside_own_network(const struct policy *p, const struct config_approval *a)
{
	const struct config *c = p->cfg;
	bool any = false;
	for (size_t n = 0; n < c->network_count; n++) {
		bool relevant = false;
		for (size_t e = 0; e < c->equipment_count && !relevant; e++)
			relevant =
			    may_be_in(&c->equipment[e], &c->networks[n]) && policy_covers(p, a, &c->equipment[e]);
		for (size_t i = 0; i < a->prefix_count && relevant; i++) {
			bool covered = false;
			for (size_t k = 0; k < c->networks[n].prefix_count && !covered; k++)
				covered = prefix_covers(&c->networks[n].prefixes[k], &a->prefixes[i]);
			if (!covered)
				return false;
		}
		any = any || relevant;
	}
	return any && a->prefix_count > 0;
}

static void note_destination(const struct policy *p, const struct config_approval *a, const struct telling *t)
{
	const bool bound = a->prefix_count > 0 || a->asn_count > 0;
	for (size_t i = 0; i < a->prefix_count; i++) {
		const struct prefix *x = &a->prefixes[i];
		if (x->bits == 0 || (addr_is_v4(&x->addr) && x->bits == 96)) {
			tell(t, POLICY_NOTE_WHOLE_INTERNET, a, NULL);
			break;
		}
	}
	if (inside_own_network(p, a))
		tell(t, POLICY_NOTE_NEVER_OUTSIDE, a, NULL);
	if (a->host_count > 0 && !bound)
		tell(t, POLICY_NOTE_HOSTS_ALONE, a, NULL);
	else if (a->country_count > 0 && !bound)
		tell(t, POLICY_NOTE_COUNTRIES_ALONE, a, NULL);
}

static void note_approval(const struct policy *p, const struct config_approval *a, int64_t today,
                          const struct telling *t)
{
	const int side = valid_side(a, today);
	if (side > 0) {
		tell(t, POLICY_NOTE_EXPIRED, a, NULL);
		return;
	}
	if (side < 0)
		tell(t, POLICY_NOTE_NOT_YET, a, NULL);
	else if (last_day(a) - today < POLICY_NOTE_SOON_DAYS)
		tell(t, POLICY_NOTE_EXPIRES_SOON, a, NULL);
	for (size_t i = 0; i < a->equipment_count; i++)
		note_selector(p, a, a->equipment[i], t);
	note_days(a, t);
	note_destination(p, a, t);
}

static bool is_covered(const struct policy *p, const struct config_equipment *e, int64_t today)
{
	for (size_t i = 0; i < p->cfg->approval_count; i++)
		if (valid_side(&p->cfg->approvals[i], today) == 0 && policy_covers(p, &p->cfg->approvals[i], e))
			return true;
	return false;
}

void policy_notes(const struct policy *p, int64_t now_us, policy_note_fn fn, void *ctx)
{
	const struct config *c = p->cfg;
	const struct telling t = {fn, ctx};
	const int64_t today = day_of(p, now_us);
	bool by_clock = false;
	for (size_t i = 0; i < c->approval_count; i++)
		by_clock = by_clock || c->approvals[i].hours_count > 0 || c->approvals[i].limit_per != PERIOD_NONE;
	if (by_clock && strcmp(c->timezone, "UTC") == 0)
		tell(&t, POLICY_NOTE_CLOCK_IS_UTC, NULL, NULL);
	for (size_t i = 0; i < c->approval_count; i++)
		note_approval(p, &c->approvals[i], today, &t);
	for (size_t i = 0; i < c->equipment_count; i++)
		if (!is_covered(p, &c->equipment[i], today))
			tell(&t, POLICY_NOTE_EQUIPMENT_WITHOUT, NULL, c->equipment[i].id);
}
