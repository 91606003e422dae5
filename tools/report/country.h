/* country.h - names of countries in both languages, and where each stands on
 * the map: a grid of cells of one size, so that Singapore is seen as well as
 * Russia. country_table.c is made by map/layout.py. */
#ifndef TOOLS_REPORT_COUNTRY_H
#define TOOLS_REPORT_COUNTRY_H
#include <stddef.h>
#include <stdint.h>

#define COUNTRY_COLUMNS 35
#define COUNTRY_ROWS 19

struct country {
	char code[3];            /* ISO 3166-1 alpha-2 */
	int8_t x, y;             /* cell of the map, from its upper left; -1: it has none */
	const char *en, *es;
};

extern const struct country country_table[];   /* by code */
extern const size_t country_table_count;

const struct country *country_find(const char *code);   /* NULL: none of these */

#endif
