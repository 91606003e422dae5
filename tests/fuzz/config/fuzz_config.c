/* Any bytes as site.yaml: refused with a text, or a whole configuration. */
#include <stdint.h>
#include <stdlib.h>

#include "base/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct netset set;
	struct config *c = NULL;
	struct config_errors e;
	const int err = config_parse("site.yaml", (const char *)data, size, &c, &e);
	if ((err == 0) != (c != NULL) || (err == 0) != (e.count == 0))
		abort();
	if (c != NULL && config_netset(c, &set) != 0)
		abort(); /* what was accepted must fit */
	config_errors_done(&e);
	config_free(c);
	return 0;
}
