/* text.h - what garita says, in English and Spanish: one table. */
#ifndef TOOLS_TEXT_H
#define TOOLS_TEXT_H

enum text {
	TEXT_USAGE = 0,
	TEXT_USAGE_END,
	TEXT_NO_SUCH_VERB,
	TEXT_BAD_FORMAT,
	TEXT_BAD_LANG,
	TEXT_HELP_TRANSFERS,
	TEXT_HELP_STATUS,
	TEXT_HELP_EQUIPMENT,
	TEXT_HELP_POLICY,
	TEXT_HELP_GEOIP,
	TEXT_COUNT
};

/* lang: "es", anything else is English. Never NULL. */
const char *text(const char *lang, enum text t);

#endif
