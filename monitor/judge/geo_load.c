/* geo_load.c - see geo_load.h. */
#include "judge/geo_load.h"

#include <errno.h>
#include <fcntl.h>
#include <maxminddb.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/sha256.h"

#define SAMPLES 4096u

struct geo_db {
	MMDB_s mmdb;
	enum geo_db_kind kind;
	uint8_t sha256[SHA256_BYTES];
};

/* --- into memory --- */

static void ident_from(const struct stat *st, struct geo_ident *ret)
{
	*ret = (struct geo_ident){.dev = st->st_dev, .ino = st->st_ino, .bytes = st->st_size,
	                          .mtime_ns = (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec};
}

int geo_ident_of(const char *path, struct geo_ident *ret)
{
	struct stat st;
	if (stat(path, &st) != 0)
		return ERR_IO;
	ident_from(&st, ret);
	return 0;
}

static int copy_bytes(int from, int to, int64_t bytes, uint8_t *ret_sha256)
{
	static unsigned char buffer[1 << 16];
	struct sha256 hash;
	sha256_begin(&hash);
	while (bytes > 0) {
		ssize_t n = read(from, buffer, sizeof(buffer));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return ERR_IO;   /* shorter than it was a moment ago: being written */
		for (ssize_t done = 0; done < n;) {
			ssize_t w = write(to, buffer + done, (size_t)(n - done));
			if (w <= 0)
				return ERR_NOMEM;
			done += w;
		}
		sha256_add(&hash, buffer, (size_t)n);
		bytes -= n;
	}
	sha256_end(&hash, ret_sha256);
	return bytes == 0 ? 0 : ERR_IO;
}

/* A sealed copy of the file. */
static int copy_file(const char *path, struct geo_ident *ret_ident, uint8_t *ret_sha256, int *ret_fd)
{
	struct stat st;
	int to = -1, e = ERR_IO;
	int from = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (from < 0 || fstat(from, &st) != 0 || !S_ISREG(st.st_mode))
		goto out;
	ident_from(&st, ret_ident);
	if (st.st_size > GEO_FILE_BYTES_MAX) {
		e = ERR_FULL;
		goto out;
	}
	to = memfd_create("garita-geo", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	e = to < 0 ? ERR_NOMEM : copy_bytes(from, to, st.st_size, ret_sha256);
	if (e == 0 && fcntl(to, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0)
		e = ERR_IO;
out:
	if (from >= 0)
		close(from);
	if (e < 0 && to >= 0)
		close(to);
	else if (e == 0)
		*ret_fd = to;
	return e;
}

/* --- records --- */

static bool get_text(MMDB_entry_s *entry, char *ret, size_t size, const char *const *path)
{
	MMDB_entry_data_s d;
	if (MMDB_aget_value(entry, &d, path) != MMDB_SUCCESS || !d.has_data || d.type != MMDB_DATA_TYPE_UTF8_STRING ||
	    d.data_size == 0)
		return false;
	size_t n = d.data_size < size - 1 ? d.data_size : size - 1;
	/* Do not cut a UTF-8 character in two. */
	while (n > 0 && n < d.data_size && ((unsigned char)d.utf8_string[n] & 0xc0) == 0x80)
		n--;
	memcpy(ret, d.utf8_string, n);
	ret[n] = 0;
	return n > 0;
}

static bool is_country(const char *t)
{
	return t[0] >= 'A' && t[0] <= 'Z' && t[1] >= 'A' && t[1] <= 'Z' && t[2] == 0;
}

/* MaxMind: country.iso_code. Others: country_code, or country itself. */
static bool get_country(MMDB_entry_s *entry, char ret[3])
{
	static const char *const nested[] = {"country", "iso_code", NULL}, *const flat[] = {"country_code", NULL},
	                         *const bare[] = {"country", NULL};
	char text[4];   /* one more than a code has: a longer text is no code */
	if ((get_text(entry, text, sizeof(text), nested) || get_text(entry, text, sizeof(text), flat) ||
	     get_text(entry, text, sizeof(text), bare)) &&
	    is_country(text)) {
		memcpy(ret, text, 3);
		return true;
	}
	return false;
}

static bool get_city(MMDB_entry_s *entry, char *ret, size_t size)
{
	static const char *const nested[] = {"city", "names", "en", NULL}, *const flat[] = {"city", NULL};
	return get_text(entry, ret, size, nested) || get_text(entry, ret, size, flat);
}

static uint32_t parse_asn(const char *t)
{
	char *end;
	if ((t[0] == 'A' || t[0] == 'a') && (t[1] == 'S' || t[1] == 's'))
		t += 2;
	if (*t < '0' || *t > '9')
		return 0;
	unsigned long long v = strtoull(t, &end, 10);
	return *end == 0 && v <= UINT32_MAX ? (uint32_t)v : 0;
}

static bool get_asn(MMDB_entry_s *entry, struct geo_place *ret)
{
	static const char *const number[] = {"autonomous_system_number", NULL}, *const short_number[] = {"asn", NULL},
	                         *const org[] = {"autonomous_system_organization", NULL},
	                         *const short_org[] = {"as_name", NULL};
	MMDB_entry_data_s d;
	char text[16];
	if (MMDB_aget_value(entry, &d, number) == MMDB_SUCCESS && d.has_data && d.type == MMDB_DATA_TYPE_UINT32)
		ret->asn = d.uint32;
	else if (MMDB_aget_value(entry, &d, short_number) == MMDB_SUCCESS && d.has_data && d.type == MMDB_DATA_TYPE_UINT32)
		ret->asn = d.uint32;
	else if (get_text(entry, text, sizeof(text), short_number))
		ret->asn = parse_asn(text);
	if (!get_text(entry, ret->as_org, sizeof(ret->as_org), org))
		(void)get_text(entry, ret->as_org, sizeof(ret->as_org), short_org);
	return ret->asn != 0;
}

static bool read_record(enum geo_db_kind kind, MMDB_entry_s *entry, struct geo_place *ret)
{
	if (kind == GEO_DB_ASN)
		return get_asn(entry, ret);
	bool country = get_country(entry, ret->country);
	bool city = kind == GEO_DB_CITY && get_city(entry, ret->city, sizeof(ret->city));
	return country || city;
}

/* --- the check --- */

struct check {
	MMDB_s *mmdb;
	enum geo_db_kind kind;
	uint64_t leaves, read, useful;
	uint64_t every;        /* each how manieth leaf is read */
};

/* One half of a node. False: damaged. */
static bool check_record(struct check *c, uint8_t type, uint64_t value, MMDB_entry_s *entry)
{
	switch (type) {
	case MMDB_RECORD_TYPE_SEARCH_NODE:
		return value < c->mmdb->metadata.node_count;
	case MMDB_RECORD_TYPE_EMPTY:
		return true;
	case MMDB_RECORD_TYPE_DATA:
		break;
	default:
		return false;
	}
	if (entry->offset >= c->mmdb->data_section_size)
		return false;
	if (c->leaves++ % c->every != 0)
		return true;
	MMDB_entry_data_list_s *list = NULL;
	struct geo_place place = {0};
	bool whole = MMDB_get_entry_data_list(entry, &list) == MMDB_SUCCESS;
	MMDB_free_entry_data_list(list);
	c->read++;
	c->useful += whole && read_record(c->kind, entry, &place);
	return whole;
}

/* libmaxminddb looks at the metadata only: a file cut, or filled with other
 * bytes in the middle, opens. So every node is looked at once (about 20 ns
 * each: 0.02 s for a million) and SAMPLES records are read whole. */
static int check_db(MMDB_s *mmdb, enum geo_db_kind kind, char *why, size_t why_size)
{
	uint32_t nodes = mmdb->metadata.node_count;
	struct check c = {.mmdb = mmdb, .kind = kind, .every = nodes / SAMPLES + 1};
	for (uint32_t i = 0; i < nodes; i++) {
		MMDB_search_node_s n;
		if (MMDB_read_node(mmdb, i, &n) != MMDB_SUCCESS ||
		    !check_record(&c, n.left_record_type, n.left_record, &n.left_record_entry) ||
		    !check_record(&c, n.right_record_type, n.right_record, &n.right_record_entry)) {
			snprintf(why, why_size, "damaged: node %u of %u leads nowhere or its record cannot be read", i, nodes);
			return ERR_DAMAGED;
		}
	}
	if (c.useful == 0) {
		snprintf(why, why_size, "%s", c.leaves == 0 ? "it holds no address" :
		         kind == GEO_DB_ASN                 ? "its records hold no network (ASN)"
		                                            : "its records hold no country");
		return ERR_DAMAGED;
	}
	return 0;
}

int geo_db_open(const char *path, enum geo_db_kind kind, struct geo_db **ret, struct geo_ident *ident, char *why,
                size_t why_size)
{
	uint8_t sha256[SHA256_BYTES];
	int fd = -1;
	int e = copy_file(path, ident, sha256, &fd);
	if (e < 0) {
		snprintf(why, why_size, "cannot be read: %s", e == ERR_FULL ? "larger than 1 GiB" : err_str(e));
		return e;
	}
	struct geo_db *db = calloc(1, sizeof(*db));
	char name[40];
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	int status = db != NULL ? MMDB_open(name, MMDB_MODE_MMAP, &db->mmdb) : MMDB_OUT_OF_MEMORY_ERROR;
	close(fd);   /* the mapping stays */
	if (status != MMDB_SUCCESS) {
		snprintf(why, why_size, "not a usable database: %s", MMDB_strerror(status));
		free(db);
		return status == MMDB_OUT_OF_MEMORY_ERROR ? ERR_NOMEM : ERR_DAMAGED;
	}
	db->kind = kind;
	memcpy(db->sha256, sha256, sizeof(sha256));
	e = check_db(&db->mmdb, kind, why, why_size);
	if (e < 0) {
		geo_db_close(db);
		return e;
	}
	*ret = db;
	return 0;
}

void geo_db_close(struct geo_db *db)
{
	if (db == NULL)
		return;
	MMDB_close(&db->mmdb);
	free(db);
}

void geo_db_find(struct geo_db *db, const struct addr *a, struct geo_place *ret)
{
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} sa = {0};
	if (addr_is_v4(a)) {
		sa.v4.sin_family = AF_INET;
		memcpy(&sa.v4.sin_addr, a->b + 12, 4);
	} else {
		sa.v6.sin6_family = AF_INET6;
		memcpy(&sa.v6.sin6_addr, a->b, 16);
	}
	int error = 0;
	MMDB_lookup_result_s r = MMDB_lookup_sockaddr(&db->mmdb, &sa.any, &error);
	if (error == MMDB_SUCCESS && r.found_entry)
		(void)read_record(db->kind, &r.entry, ret);
}

const uint8_t *geo_db_sha256(const struct geo_db *db)
{
	return db->sha256;
}

const char *geo_db_type(const struct geo_db *db)
{
	return db->mmdb.metadata.database_type != NULL ? db->mmdb.metadata.database_type : "";
}

int64_t geo_db_build(const struct geo_db *db)
{
	return (int64_t)db->mmdb.metadata.build_epoch;
}
