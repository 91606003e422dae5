/* Packets of transfers in a finding, as the sensor says of them. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "format.h"
#include "status.h"
#include "text.h"

/* As evidence_put_status says them. */
const char *const status_missed_key[EVIDENCE_MISSED] = {"budget", "hold", "before", "disk", "lost", "refused", "undecided"};

enum { FIELD_PACKETS = 0, FIELD_FILE, FIELD_FULL, FIELD_EXHAUSTED, FIELD_KEPT_PACKETS, FIELD_KEPT_BYTES, FIELD_FLOWS,
       FIELD_USED, FIELD_TOTAL, FIELD_HOLD, FIELD_ROOM, FIELD_EVICTED, FIELD_UNREADABLE, FIELDS };

static uint64_t number(const char *s)
{
	return s != NULL ? strtoull(s, NULL, 10) : 0;
}

static int take(void *ctx, const char *const *v)
{
	struct status_evidence *e = ctx;
	snprintf(e->packets, sizeof e->packets, "%s", v[FIELD_PACKETS] != NULL ? v[FIELD_PACKETS] : "");
	snprintf(e->file, sizeof e->file, "%s", v[FIELD_FILE] != NULL ? v[FIELD_FILE] : "");
	e->full = v[FIELD_FULL] != NULL;
	e->exhausted = number(v[FIELD_EXHAUSTED]) != 0;
	e->kept_packets = number(v[FIELD_KEPT_PACKETS]);
	e->kept_bytes = number(v[FIELD_KEPT_BYTES]);
	e->flows = number(v[FIELD_FLOWS]);
	e->used_bytes = number(v[FIELD_USED]);
	e->total_bytes = number(v[FIELD_TOTAL]);
	e->hold_bytes = number(v[FIELD_HOLD]);
	e->hold_room = number(v[FIELD_ROOM]);
	e->evicted_bytes = number(v[FIELD_EVICTED]);
	e->unreadable = number(v[FIELD_UNREADABLE]);
	return 0;
}

static int take_missed(void *ctx, const char *const *v)
{
	struct status_evidence *e = ctx;
	for (unsigned i = 0; i < EVIDENCE_MISSED; i++)
		e->missed[i] = number(v[i]);
	return 0;
}

int status_gather_evidence(struct store_reader *r, struct status_evidence *ret)
{
	static const char *const fields[FIELDS] = {
		"packets", "file", "full_since", "exhausted", "kept_packets", "kept_bytes", "flows", "used", "total",
		"hold_bytes", "hold_room", "evicted_bytes", "unreadable"};
	char path[EVIDENCE_MISSED][32];
	const char *missed[EVIDENCE_MISSED];
	for (unsigned i = 0; i < EVIDENCE_MISSED; i++) {
		snprintf(path[i], sizeof path[i], "missed.%s", status_missed_key[i]);
		missed[i] = path[i];
	}
	const int code = store_read_status_fields(r, "evidence", fields, FIELDS, take, ret);
	return code != 0 ? code : store_read_status_fields(r, "evidence", missed, EVIDENCE_MISSED, take_missed, ret);
}

void status_json_evidence(struct json *j, const struct status_evidence *e)
{
	if (e->packets[0] == '\0')
		return;
	json_object(j, "evidence");
	json_str(j, "packets", e->packets);
	json_str(j, "file", e->file[0] != '\0' ? e->file : NULL);
	json_uint(j, "flows", e->flows);
	json_uint(j, "kept_packets", e->kept_packets);
	json_uint(j, "kept_bytes", e->kept_bytes);
	json_uint(j, "used_bytes", e->used_bytes);
	json_uint(j, "total_bytes", e->total_bytes);
	json_uint(j, "evicted_bytes", e->evicted_bytes);
	json_uint(j, "hold_bytes", e->hold_bytes);
	json_uint(j, "hold_room_bytes", e->hold_room);
	json_object(j, "missed_packets");
	for (unsigned i = 0; i < EVIDENCE_MISSED; i++)
		json_uint(j, status_missed_key[i], e->missed[i]);
	json_object_end(j);
	json_uint(j, "unreadable_files", e->unreadable);
	json_bool(j, "full", e->full);
	json_bool(j, "exhausted", e->exhausted);
	json_object_end(j);
}

void status_print_evidence(const char *lang, const struct status_evidence *e, int indent)
{
	char used[FORMAT_SIZE_MAX], total[FORMAT_SIZE_MAX], file[400];
	bool any = false;
	if (strcmp(e->packets, "off") == 0 && e->used_bytes == 0) {
		printf("%s\n", text(lang, TEXT_EVIDENCE_OFF));
		return;
	}
	printf("%s, %s %s %s, %" PRIu64 " %s %" PRIu64 "\n", e->packets, format_size(e->used_bytes, used), text(lang, TEXT_OF),
	       format_size(e->total_bytes, total), e->kept_packets, text(lang, TEXT_KEPT_OF), e->flows);
	if (e->file[0] != '\0')
		printf("%*s%s\n", indent, "", format_clean(e->file, file, sizeof file));
	for (unsigned i = 0; i < EVIDENCE_MISSED; i++) {
		if (e->missed[i] == 0)
			continue;
		if (!any)
			printf("%*s%s", indent, "", text(lang, TEXT_MISSED));
		printf("%s %s %" PRIu64, any ? "," : "", status_missed_key[i], e->missed[i]);
		any = true;
	}
	if (any)
		putchar('\n');
}
