#include "sandbox.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cap-ng.h>

#include "sandbox_filter.h"

int sandbox_find_user(const char *name, struct sandbox_user *ret)
{
	const struct passwd *pw = getpwnam(name);
	if (pw == NULL)
		return ERR_NOTFOUND;
	ret->uid = pw->pw_uid;
	ret->gid = pw->pw_gid;
	return 0;
}

/* Leave exactly CAP_NET_RAW, or nothing, in every set, and forget how to get more. */
static int keep_only(int keep_net_raw)
{
	capng_clear(CAPNG_SELECT_ALL);
	if (keep_net_raw && capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED, CAP_NET_RAW) != 0)
		return ERR_PERM;
	/* The bounding set can be cleared only by who may; without CAP_SETPCAP
	 * no_new_privs is what keeps it shut. */
	return capng_apply(CAPNG_SELECT_CAPS) == 0 ? 0 : ERR_PERM;
}

int sandbox_drop_user(const struct sandbox_user *u, int keep_net_raw, char *err, size_t err_size)
{
	if (geteuid() != 0) {
		/* Where it fails nothing is had, so nothing is kept. */
		(void)!capng_get_caps_process();
		const int have = capng_have_capability(CAPNG_PERMITTED, CAP_NET_RAW);
		if (keep_only(keep_net_raw && have) != 0) {
			snprintf(err, err_size, "cannot drop capabilities: %s", strerror(errno));
			return ERR_PERM;
		}
		return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 ? 0 : ERR_PERM;
	}
	capng_clear(CAPNG_SELECT_ALL);
	if (keep_net_raw && capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED, CAP_NET_RAW) != 0) {
		snprintf(err, err_size, "cannot keep CAP_NET_RAW");
		return ERR_PERM;
	}
	const int rc = capng_change_id((int)u->uid, (int)u->gid, CAPNG_DROP_SUPP_GRP | CAPNG_CLEAR_BOUNDING);
	if (rc != 0) {
		snprintf(err, err_size, "cannot become user %u: libcap-ng says %d", (unsigned)u->uid, rc);
		return ERR_PERM;
	}
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
		snprintf(err, err_size, "cannot set no_new_privs: %s", strerror(errno));
		return ERR_PERM;
	}
	return 0;
}

int sandbox_enter(enum sandbox_kind kind, int fd, char *err, size_t err_size)
{
	if (kind != SANDBOX_SUPERVISOR) {
		(void)!capng_get_caps_process();
		if (keep_only(0) != 0) {
			snprintf(err, err_size, "cannot drop capabilities: %s", strerror(errno));
			return ERR_PERM;
		}
	}
	const struct rlimit no_core = {0, 0};
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 ||
	    setrlimit(RLIMIT_CORE, &no_core) != 0) {
		snprintf(err, err_size, "cannot give up rights: %s", strerror(errno));
		return ERR_PERM;
	}
	const int rc = sandbox_filter_load(kind, fd);
	if (rc != 0) {
		snprintf(err, err_size, "cannot load the seccomp filter: %s", strerror(-rc));
		return ERR_PERM;
	}
	return 0;
}
