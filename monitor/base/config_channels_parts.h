/* config_channels_parts.h - what the files of config_channels share. Not for
 * other modules. */
#ifndef MONITOR_CONFIG_CHANNELS_PARTS_H
#define MONITOR_CONFIG_CHANNELS_PARTS_H
#include "base/config_channels.h"
#include "base/config_parts.h"

/* What struct config_provider and struct config_channel begin with. */
struct channel_head {
	char *name;
	struct config_place place;
};

extern const struct config_key config_channels_keys[];

#endif
