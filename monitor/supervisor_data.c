/* The data directory and who owns it. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "supervisor_parts.h"

static int find_users(struct process_context *p, const char *data_dir)
{
	const char *user = p->options->config->user;
	int rc = sandbox_find_user(user, &p->user);
	if (rc != 0 && !p->live)
		rc = sandbox_find_user("nobody", &p->user);
	if (rc != 0) {
		log_error("supervisor", "there is no user %s: make one (adduser --system --group %s), "
		          "or name another with user: in %s", user, user, p->options->config->path);
		return rc;
	}
	struct stat st;
	if (mkdir(data_dir, 0750) == 0) {
		if (p->live && chown(data_dir, p->user.uid, p->user.gid) != 0)
			log_warn("supervisor", "cannot give %s to %s: %s", data_dir, user, strerror(errno));
	}
	if (stat(data_dir, &st) != 0 || !S_ISDIR(st.st_mode)) {
		log_error("supervisor", "%s: not a directory that can be used: %s", data_dir, strerror(errno));
		return ERR_IO;
	}
	if (p->live && st.st_uid != p->user.uid) {
		log_error("supervisor", "%s belongs to user %u, not to %s: run chown -R %s %s", data_dir,
		          (unsigned)st.st_uid, user, user, data_dir);
		return ERR_PERM;
	}
	p->judge_user.uid = st.st_uid;
	p->judge_user.gid = st.st_gid;
	return 0;
}

int supervisor_data_dir(struct process_context *p)
{
	const char *dir = p->options->data_dir;
	if (p->root)
		return find_users(p, dir);
	if (mkdir(dir, 0750) != 0 && errno != EEXIST) {
		log_error("supervisor", "cannot make %s: %s", dir, strerror(errno));
		return ERR_IO;
	}
	if (access(dir, W_OK | X_OK) != 0) {
		log_error("supervisor", "cannot write in %s: %s; choose another with -D", dir, strerror(errno));
		return ERR_PERM;
	}
	return 0;
}
