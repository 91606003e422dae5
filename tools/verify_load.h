/* verify_load.h - what a person brings to garita verify: a key, checkpoints. */
#ifndef TOOLS_VERIFY_LOAD_H
#define TOOLS_VERIFY_LOAD_H
#include "cmd.h"
#include "record/store_verify.h"

#define VERIFY_CHECKPOINTS_MAX 4096u

struct verify_brought {
	struct verify_checkpoint *checkpoint;
	unsigned count, room;
	char **text;                     /* of the files */
	unsigned texts;
};
/* Every note of a file: the last one alone, or many one after the other. 0 or
 * a code, and all is said. path must live as long as ret. */
MUST_CHECK int verify_bring(const struct tool_options *o, const char *path, struct verify_brought *ret);
/* DIR/ledger.head, which the sensor signed last, where it can be read. 0 or a code, and all is said. path: as above. */
#define VERIFY_HEAD_MAX 4400
MUST_CHECK int verify_bring_head(const struct tool_options *o, const char *dir, char path[VERIFY_HEAD_MAX],
                                 struct verify_brought *ret);
void verify_brought_done(struct verify_brought *b);

/* --key: a file or the text of a key; NULL: ledger.pub in dir. *ret_found
 * false: there is none there. 0 or a code, and all is said. */
MUST_CHECK int verify_key(const struct tool_options *o, const char *arg, const char *dir, struct ledger_vkey *ret,
                          bool *ret_found);
/* The folder of the database. */
const char *verify_dir(const char *path, char *buf, size_t size);

#endif
