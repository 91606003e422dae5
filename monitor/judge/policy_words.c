/* The fixed words, and what they mean to a person. garita-site.yaml(5),
 * REASONS, says what to do about each. */
#include <string.h>

#include "judge/policy.h"

struct word {
	const char *word, *en, *es;
};

static const struct word reasons[REASON_COUNT] = {
    [REASON_NO_APPROVAL] = {"no-approval", "No approval is for this equipment and this destination.",
                            "Ninguna aprobación es para este equipo y este destino."},
    [REASON_APPROVAL_EXPIRED] = {"approval-expired", "The approval has expired.", "La aprobación ya venció."},
    [REASON_APPROVAL_NOT_YET] = {"approval-not-yet-valid", "The approval is not valid yet.",
                                 "La aprobación aún no está vigente."},
    [REASON_OUTSIDE_HOURS] = {"outside-hours", "Outside the approved hours.", "Fuera del horario aprobado."},
    [REASON_LIMIT_EXCEEDED] = {"limit-exceeded", "More bytes than the approval allows in this period.",
                               "Más bytes de los que la aprobación permite en este periodo."},
    [REASON_PORT_NOT_APPROVED] = {"port-not-approved", "The protocol or port is not approved.",
                                  "El protocolo o puerto no está aprobado."},
    [REASON_APP_NOT_APPROVED] = {"app-not-approved", "The application is not approved, or could not be recognised.",
                                 "La aplicación no está aprobada o no se pudo reconocer."},
    [REASON_HOST_NOT_APPROVED] = {"host-not-approved", "The host name is not approved, or no name was seen.",
                                  "El nombre de host no está aprobado o no se vio ninguno."},
    [REASON_NAME_NOT_VERIFIED] =
        {"name-not-verified", "The name was claimed, but no DNS answer gave it for this address.",
         "El nombre fue declarado, pero ninguna respuesta DNS lo dio para esta dirección."},
    [REASON_COUNTRY_NOT_APPROVED] = {"country-not-approved", "The country of the peer is not approved.",
                                     "El país del otro extremo no está aprobado."},
    [REASON_COUNTRY_UNKNOWN] = {"country-unknown", "The country of the peer is not known.",
                                "Se desconoce el país del otro extremo."},
    [REASON_NETWORK_NOT_APPROVED] = {"network-not-approved", "The network (AS) of the peer is not approved.",
                                     "La red (AS) del otro extremo no está aprobada."},
    [REASON_NETWORK_UNKNOWN] = {"network-unknown", "The network (AS) of the peer is not known.",
                                "Se desconoce la red (AS) del otro extremo."},
    [REASON_ADDRESS_NOT_APPROVED] = {"address-not-approved",
                                     "The address of the peer is in none of the approved prefixes.",
                                     "La dirección del otro extremo no está en ningún prefijo aprobado."},
    [REASON_INITIATOR_NOT_APPROVED] = {"initiator-not-approved",
                                       "The connection was opened from the end that may not.",
                                       "La conexión se abrió desde el extremo no autorizado."},
    [REASON_INITIATOR_UNKNOWN] = {"initiator-unknown", "Who opened the connection was not seen.",
                                  "No se vio quién abrió la conexión."},
    [REASON_UNKNOWN_EQUIPMENT] = {"unknown-equipment", "The machine is not in the inventory.",
                                  "La máquina no está en el inventario."},
    [REASON_ADDRESS_NOT_IN_NETWORK] = {"address-not-in-network", "The inside address is in no configured network.",
                                       "La dirección interna no pertenece a ninguna red configurada."},
    [REASON_MAC_MISMATCH] = {"mac-mismatch", "The address is known, but the MAC is another machine's.",
                             "La dirección es conocida, pero la MAC es de otra máquina."},
};

_Static_assert(REASON_COUNT <= 32, "reasons are bits of a uint32_t");

const char *reason_word(enum reason r)
{
	return (unsigned)r < REASON_COUNT ? reasons[r].word : "?";
}

int reason_find(const char *word)
{
	for (int i = 0; i < REASON_COUNT; i++)
		if (strcmp(reasons[i].word, word) == 0)
			return i;
	return -1;
}

const char *reason_text(enum reason r, const char *lang)
{
	if ((unsigned)r >= REASON_COUNT)
		return "?";
	return lang != NULL && strncmp(lang, "es", 2) == 0 ? reasons[r].es : reasons[r].en;
}

const char *verdict_word(enum verdict v)
{
	static const char *const words[] = {"unapproved", "approved", "housekeeping"};
	return (unsigned)v < sizeof words / sizeof words[0] ? words[v] : "?";
}
