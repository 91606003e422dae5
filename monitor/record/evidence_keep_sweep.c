/* What a crash may have left: a file half written again; one that was, and is not
 * in the record; one whose eviction is in the record. Nothing else is touched. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "record/evidence_keep_parts.h"

#define PATH_BYTES 256u
#define ENDING ".pcapng"

bool evidence_path_good(const char *path)
{
	return strncmp(path, EVIDENCE_DIR "/", sizeof EVIDENCE_DIR) == 0 && strstr(path, "..") == NULL;
}

static bool ends_with(const char *text, const char *ending)
{
	const size_t n = strlen(text), e = strlen(ending);
	return n > e && strcmp(text + n - e, ending) == 0;
}

/* Where "-r<n>" begins in "…-r<n>.pcapng", and n; NULL: there is none. */
static const char *round_of(const char *path, unsigned long *ret)
{
	if (!ends_with(path, ENDING))
		return NULL;
	const char *end = path + strlen(path) - (sizeof ENDING - 1), *at = end;
	while (at > path && at[-1] >= '0' && at[-1] <= '9')
		at--;
	if (at == end || end - at > 6 || at - path < 2 || memcmp(at - 2, "-r", 2) != 0)
		return NULL;
	*ret = strtoul(at, NULL, 10);
	return at - 2;
}

static int round_path(const char *path, size_t stem, unsigned long round, char *ret, size_t size)
{
	const int n = round == 0 ? snprintf(ret, size, "%.*s" ENDING, (int)stem, path)
	                         : snprintf(ret, size, "%.*s-r%lu" ENDING, (int)stem, path, round);
	return n > 0 && (size_t)n < size ? 0 : ERR_FULL;
}

int evidence_path_next(const char *path, char *ret, size_t size)
{
	unsigned long round = 0;
	const char *at = round_of(path, &round);
	size_t stem = strlen(path);
	if (at != NULL)
		stem = (size_t)(at - path);
	else if (ends_with(path, ENDING))
		stem -= sizeof ENDING - 1;
	return round_path(path, stem, round + 1, ret, size);
}

/* A copy that nobody knows, of a file that is there still. */
static bool is_unfinished(struct store *s, const char *path)
{
	char before[PATH_BYTES];
	unsigned long round = 0;
	bool evicted = true;
	const char *at = round_of(path, &round);
	if (at == NULL || round == 0 || round_path(path, (size_t)(at - path), round - 1, before, sizeof before) != 0)
		return false;
	return store_evidence_is_evicted(s, before, &evicted) == 0 && !evicted;
}

static void sweep_file(struct store *s, int dir_fd, const char *path)
{
	bool evicted = false;
	if (ends_with(path, ENDING REWRITE_SUFFIX)) {
		unlinkat(dir_fd, path, 0);
		return;
	}
	const int rc = store_evidence_is_evicted(s, path, &evicted);
	if ((rc == 0 && evicted) || (rc == ERR_NOTFOUND && is_unfinished(s, path)))
		unlinkat(dir_fd, path, 0);
}

static DIR *open_folder(int dir_fd, const char *path)
{
	const int fd = openat(dir_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	if (d == NULL && fd >= 0)
		close(fd);
	return d;
}

static void sweep_day(struct store *s, int dir_fd, const char *day)
{
	char folder[PATH_BYTES], path[2 * PATH_BYTES];
	if ((size_t)snprintf(folder, sizeof folder, EVIDENCE_DIR "/%s", day) >= sizeof folder)
		return;
	DIR *d = open_folder(dir_fd, folder);
	for (const struct dirent *e; d != NULL && (e = readdir(d)) != NULL;)
		if (e->d_name[0] != '.' && (size_t)snprintf(path, sizeof path, "%s/%s", folder, e->d_name) < PATH_BYTES)
			sweep_file(s, dir_fd, path);
	if (d != NULL)
		closedir(d);
	unlinkat(dir_fd, folder, AT_REMOVEDIR);   /* only if nothing is in it */
}

void evidence_sweep(struct store *s, int dir_fd)
{
	DIR *d = open_folder(dir_fd, EVIDENCE_DIR);
	for (const struct dirent *e; d != NULL && (e = readdir(d)) != NULL;)
		if (e->d_name[0] != '.')
			sweep_day(s, dir_fd, e->d_name);
	if (d != NULL)
		closedir(d);
}
