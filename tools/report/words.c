/* What the report says in words: the sentence of the first page, and the words of the record in Spanish. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "format.h"
#include "report/country.h"
#include "report/report.h"

const char *report_light_word(enum report_light l)
{
	static const char *const words[] = {"green", "amber", "red", "inconclusive"};
	return words[l];
}

const char *report_word(const struct report *r, const char *word)
{
	static const char *const es[][2] = {
	    {"seen", "visto"}, {"partly", "en parte"}, {"blind", "ciego"}, {"silent", "en silencio"}, {"one-way", "un solo sentido"},
	    {"lossy", "el espejo pierde tramas"}, {"ahead", "por venir"}, {"stopped", "detenido"}, {"interface-down", "interfaz caída"},
	    {"worker-died", "murió un trabajador"}, {"judge-died", "murió el juez"}, {"record-damaged", "registro dañado"},
	    {"no-run", "sin ejecución"}, {"kernel-drops", "tramas perdidas por el núcleo"},
	    {"interface-drops", "tramas perdidas por la interfaz"}, {"flow-table-full", "tabla de flujos llena"},
	    {"doubled", "tramas dobles"}, {"clock-step", "salto del reloj"}, {"input-damaged", "entrada dañada"},
	    {"record-late", "registro con retraso"}, {"evidence-full", "sin espacio para paquetes"}, {"other", "otra"}, {"orderly", "en orden"}, {"killed", "matada"},
	    {"only one direction of nearly every TCP connection is seen", "se ve un solo sentido de casi toda conexión TCP"},
	    {"country", "país"}, {"city", "ciudad"}, {"asn", "red (AS)"}, {"new", "nuevo"}, {"never-seen", "nunca visto"}, {"open", "abierta"}, {"closed", "cerrada"},
	    {"interrupted", "interrumpida"}, {"equipment", "equipo"}, {"peer", "destino"}, {"unknown", "desconocido"},
	    {"used", "usada"}, {"unused", "sin uso"}, {"expiring", "por vencer"}, {"expired", "vencida"},
	    {"not-yet", "aún no vigente"}, {"none", "sin periodo"}, {"hour", "hora"}, {"day", "día"}, {"week", "semana"},
	    {"month", "mes"}, {"out", "salida"}, {"in", "entrada"}, {"total", "total"}, {"unapproved", "no aprobada"}, {"approved", "aprobada"}, {"housekeeping", "de servicio"}, {"in-review", "en revisión"},
	    {"overdue", "vencida"}, {"holds", "rige"}, {"ended", "terminada"}, {"confirmed", "confirmado"}, {"false-positive", "falso positivo"},
	    {"approved-after-review", "aprobado tras revisión"}, {"escalated", "escalado"}};
	if (r->lang[0] != 'e' || r->lang[1] != 's')
		return word;
	for (size_t i = 0; i < sizeof es / sizeof es[0]; i++) {
		if (strcmp(word, es[i][0]) == 0)
			return es[i][1];
	}
	return word;
}

const char *report_country(const struct report *r, const char *code)
{
	const struct country *c = country_find(code);
	if (c != NULL)
		return report_said(r, c->en, c->es);
	if (strcmp(code, "private") == 0)
		return report_said(r, "private addresses", "direcciones privadas");
	return report_word(r, code[0] != '\0' ? code : "unknown");
}

/* "3 unapproved transfers, 412 MB out, 1 severe finding; coverage 99.97 %" */
const char *report_sentence(const struct report *r, char *buf, size_t size)
{
	char bytes[FORMAT_SIZE_MAX], coverage[80];
	const struct tally_sum *all = &r->now.all;
	const uint64_t n = all->transfers[VERDICT_UNAPPROVED];
	if (!r->live)
		snprintf(coverage, sizeof coverage, "%s", report_said(r, "coverage not known (a replay of files)",
		                                                      "cobertura desconocida (reproducción de archivos)"));
	else if (r->coverage.frames == 0 && r->coverage.seen_us > 0)
		snprintf(coverage, sizeof coverage, "%s", report_said(r, "not a single frame arrived: the sensor saw nothing",
		                                                      "no llegó ni una sola trama: el sensor no vio nada"));
	else
		snprintf(coverage, sizeof coverage, "%s %u.%02u %%%s", report_said(r, "coverage", "cobertura"), r->coverage.ppm / 10000,
		         r->coverage.ppm / 100 % 100,
		         r->coverage.complete ? "" : report_said(r, " of the week so far", " de lo transcurrido de la semana"));
	format_size(all->out[VERDICT_UNAPPROVED], bytes);
	if (n == 0)
		snprintf(buf, size, "%s; %s", report_said(r, "No unapproved transfer was seen", "No se vio ninguna transferencia sin aprobación"),
		         coverage);
	else
		snprintf(buf, size, "%" PRIu64 " %s, %s; %" PRIu64 " %s, %" PRIu64 " %s; %s", n,
		         n == 1 ? report_said(r, "unapproved transfer", "transferencia no aprobada")
		                : report_said(r, "unapproved transfers", "transferencias no aprobadas"),
		         bytes, r->findings.all,
		         r->findings.all == 1 ? report_said(r, "finding", "hallazgo") : report_said(r, "findings", "hallazgos"),
		         r->findings.severe, r->findings.severe == 1 ? report_said(r, "severe", "grave") : report_said(r, "severe", "graves"),
		         coverage);
	return buf;
}
