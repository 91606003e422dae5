/* The fixed words, and what they mean to a person. garita-site.yaml(5),
 * REASONS, says what to do about each. */
#include <string.h>

#include "base/msgid.h"
#include "judge/policy.h"

struct word {
	const char *word, *text;
};

static const struct word reasons[REASON_COUNT] = {
    [REASON_NO_APPROVAL] = {"no-approval", N_("No approval is for this equipment and this destination.")},
    [REASON_APPROVAL_EXPIRED] = {"approval-expired", N_("The approval has expired.")},
    [REASON_APPROVAL_NOT_YET] = {"approval-not-yet-valid", N_("The approval is not valid yet.")},
    [REASON_OUTSIDE_HOURS] = {"outside-hours", N_("Outside the approved hours.")},
    [REASON_LIMIT_EXCEEDED] = {"limit-exceeded", N_("More bytes than the approval allows in this period.")},
    [REASON_PORT_NOT_APPROVED] = {"port-not-approved", N_("The protocol or port is not approved.")},
    [REASON_APP_NOT_APPROVED] = {"app-not-approved", N_("The application is not approved, or could not be recognised.")},
    [REASON_HOST_NOT_APPROVED] = {"host-not-approved", N_("The host name is not approved, or no name was seen.")},
    [REASON_NAME_NOT_VERIFIED] =
        {"name-not-verified", N_("The name was claimed, but no DNS answer gave it for this address.")},
    [REASON_COUNTRY_NOT_APPROVED] = {"country-not-approved", N_("The country of the peer is not approved.")},
    [REASON_COUNTRY_UNKNOWN] = {"country-unknown", N_("The country of the peer is not known.")},
    [REASON_NETWORK_NOT_APPROVED] = {"network-not-approved", N_("The network (AS) of the peer is not approved.")},
    [REASON_NETWORK_UNKNOWN] = {"network-unknown", N_("The network (AS) of the peer is not known.")},
    [REASON_ADDRESS_NOT_APPROVED] = {"address-not-approved",
                                     N_("The address of the peer is in none of the approved prefixes.")},
    [REASON_INITIATOR_NOT_APPROVED] = {"initiator-not-approved",
                                       N_("The connection was opened from the end that may not.")},
    [REASON_INITIATOR_UNKNOWN] = {"initiator-unknown", N_("Who opened the connection was not seen.")},
    [REASON_UNKNOWN_EQUIPMENT] = {"unknown-equipment", N_("The machine is not in the inventory.")},
    [REASON_ADDRESS_NOT_IN_NETWORK] = {"address-not-in-network", N_("The inside address is in no configured network.")},
    [REASON_MAC_MISMATCH] = {"mac-mismatch", N_("The address is known, but the MAC is another machine's.")},
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

const char *reason_text(enum reason r)
{
	if ((unsigned)r >= REASON_COUNT)
		return "?";
	return reasons[r].text;
}

const char *verdict_word(enum verdict v)
{
	static const char *const words[] = {"unapproved", "approved", "housekeeping"};
	return (unsigned)v < sizeof words / sizeof words[0] ? words[v] : "?";
}
