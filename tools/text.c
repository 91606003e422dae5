#include "text.h"

#include <string.h>

struct pair {
	const char *en, *es;
};

static const struct pair table[TEXT_COUNT] = {
	[TEXT_USAGE] = {"usage: garita VERB [options]\n", "uso: garita VERBO [opciones]\n"},
	[TEXT_USAGE_END] = {"\nOptions of every verb: -c FILE, --db FILE|DIR, --format table|json|csv, --lang en|es,\n"
	                    "--help, --version. See garita(1).",
	                    "\nOpciones de todo verbo: -c ARCHIVO, --db ARCHIVO|DIR, --format table|json|csv, --lang en|es,\n"
	                    "--help, --version. Véase garita(1)."},
	[TEXT_NO_SUCH_VERB] = {"there is no such verb", "no existe ese verbo"},
	[TEXT_BAD_FORMAT] = {"not one of table, json, csv", "no es ninguno de table, json, csv"},
	[TEXT_BAD_LANG] = {"not one of en, es", "no es ninguno de en, es"},
	[TEXT_HELP_TRANSFERS] = {"list who sent what to whom, approved or not",
	                         "lista quién envió qué a quién, aprobado o no"},
	[TEXT_HELP_STATUS] = {"what the sensor sees, and what it does not", "qué ve el sensor y qué no"},
	[TEXT_HELP_EQUIPMENT] = {"the machines of the scanner networks", "las máquinas de las redes de escáneres"},
	[TEXT_HELP_POLICY] = {"check and explain approvals", "comprueba y explica las aprobaciones"},
	[TEXT_HELP_GEOIP] = {"build the country database", "construye la base de datos de países"},
};

const char *text(const char *lang, enum text t)
{
	const struct pair *p = &table[t];
	return lang != NULL && strcmp(lang, "es") == 0 ? p->es : p->en;
}
