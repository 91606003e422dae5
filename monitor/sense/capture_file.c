#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sense/capture_parts.h"

#define FILES_MAX 1000
#define SPARE_DESCRIPTORS 64
#define BUFFER_BYTES (256u * 1024)
#define BUFFER_BYTES_MANY (16u * 1024)   /* with more than MANY files */
#define MANY 64

struct file {
	char *name;
	pcap_t *pcap;
	struct capture_stream *stream;   /* lives in pcap */
	struct capture_filter filter;
	uint64_t size, packets;
	int dlt;
	bool standard_input;
};

struct capture_file_set {
	struct file *files;
	size_t count, current;
};

/* Every file is open at once: the usual limit of 1,024 may be too low. */
static void raise_descriptor_limit(size_t files)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= files + SPARE_DESCRIPTORS)
		return;
	limit.rlim_cur = files + SPARE_DESCRIPTORS;
	if (limit.rlim_cur > limit.rlim_max)
		limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit);   /* open(2) says it if this was not enough */
}

static int open_descriptor(struct file *f, char *err, size_t err_size)
{
	struct stat st;
	const int fd = f->standard_input ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
	                                 : open(f->name, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		snprintf(err, err_size, "%s: %s", f->name, strerror(errno));
		return ERR_IO;
	}
	if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) {
		snprintf(err, err_size, "%s: %s", f->name, strerror(EISDIR));
		close(fd);
		return ERR_IO;
	}
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		f->size = (uint64_t)st.st_size;
	(void)posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	return fd;
}

static int open_file(struct file *f, size_t buffer_bytes, const char *filter, char *err, size_t err_size)
{
	char why[PCAP_ERRBUF_SIZE] = "";
	const int fd = open_descriptor(f, err, err_size);
	if (fd < 0)
		return fd;
	FILE *fp = capture_stream_open(fd, buffer_bytes, &f->stream);
	if (fp == NULL) {
		snprintf(err, err_size, "%s: out of memory", f->name);
		return ERR_NOMEM;
	}
	f->pcap = pcap_fopen_offline_with_tstamp_precision(fp, PCAP_TSTAMP_PRECISION_MICRO, why);
	if (f->pcap == NULL) {
		const char *packed = capture_stream_error(f->stream);
		snprintf(err, err_size, "%s: %s", f->name, packed != NULL ? packed : why);
		fclose(fp);
		return ERR_DAMAGED;
	}
	f->dlt = pcap_datalink(f->pcap);
	const int rc = capture_filter_compile(filter, f->dlt, &f->filter, why, sizeof why);
	if (rc != 0)
		snprintf(err, err_size, "%s: %s", f->name, why);
	return rc;
}

int capture_files_open(const struct capture_files *o, struct capture_file_set **ret, char *err, size_t err_size)
{
	if (o->path_count == 0 || o->path_count > FILES_MAX) {
		snprintf(err, err_size, "%zu capture files: at least one and at most %d can be read at once", o->path_count,
		         FILES_MAX);
		return ERR_INVALID;
	}
	struct capture_file_set *s = calloc(1, sizeof *s);
	int rc = s != NULL ? 0 : ERR_NOMEM;
	if (rc == 0) {
		s->files = calloc(o->path_count, sizeof *s->files);
		rc = s->files != NULL ? 0 : ERR_NOMEM;
	}
	raise_descriptor_limit(o->path_count);
	const size_t buffer_bytes = o->path_count > MANY ? BUFFER_BYTES_MANY : BUFFER_BYTES;
	for (size_t i = 0; rc == 0 && i < o->path_count; i++) {
		struct file *f = &s->files[i];
		f->standard_input = strcmp(o->paths[i], "-") == 0;
		f->name = strdup(f->standard_input ? "standard input" : o->paths[i]);
		if (f->name == NULL) {
			rc = ERR_NOMEM;
			break;
		}
		s->count = i + 1;
		rc = open_file(f, buffer_bytes, o->filter, err, err_size);
	}
	if (rc == 0) {
		*ret = s;
		return 0;
	}
	if (rc == ERR_NOMEM)
		snprintf(err, err_size, "out of memory");
	capture_files_close(s);
	return rc;
}

void capture_files_close(struct capture_file_set *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < s->count; i++) {
		capture_filter_done(&s->files[i].filter);
		if (s->files[i].pcap != NULL)
			pcap_close(s->files[i].pcap);
		free(s->files[i].name);
	}
	free(s->files);
	free(s);
}

/* Say where the damage is. The number is that of the first packet that is
 * missing. */
static int damaged(struct capture *c, const struct file *f)
{
	const char *packed = capture_stream_error(f->stream);
	snprintf(c->error, sizeof c->error, "%s: packet %llu: %s", f->name, (unsigned long long)f->packets + 1,
	         packed != NULL ? packed : pcap_geterr(f->pcap));
	return ERR_DAMAGED;
}

int capture_files_next(struct capture *c, struct capture_frame *ret)
{
	struct capture_file_set *s = c->files;
	while (s->current < s->count) {
		struct file *f = &s->files[s->current];
		struct pcap_pkthdr *header;
		const u_char *data;
		const int rc = pcap_next_ex(f->pcap, &header, &data);
		if (rc == 1) {
			f->packets++;
			capture_fill(c, header, data, f->dlt, ret);
			ret->filtered = !capture_filter_pass(&f->filter, ret, c->scratch);
			return 0;
		}
		s->current++;
		if (rc != PCAP_ERROR_BREAK)   /* which is how the end of a file is told */
			return damaged(c, f);
	}
	return ERR_END;
}

void capture_files_progress(const struct capture_file_set *s, uint64_t *ret_done, uint64_t *ret_all)
{
	for (size_t i = 0; i < s->count; i++) {
		*ret_done += capture_stream_read_bytes(s->files[i].stream);
		*ret_all += s->files[i].size;
	}
}
