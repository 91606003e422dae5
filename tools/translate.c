/* Reads what msgfmt makes (gettext manual, "The Format of GNU MO Files"): two tables of lengths and places, the first
 * sorted by its bytes. Little-endian, as the Makefile asks for it. */
#include "translate.h"

#include <stdbool.h>
#include <string.h>

#include "base/bytes.h"

#define MO_MAGIC UINT32_C(0x950412de)

/* Formats of translated texts say %ju and %jd, which are the same in every catalogue; PRIu64 would not be. */
_Static_assert(_Generic((uint64_t)0, uintmax_t : 1, default : 0), "uint64_t is what %ju prints");

/* Of tools/po/es.po, by msgfmt and the Makefile. */
extern const uint8_t translate_es[];
extern const size_t translate_es_size;

static uint32_t count_of(void)
{
	return translate_es_size >= 28 && le32(translate_es) == MO_MAGIC ? le32(translate_es + 8) : 0;
}

/* table: 12 for the originals, 16 for the translations. */
static const char *entry_of(unsigned table, uint32_t i, size_t *bytes)
{
	const uint8_t *pair = translate_es + le32(translate_es + table) + (size_t)i * 8;
	*bytes = le32(pair);
	return (const char *)translate_es + le32(pair + 4);
}

int translation_at(uint32_t i, struct translation *ret)
{
	if (i >= count_of())
		return 0;
	ret->msgid = entry_of(12, i, &ret->msgid_bytes);
	ret->msgstr = entry_of(16, i, &ret->msgstr_bytes);
	return 1;
}

/* NULL: it is not there. A msgid of two forms ends at its first zero, as here. */
static const char *find(const char *msgid)
{
	uint32_t low = 0, high = count_of();
	size_t bytes;
	while (low < high) {
		const uint32_t middle = low + (high - low) / 2;
		const int side = strcmp(msgid, entry_of(12, middle, &bytes));
		if (side == 0)
			return entry_of(16, middle, &bytes);
		if (side < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

static const char *without_context(const char *msgid)
{
	const char *at = strchr(msgid, '\004');
	return at != NULL ? at + 1 : msgid;
}

static bool is_spanish(const char *lang)
{
	return lang != NULL && lang[0] == 'e' && lang[1] == 's';
}

const char *tr(const char *lang, const char *msgid)
{
	/* "" is the header of the catalogue. */
	const char *found = is_spanish(lang) && msgid[0] != '\0' ? find(msgid) : NULL;
	return found != NULL ? found : without_context(msgid);
}

const char *tr_n(const char *lang, const char *one, const char *many, uint64_t n)
{
	/* Both languages: plural=(n != 1). */
	const char *found = is_spanish(lang) ? find(one) : NULL;
	if (found != NULL)
		return n == 1 ? found : found + strlen(found) + 1;
	return without_context(n == 1 ? one : many);
}

const char *tr_form(const char *lang, const char *forms, uint64_t n)
{
	return tr_n(lang, forms, forms + strlen(forms) + 1, n);
}
