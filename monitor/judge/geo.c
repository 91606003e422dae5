/* geo.c - which files, the cache, the answers. Opening and checking a file is
 * geo_load.c. */
#include "judge/geo.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <netinet/in.h>
#include <sys/stat.h>
#include <xxhash.h>

#include "base/seed.h"
#include "judge/geo_load.h"

#define CACHE_ENTRIES 8192u   /* a power of two; 192 bytes each */
#define MAXMIND_DIR "/var/lib/GeoIP"

enum role { ROLE_COUNTRY = 0, ROLE_CITY, ROLE_ASN };
static const char *const role_name[GEO_FILES] = {"country", "city", "asn"};

struct source {
	struct geo_db *db;         /* NULL: lookups are empty */
	struct geo_ident ident;    /* of the file in use */
	struct geo_ident refused;  /* of the last file that was bad: not read again */
	char path[1024];
	char type[128];
};

struct cached {
	struct addr addr;
	struct geo_place place;
	bool used;
};

struct geo {
	char *configured[GEO_FILES];
	char *data_dir;
	struct source source[GEO_FILES];
	struct geo_file files[GEO_FILES];
	struct cached *cache;
	uint64_t seed;
	unsigned generation;
};

/* --- which file --- */

static bool try_path(char *ret, size_t size, const char *dir, const char *file)
{
	struct stat st;
	int n = snprintf(ret, size, "%s/%s", dir, file);
	if (n > 0 && (size_t)n < size && stat(ret, &st) == 0)
		return true;
	ret[0] = 0;
	return false;
}

/* MaxMind's files win where present. Their City file answers for the country
 * too, so the country file that we make ourselves is not asked beside it. */
static void choose_path(const struct geo *g, unsigned role, char *ret, size_t size)
{
	char other[1024], dir[1024];
	ret[0] = 0;
	if (g->configured[role] != NULL) {
		snprintf(ret, size, "%s", g->configured[role]);
		return;
	}
	static const char *const maxmind[GEO_FILES] = {"GeoLite2-Country.mmdb", "GeoLite2-City.mmdb",
	                                               "GeoLite2-ASN.mmdb"};
	if (try_path(ret, size, MAXMIND_DIR, maxmind[role]))
		return;
	if (role == ROLE_CITY || (role == ROLE_COUNTRY && try_path(other, sizeof(other), MAXMIND_DIR, maxmind[ROLE_CITY])))
		return;
	int n = snprintf(dir, sizeof(dir), "%s/geoip", g->data_dir);
	if (n > 0 && (size_t)n < sizeof(dir))
		try_path(ret, size, dir, role == ROLE_COUNTRY ? "country.mmdb" : "asn.mmdb");
}

/* --- open, exchange --- */

static bool same_ident(const struct geo_ident *a, const struct geo_ident *b)
{
	return a->dev == b->dev && a->ino == b->ino && a->bytes == b->bytes && a->mtime_ns == b->mtime_ns;
}

static void describe(struct geo *g, unsigned role, int error, const char *message)
{
	struct source *s = &g->source[role];
	struct geo_file *f = &g->files[role];
	*f = (struct geo_file){.role = role_name[role], .path = s->path, .type = s->type, .error = error};
	if (s->db != NULL) {
		f->used = true;
		f->build_s = geo_db_build(s->db);
		f->bytes = s->ident.bytes;
		memcpy(f->sha256, geo_db_sha256(s->db), sizeof(f->sha256));
	}
	snprintf(f->message, sizeof(f->message), "%s", message);
}

/* A file that cannot be used: say so, keep what is open. */
static void refuse(struct geo *g, unsigned role, const char *path, int error, const char *why)
{
	struct source *s = &g->source[role];
	char message[sizeof(g->files[0].message)];
	if (s->db == NULL)
		snprintf(s->path, sizeof(s->path), "%s", path);
	snprintf(message, sizeof(message), "%s%s", why, s->db != NULL ? "; the earlier file stays in use" : "");
	describe(g, role, error, message);
}

/* Returns whether another database is in use now. */
static bool refresh_role(struct geo *g, unsigned role)
{
	struct source *s = &g->source[role];
	char path[sizeof(s->path)], why[160];
	struct geo_ident ident;
	struct geo_db *db;
	choose_path(g, role, path, sizeof(path));
	if (path[0] == 0) {
		if (s->db == NULL)
			describe(g, role, ERR_NOTFOUND, "no database found");
		else
			refuse(g, role, path, ERR_NOTFOUND, "the file is gone");
		return false;
	}
	if (geo_ident_of(path, &ident) < 0) {
		refuse(g, role, path, ERR_IO, "the file cannot be read");
		return false;
	}
	if (s->db != NULL && same_ident(&ident, &s->ident) && strcmp(path, s->path) == 0) {
		describe(g, role, 0, "");
		return false;
	}
	if (same_ident(&ident, &s->refused))
		return false;
	int e = geo_db_open(path, role == ROLE_ASN ? GEO_DB_ASN : role == ROLE_CITY ? GEO_DB_CITY : GEO_DB_COUNTRY, &db,
	                    &ident, why, sizeof(why));
	if (e < 0) {
		s->refused = ident;
		refuse(g, role, path, e, why);
		return false;
	}
	geo_db_close(s->db);
	s->db = db;
	s->ident = ident;
	snprintf(s->path, sizeof(s->path), "%s", path);
	snprintf(s->type, sizeof(s->type), "%s", geo_db_type(db));
	describe(g, role, 0, "");
	return true;
}

int geo_refresh(struct geo *g)
{
	int exchanged = 0;
	for (unsigned role = 0; role < GEO_FILES; role++)
		exchanged += refresh_role(g, role);
	g->generation += (unsigned)exchanged;
	if (exchanged > 0)
		memset(g->cache, 0, CACHE_ENTRIES * sizeof(*g->cache));
	return exchanged;
}

int geo_reload(struct geo *g, const struct config_geo *cfg)
{
	const char *const given[GEO_FILES] = {cfg->country, cfg->city, cfg->asn};
	char *copies[GEO_FILES] = {NULL};
	for (unsigned role = 0; role < GEO_FILES; role++) {
		if (given[role] != NULL && (copies[role] = strdup(given[role])) == NULL) {
			while (role-- > 0)
				free(copies[role]);
			return ERR_NOMEM;
		}
	}
	for (unsigned role = 0; role < GEO_FILES; role++) {
		free(g->configured[role]);
		g->configured[role] = copies[role];
	}
	geo_refresh(g);
	return 0;
}

int geo_new(const struct config_geo *cfg, const char *data_dir, struct geo **ret)
{
	static const struct config_geo none;
	struct geo *g = calloc(1, sizeof(*g));
	if (g == NULL)
		return ERR_NOMEM;
	g->cache = calloc(CACHE_ENTRIES, sizeof(*g->cache));
	g->data_dir = strdup(data_dir != NULL ? data_dir : "/var/lib/garita");
	g->seed = seed_new();
	if (g->cache == NULL || g->data_dir == NULL || geo_reload(g, cfg != NULL ? cfg : &none) < 0) {
		geo_free(g);
		return ERR_NOMEM;
	}
	*ret = g;
	return 0;
}

void geo_free(struct geo *g)
{
	if (g == NULL)
		return;
	for (unsigned role = 0; role < GEO_FILES; role++) {
		geo_db_close(g->source[role].db);
		free(g->configured[role]);
	}
	free(g->cache);
	free(g->data_dir);
	free(g);
}

unsigned geo_generation(const struct geo *g)
{
	return g->generation;
}

const struct geo_file *geo_files(const struct geo *g, size_t *ret_count)
{
	*ret_count = GEO_FILES;
	return g->files;
}

/* --- answers --- */

/* Addresses that stand for no place (RFC 6890; the documentation ranges are
 * looked up, so that a database made for a laboratory can place them). */
bool geo_no_place(const struct addr *a)
{
	static const struct prefix none[] = {
	    {{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0}}, 104},               /* 0.0.0.0/8 */
	    {{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10}}, 104},              /* 10.0.0.0/8 */
	    {{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 100, 64}}, 106},         /* 100.64.0.0/10 */
	    {{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 127}}, 104},             /* 127.0.0.0/8 */
	    {{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 169, 254}}, 112},        /* 169.254.0.0/16 */
	    {{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 172, 16}}, 108},         /* 172.16.0.0/12 */
	    {{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 0}}, 120},       /* 192.0.0.0/24 */
	    {{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 168}}, 112},        /* 192.168.0.0/16 */
	    {{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 198, 18}}, 111},         /* 198.18.0.0/15 */
	    {{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 224}}, 99},              /* 224.0.0.0/3 */
	    {{{0}}, 127},                                                         /* :: and ::1 */
	    {{{0x01, 0}}, 64},                                                    /* 100::/64 */
	    {{{0xfc}}, 7},                                                        /* fc00::/7 */
	    {{{0xfe, 0x80}}, 10},                                                 /* fe80::/10 */
	    {{{0xff}}, 8},                                                        /* ff00::/8 */
	};
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		if (prefix_has(&none[i], a))
			return true;
	return false;
}

static void look_up(struct geo *g, const struct addr *a, struct geo_place *ret)
{
	struct geo_place city = {0}, country = {0}, asn = {0};
	if (g->source[ROLE_COUNTRY].db != NULL)
		geo_db_find(g->source[ROLE_COUNTRY].db, a, &country);
	if (g->source[ROLE_CITY].db != NULL)
		geo_db_find(g->source[ROLE_CITY].db, a, &city);
	if (g->source[ROLE_ASN].db != NULL)
		geo_db_find(g->source[ROLE_ASN].db, a, &asn);
	*ret = (struct geo_place){.asn = asn.asn};
	memcpy(ret->as_org, asn.as_org, sizeof(ret->as_org));
	memcpy(ret->country, country.country[0] != 0 ? country.country : city.country, sizeof(ret->country));
	/* A city in another country than the one told would be nonsense. */
	if (strcmp(ret->country, city.country) == 0 || city.country[0] == 0)
		memcpy(ret->city, city.city, sizeof(ret->city));
}

void geo_lookup(struct geo *g, const struct addr *a, struct geo_place *ret)
{
	struct cached *c = &g->cache[XXH3_64bits_withSeed(a->b, sizeof(a->b), g->seed) & (CACHE_ENTRIES - 1)];
	if (!c->used || !addr_eq(&c->addr, a)) {
		c->used = true;
		c->addr = *a;
		c->place = (struct geo_place){0};
		if (!geo_no_place(a))
			look_up(g, a, &c->place);
	}
	*ret = c->place;
}
