#include "report/country.h"

#include <stdlib.h>
#include <string.h>

static int by_code(const void *key, const void *element)
{
	return strcmp(key, ((const struct country *)element)->code);
}

const struct country *country_find(const char *code)
{
	return bsearch(code, country_table, country_table_count, sizeof country_table[0], by_code);
}
