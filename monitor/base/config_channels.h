/* config_channels.h - the lists of signatures/channels, and those of a site:
 * by what means data may leave, and under whose law the one who offers them
 * stands. YAML, checked like site.yaml: unknown keys and bad values with
 * file:line:column. signatures/README.md describes the format.
 * Not here: what matches (judge/channel.c). */
#ifndef MONITOR_CONFIG_CHANNELS_H
#define MONITOR_CONFIG_CHANNELS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/config.h"

struct config_place {      /* of an entry */
	const char *file;
	unsigned line, column;
	bool site;             /* of a file that site.yaml names: goes before the installed ones */
};

/* Who offers a service, and the country whose law binds it. */
struct config_provider {
	char *name;
	struct config_place place;
	char jurisdiction[3];  /* ISO 3166-1 alpha-2: the seat of operator */
	char *operator_name;   /* the company, where the name is a brand; NULL */
	char **hosts;          /* as in channels */
	size_t host_count;
	uint32_t *asns;
	size_t asn_count;
	char **sources;
	size_t source_count;
};

/* One means. Whatever of hosts, ports, addresses, labels and content is given,
 * each alone names it. */
struct config_channel {
	char *name;            /* "TeamViewer" */
	struct config_place place;
	char *kind;            /* one of config_channel_kinds */
	char *provider;        /* name of a provider, NULL: nobody's, or the site's own server */
	char **hosts;          /* lower case: a name and all below it, or a pattern: "{bucket}.oss-{region}.aliyuncs.com" */
	size_t host_count;
	struct config_ports *ports;   /* count where inspection names nothing, or only TLS */
	size_t port_count;
	struct addr *addresses;       /* with TLS or QUIC on 443, or one of ports */
	size_t address_count;
	char **labels;         /* of inspection: "TeamViewer" also is "TLS.TeamViewer" */
	size_t label_count;
	char **content;        /* words of signatures/README.md */
	size_t content_count;
	char **sources;        /* where all that is written */
	size_t source_count;
	char *note;
};

struct config_channel_file {
	struct config_provider *providers;
	size_t provider_count;
	struct config_channel *channels;
	size_t channel_count;
};

struct config_channels {
	struct config_channel_file **files;   /* the site's first */
	size_t file_count;
};

extern const char *const config_channel_kinds[];   /* the last is NULL */

/* The site's files, then the *.yaml of folder in the order of their names
 * (NULL: none). All errors of all files are found in one go. 0, ERR_NOMEM,
 * ERR_IO or ERR_CONFIG, and errors says why; the caller frees both in any case. */
MUST_CHECK int config_channels_load(char *const *site_files, size_t site_count, const char *folder,
                                    struct config_channels *ret, struct config_errors *errors);
void config_channels_done(struct config_channels *c);

/* One more file, from memory. */
MUST_CHECK int config_channels_parse(struct config_channels *c, const char *name, const char *text, bool site,
                                     struct config_errors *errors);

/* Where signatures/<folder> is: below $GARITA_SIGNATURES, beside the program
 * (../share/garita, or the source tree that it was built in), or below
 * PREFIX/share/garita. 0, ERR_NOTFOUND. */
MUST_CHECK int config_signatures_find(const char *folder, char *buf, size_t size);

#endif
