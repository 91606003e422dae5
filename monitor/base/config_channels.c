#include "base/config_channels.h"

#include <stdlib.h>

#include "base/config_channels_parts.h"
#include "base/config_list.h"

_Static_assert(offsetof(struct config_provider, place) == offsetof(struct channel_head, place) &&
                   offsetof(struct config_channel, place) == offsetof(struct channel_head, place),
               "both begin alike");

static void say_where(struct config_channel_file *f, const char *name, bool site)
{
	for (size_t i = 0; i < f->provider_count; i++) {
		f->providers[i].place.file = name;
		f->providers[i].place.site = site;
	}
	for (size_t i = 0; i < f->channel_count; i++) {
		f->channels[i].place.file = name;
		f->channels[i].place.site = site;
	}
}

static void check_entries(struct config_ctx *x, void *filled)
{
	const struct config_channel_file *f = filled;
	for (size_t i = 0; i < f->channel_count; i++) {
		const struct config_channel *c = &f->channels[i];
		if (c->host_count + c->port_count + c->address_count + c->label_count + c->content_count == 0 && c->place.line != 0)
			report_at(x, c->place.line, c->place.column,
			          "nothing to know it by; give 'hosts', 'ports', 'addresses', 'labels' or 'content'");
	}
}

static int take_in(struct config_channels *c, struct config_channel_file *f)
{
	struct config_channel_file **grown = realloc(c->files, (c->file_count + 1) * sizeof(struct config_channel_file *));
	if (grown == NULL)
		return ERR_NOMEM;
	c->files = grown;
	c->files[c->file_count++] = f;
	return 0;
}

int config_channels_parse(struct config_channels *c, const char *name, const char *text, bool site,
                          struct config_errors *errors)
{
	static const struct config_list_kind kind = {config_channels_keys, "channel list", sizeof(struct config_channel_file),
	                                             check_entries};
	void *filled = NULL;
	const char *kept = NULL;
	int err = config_list_parse(&kind, name, text, &filled, &kept, errors);
	if (err != 0)
		return err;
	say_where(filled, kept, site);
	err = take_in(c, filled);
	if (err != 0)
		config_list_free(filled);
	return err;
}

static int take(void *ctx, const char *name, const char *text, bool site, struct config_errors *errors)
{
	return config_channels_parse(ctx, name, text, site, errors);
}

int config_channels_load(char *const *site_files, size_t site_count, const char *folder, struct config_channels *ret,
                         struct config_errors *errors)
{
	const struct config_list_taker to = {take, ret};
	*ret = (struct config_channels){0};
	*errors = (struct config_errors){0};
	return config_list_load(site_files, site_count, folder, &to, errors);
}

void config_channels_done(struct config_channels *c)
{
	for (size_t i = 0; i < c->file_count; i++)
		config_list_free(c->files[i]);
	free(c->files);
	*c = (struct config_channels){0};
}

int config_signatures_find(const char *folder, char *buf, size_t size)
{
	return config_list_find("GARITA_SIGNATURES", "signatures", folder, buf, size);
}
