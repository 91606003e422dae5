#include "review_say.h"

#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "format.h"
#include "translate.h"

#define NO_LOGIN UINT32_MAX   /* what the kernel says of a process of no login */

const char *review_said(const struct tool_options *o, const char *msgid)
{
	return tr(tool_lang(o), msgid);
}

/* --- how it stands --- */

const char *review_left(const struct row_review *r, int64_t now_us, const char *lang, char buf[REVIEW_LEFT_MAX])
{
	const bool late = r->due_us <= now_us;
	const int64_t minutes = (late ? now_us - r->due_us : r->due_us - now_us) / 60000000;
	char span[32];
	buf[0] = '\0';
	if (r->finding == 0 || r->due_us == 0 || r->state == REVIEW_CLOSED)
		return buf;
	if (minutes < 60)
		snprintf(span, sizeof span, "%" PRId64 " min", minutes);
	else if (minutes < 48 * 60)
		snprintf(span, sizeof span, "%" PRId64 " h %" PRId64 " min", minutes / 60, minutes % 60);
	else
		snprintf(span, sizeof span, "%" PRId64 " d %" PRId64 " h", minutes / 1440, minutes % 1440 / 60);
	if (late)
		snprintf(buf, REVIEW_LEFT_MAX, tr(lang, "overdue by %s"), span);
	else
		snprintf(buf, REVIEW_LEFT_MAX, tr(lang, "%s left"), span);
	return buf;
}

static const char *disposition_text(enum review_disposition d, const char *lang)
{
	static const char *const words[] = {
		[DISPOSITION_NONE] = "", [DISPOSITION_CONFIRMED] = N_("confirmed"),
		[DISPOSITION_FALSE_POSITIVE] = N_("false positive"),
		[DISPOSITION_APPROVED] = N_("approved after review"),
		[DISPOSITION_ESCALATED] = N_("escalated")};
	return tr(lang, words[d < DISPOSITIONS ? d : DISPOSITION_NONE]);
}

const char *review_stands(const struct row_review *r, const char *lang, char buf[REVIEW_STANDS_MAX])
{
	const char *disposition = disposition_text(r->disposition, lang);
	const char *state = r->state == REVIEW_CLOSED      ? tr(lang, "closed")
	                    : r->state == REVIEW_IN_REVIEW ? tr(lang, "in review")
	                    : r->reopened > 0              ? tr(lang, "reopened")
	                    : r->disposition != 0          ? tr(lang, "open")
	                                                   : tr(lang, "new");
	if (disposition[0] == '\0')
		snprintf(buf, REVIEW_STANDS_MAX, "%s", state);
	else if (r->state == REVIEW_CLOSED)
		snprintf(buf, REVIEW_STANDS_MAX, "%s: %s", state, disposition);
	else
		snprintf(buf, REVIEW_STANDS_MAX, tr(lang, "%s; before: %s"), state, disposition);
	return buf;
}

/* --- texts --- */

int review_take_text(const struct tool_options *o, const char *option, const char *given, size_t max, char *buf)
{
	char clean[8 * (REVIEW_NOTE_MAX + 1)];
	size_t n = strnlen(given, max + 1);
	if (n <= max) {
		for (size_t i = 0; i <= n; i++)
			buf[i] = given[i] == '\n' || given[i] == '\r' || given[i] == '\t' ? ' ' : given[i];
		while (n > 0 && buf[n - 1] == ' ')
			buf[--n] = '\0';
		const size_t blanks = strspn(buf, " ");
		memmove(buf, buf + blanks, n - blanks + 1);
		n -= blanks;
	}
	if (n > max)
		tool_error(o->verb, review_said(o, "%s: longer than %zu bytes"), option, max);
	else if (n == 0)
		tool_error(o->verb, "%s: %s", option, review_said(o, "empty"));
	else if (strcmp(format_clean(buf, clean, sizeof clean), buf) != 0)
		tool_error(o->verb, "%s: %s", option,
		           review_said(o, "bytes that are not UTF-8, control characters, or characters that hide or reorder others"));
	else
		return 0;
	return ERR_INVALID;
}

/* --- who --- */

static void name_of(uint32_t uid, char *buf, size_t size)
{
	const struct passwd *pw = getpwuid((uid_t)uid);
	if (pw != NULL && pw->pw_name[0] != '\0')
		format_clean(pw->pw_name, buf, size);
	else
		snprintf(buf, size, "uid-%" PRIu32, uid);
}

/* Whose login the process belongs to, through every su and sudo. */
static uint32_t login_of(void)
{
	char text[24] = "";
	FILE *f = fopen("/proc/self/loginuid", "re");
	const bool read = f != NULL && fgets(text, sizeof text, f) != NULL;
	if (f != NULL)
		fclose(f);
	return read ? (uint32_t)strtoul(text, NULL, 10) : NO_LOGIN;
}

/* sudo's word for it: anybody may set a variable, so it counts only beside what the kernel says. */
static uint32_t sudo_of(void)
{
	const char *text = getenv("SUDO_UID");
	char *end = NULL;
	const unsigned long uid = text != NULL && text[0] >= '0' && text[0] <= '9' ? strtoul(text, &end, 10) : NO_LOGIN;
	return end != NULL && *end == '\0' && uid < NO_LOGIN ? (uint32_t)uid : NO_LOGIN;
}

void review_who(char account[REVIEW_USER_MAX + 1], char name[REVIEW_NAME_MAX + 1])
{
	const uint32_t own = (uint32_t)getuid(), login = login_of(), sudo = login == NO_LOGIN ? sudo_of() : NO_LOGIN;
	const uint32_t person = login != NO_LOGIN ? login : sudo != NO_LOGIN ? sudo : own;
	char first[40], second[40];
	name_of(person, first, sizeof first);
	name_of(own, second, sizeof second);
	snprintf(name, REVIEW_NAME_MAX + 1, "%s", first);
	if (person == own)
		snprintf(account, REVIEW_USER_MAX + 1, "%s (uid %" PRIu32 ")", first, person);
	else
		snprintf(account, REVIEW_USER_MAX + 1, "%s (uid %" PRIu32 "%s) as %s (uid %" PRIu32 ")", first, person,
		         login != NO_LOGIN ? "" : ", says sudo", second, own);
}
