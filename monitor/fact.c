#include "fact.h"

#include <string.h>

#include "base/control.h"
#include "base/netset.h"

static const uint16_t fact_size[FACT_TYPE_MAX] = {
	[FACT_FLOW_NEW] = sizeof(struct fact_flow_new),
	[FACT_FLOW_CLASS] = sizeof(struct fact_flow_class),
	[FACT_FLOW_CONTENT] = sizeof(struct fact_content),
	[FACT_FLOW_COUNT] = sizeof(struct fact_flow_count),
	[FACT_FLOW_END] = sizeof(struct fact_flow_count),
	[FACT_NAME] = sizeof(struct fact_name),
	[FACT_STATION] = sizeof(struct fact_station),
	[FACT_COUNTERS] = sizeof(struct fact_counters),
	[FACT_NOTE] = sizeof(struct fact_note),
	[FACT_QUESTION] = sizeof(struct fact_question),
	[FACT_ICMP] = sizeof(struct fact_icmp),
	[FACT_SSH] = sizeof(struct fact_ssh),
};

#define NAME_WIRE_MAX 255u   /* RFC 1035, section 3.1 */

static bool good_time(int64_t us)
{
	return us >= 0 && us <= FACT_TIME_MAX_US;
}

/* More tags than are kept may have been counted: the reader gets what it can
 * index with. */
static void hold_vlans(uint8_t *vlan_count)
{
	if (*vlan_count > 2)
		*vlan_count = 2;
}

static bool check_flow_new(struct fact_flow_new *f)
{
	struct flow_ident *i = &f->ident;
	hold_vlans(&i->vlan_count);
	return (i->ip_version == 4 || i->ip_version == 6) && i->network < NETSET_NETWORKS_MAX &&
	       f->initiator <= INITIATOR_PEER && good_time(f->start_us);
}

/* Terminate, and leave nothing that a terminal, a log or a spreadsheet could
 * take for more than text: the sender chose these bytes. */
static void hold_text(char *text, size_t size)
{
	text[size - 1] = '\0';
	const size_t length = strlen(text);
	size_t i = 0;
	/* Eight at a time, while all of them are from ' ' to '~'. */
	for (; i + 8 <= length; i += 8) {
		const uint64_t ones = UINT64_C(0x0101010101010101), tops = ones << 7;
		uint64_t x;
		memcpy(&x, text + i, sizeof x);
		if (((x | (x + ones) | ((x - ones * ' ') & ~x)) & tops) != 0)
			break;
	}
	for (; i < length; i++) {
		if (text[i] < ' ' || text[i] > '~')
			text[i] = '?';
	}
}

static bool check_flow_class(struct fact_flow_class *f)
{
	hold_text(f->app, sizeof f->app);
	hold_text(f->category, sizeof f->category);
	hold_text(f->host, sizeof f->host);
	hold_text(f->ja3, sizeof f->ja3);
	hold_text(f->ja4, sizeof f->ja4);
	f->encrypted = f->encrypted != 0;
	f->final = f->final != 0;
	return f->host_source <= HOST_CERT;
}

static bool check_content(struct fact_content *f)
{
	f->word[sizeof f->word - 1] = '\0';
	hold_text(f->detail, sizeof f->detail);
	for (const char *p = f->word; *p != '\0'; p++) {
		if (*p <= ' ' || *p > '~')
			return false;
	}
	return f->word[0] != '\0';
}

static bool check_flow_count(const struct fact_flow_count *f)
{
	const bool ended = f->end != END_NONE;
	return f->initiator <= INITIATOR_PEER && f->end <= END_INPUT && ended == (f->head.type == FACT_FLOW_END) &&
	       good_time(f->last_us);
}

static bool check_name(struct fact_name *f)
{
	hold_text(f->name, sizeof f->name);
	return f->name[0] != '\0';
}

static bool check_question(struct fact_question *f)
{
	const size_t bytes = f->head.size - offsetof(struct fact_question, name);
	hold_text(f->name, bytes);
	return f->name[0] != '\0' && f->name_bytes > 0 && f->name_bytes <= NAME_WIRE_MAX;
}

static bool check_station(struct fact_station *f)
{
	hold_vlans(&f->vlan_count);
	return f->network < NETSET_NETWORKS_MAX;
}

static bool check_note(struct fact_note *f)
{
	f->text[sizeof f->text - 1] = '\0';
	for (char *p = f->text; *p != '\0'; p++) {
		if ((*p >= 0 && *p < ' ') || *p == 0x7f)
			*p = '?';   /* the rest may be UTF-8: the name of a file */
	}
	return f->kind >= 1 && f->kind < NOTE_KIND_MAX;
}

static bool check_head(const struct fact_head *h)
{
	const bool of_flow = h->type >= FACT_FLOW_NEW && h->type <= FACT_FLOW_END;
	return h->worker < CONTROL_WORKERS_MAX && good_time(h->time_us) && (!of_flow || h->flow != 0);
}

static bool check_body(union fact_any *f)
{
	switch ((enum fact_type)f->head.type) {
	case FACT_FLOW_NEW:
		return check_flow_new(&f->flow_new);
	case FACT_FLOW_CLASS:
		return check_flow_class(&f->flow_class);
	case FACT_FLOW_CONTENT:
		return check_content(&f->content);
	case FACT_FLOW_COUNT:
	case FACT_FLOW_END:
		return check_flow_count(&f->flow_count);
	case FACT_NAME:
		return check_name(&f->name);
	case FACT_STATION:
		return check_station(&f->station);
	case FACT_COUNTERS:
		return good_time(f->counters.total.first_us) && good_time(f->counters.total.last_us);
	case FACT_NOTE:
		return check_note(&f->note);
	case FACT_QUESTION:
		return check_question(&f->question);
	case FACT_ICMP:
		return f->head.flow != 0 && f->icmp.sums.entropy <= 100;
	case FACT_SSH:
		return f->head.flow != 0 && f->ssh.sums.opened > 0;
	case FACT_TYPE_MAX:
		break;
	}
	return false;
}

/* Where the text begins that a fact may end with; 0: its size is fixed. */
static const uint16_t fact_text[FACT_TYPE_MAX] = {
	[FACT_FLOW_CLASS] = offsetof(struct fact_flow_class, host),
	[FACT_FLOW_CONTENT] = offsetof(struct fact_content, detail),
	[FACT_NAME] = offsetof(struct fact_name, name),
	[FACT_QUESTION] = offsetof(struct fact_question, name) + 1,   /* of one character at least */
};

static bool good_size(uint16_t type, size_t size)
{
	if (fact_text[type] != 0)
		return size > fact_text[type] && size <= fact_size[type];
	return fact_size[type] != 0 && fact_size[type] == size;
}

/* Everything is judged in the copy: the record lies in memory that its writer
 * can still change. */
int fact_check(const void *record, size_t size, union fact_any *ret)
{
	union fact_any f;
	if (size < sizeof f.head || size > sizeof f)
		return ERR_DAMAGED;
	memcpy(&f, record, size);
	if (f.head.type >= FACT_TYPE_MAX || f.head.size != size || !good_size(f.head.type, size))
		return ERR_DAMAGED;
	const size_t whole = fact_size[f.head.type];
	memset((uint8_t *)&f + size, 0, whole - size);   /* the rest of the text */
	if (!check_head(&f.head) || !check_body(&f))
		return ERR_DAMAGED;
	memcpy(ret, &f, whole);
	return 0;
}

static void add_time_range(struct counters *dst, const struct counters *src)
{
	if (src->first_us != 0 && (dst->first_us == 0 || src->first_us < dst->first_us))
		dst->first_us = src->first_us;
	if (src->last_us > dst->last_us)
		dst->last_us = src->last_us;
}

/* Every field but the two times at the end is a sum of uint64_t. */
_Static_assert(offsetof(struct counters, last_us) == offsetof(struct counters, first_us) + sizeof(int64_t) &&
                   sizeof(struct counters) == offsetof(struct counters, last_us) + sizeof(int64_t),
               "the times are the last fields of struct counters");

void counters_add(struct counters *dst, const struct counters *src)
{
	const size_t sums = offsetof(struct counters, first_us) / sizeof(uint64_t);
	uint64_t *d = (uint64_t *)dst;
	const uint64_t *s = (const uint64_t *)src;
	for (size_t i = 0; i < sums; i++)
		d[i] += s[i];
	add_time_range(dst, src);
}
