/* Statements that a client sends to a database: those that dump it or open a
 * replication stream. The answers are not looked at. */
#include <string.h>
#include <strings.h>

#include "base/bytes.h"
#include "sense/carrier_parts.h"

#define STATEMENT_MAX 256u   /* of a statement, as much as is looked at */

static void tell(struct passage *a, enum object_word word, const char *detail)
{
	object_tell(a, word, detail, VIA_NOTHING, "");
}

/* Pass over what is left of a message. */
static size_t pass(struct lane *l, size_t n)
{
	const size_t piece = n < l->left ? n : (size_t)l->left;
	l->left -= piece;
	return piece;
}

static bool begins_with(const uint8_t *p, size_t n, const char *text)
{
	const size_t len = strlen(text);
	return n >= len && strncasecmp((const char *)p, text, len) == 0;
}

/* --- PostgreSQL (protocol 3.0, "Message Formats"): the first message is length 4,
 * version 00 03 00 00, names and values with a zero each; later ones type 1,
 * length 4. A replica says replication=true or =database, then START_REPLICATION
 * in a Query 'Q'; pg_dump copies tables with COPY … TO stdout --- */

enum { PG_STARTUP = 0, PG_MESSAGES };

bool postgres_begins(const uint8_t *p, size_t n)
{
	return n >= 8 && be32(p) >= 8 && be32(p) <= 10000 && (be32(p + 4) == 0x00030000 || be32(p + 4) == 80877103);
}

static void see_startup(struct passage *a, const uint8_t *p, size_t n)
{
	static const char name[] = "replication";
	const uint8_t *at = memmem(p, n, name, sizeof name);
	if (at == NULL)
		return;
	const size_t left = n - (size_t)(at - p) - sizeof name;
	const uint8_t *value = at + sizeof name;
	if (left > 0 && (*value == 't' || *value == 'd' || *value == 'o' || *value == 'y' || *value == '1'))
		tell(a, OBJECT_REPLICATION, "PostgreSQL");
}

static void see_query(struct passage *a, const uint8_t *p, size_t n)
{
	if (begins_with(p, n, "START_REPLICATION"))
		tell(a, OBJECT_REPLICATION, "PostgreSQL");
	else if (begins_with(p, n, "BASE_BACKUP"))
		tell(a, OBJECT_REPLICATION, "PostgreSQL, base backup");
	else if (begins_with(p, n, "COPY ") && memmem(p, n, "TO stdout", 9) != NULL)
		tell(a, OBJECT_SQL_DUMP, "PostgreSQL, COPY TO stdout");
}

size_t postgres_read(struct passage *a, const uint8_t *p, size_t n, bool full)
{
	struct lane *l = a->lane;
	if (l->left > 0)
		return pass(l, n);
	const size_t head = l->state == PG_STARTUP ? 4 : 5;
	if (n < head)
		return full ? n : 0;
	const uint32_t length = be32(p + head - 4);
	if (length < 4 || length > 0x3fffffff || (l->state == PG_MESSAGES && (p[0] < 'A' || p[0] > 'z'))) {
		lane_end(a);   /* encrypted after an SSLRequest, or none at all */
		return n;
	}
	const size_t body = length - 4, have = n - head < body ? n - head : body;
	if (have < body && have < STATEMENT_MAX && !full)
		return 0;
	if (l->state == PG_STARTUP && body >= 4 && be32(p + head) == 0x00030000) {
		see_startup(a, p + head, have);
		l->state = PG_MESSAGES;
	} else if (l->state == PG_MESSAGES && p[0] == 'Q') {
		see_query(a, p + head, have < STATEMENT_MAX ? have : STATEMENT_MAX);
	} else if (l->state == PG_MESSAGES && p[0] == 'P') {   /* Parse: name, then the statement */
		const uint8_t *end = memchr(p + head, 0, have);
		if (end != NULL)
			see_query(a, end + 1, have - (size_t)(end + 1 - (p + head)));
	}
	l->left = body;
	return head;
}

/* --- MySQL (client/server protocol): length 3 little-endian, number 1, payload.
 * The client's first packet is its answer to the greeting: number 1, capabilities
 * 4 (200: protocol 4.1), packet size 4, character set 1, 23 bytes of which 19 are
 * zero. A command has number 0 and begins with its code --- */

enum { MY_LOGIN = 0, MY_COMMANDS };
enum { MY_QUERY = 0x03, MY_BINLOG_DUMP = 0x12, MY_TABLE_DUMP = 0x13, MY_REGISTER_SLAVE = 0x15, MY_BINLOG_DUMP_GTID = 0x1e };

#define MY_LOGIN_BYTES 36u
#define MY_CLIENT_SSL 0x800u
#define MY_PROTOCOL_41 0x200u

static uint32_t le24(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16;
}

bool mysql_may_begin(const uint8_t *p, size_t n)
{
	return n >= 4 && n < MY_LOGIN_BYTES && p[3] == 1 && le24(p) >= 32 && le24(p) < 4096;
}

bool mysql_begins(const uint8_t *p, size_t n)
{
	static const uint8_t zero[19];
	return n >= MY_LOGIN_BYTES && p[3] == 1 && le24(p) >= 32 && le24(p) < 4096 && le32(p + 4) & MY_PROTOCOL_41 &&
	       memcmp(p + 13, zero, sizeof zero) == 0;
}

static void see_command(struct passage *a, const uint8_t *p, size_t n)
{
	switch (p[0]) {
	case MY_BINLOG_DUMP:
	case MY_BINLOG_DUMP_GTID:
	case MY_REGISTER_SLAVE:
		tell(a, OBJECT_REPLICATION, "MySQL");
		break;
	case MY_QUERY:
		/* mysqldump reads tables with this hint, and nothing else does */
		if (begins_with(p + 1, n - 1, "SELECT /*!40001 SQL_NO_CACHE */ "))
			tell(a, OBJECT_SQL_DUMP, "MySQL, mysqldump's queries");
		break;
	default:
		break;
	}
}

size_t mysql_read(struct passage *a, const uint8_t *p, size_t n, bool full)
{
	struct lane *l = a->lane;
	if (l->left > 0)
		return pass(l, n);
	if (n < 5)
		return full ? n : 0;
	const uint32_t length = le24(p);
	if (l->state == MY_LOGIN && n >= 8 && le32(p + 4) & MY_CLIENT_SSL && length == 32) {
		lane_end(a);   /* TLS follows */
		return n;
	}
	if (length > 0 && n < 4 + 64 && n - 4 < length && !full)
		return 0;
	if (l->state == MY_COMMANDS && p[3] == 0 && length > 0)
		see_command(a, p + 4, n - 4 < length ? n - 4 : length);
	l->state = MY_COMMANDS;
	l->left = length;
	return 4;
}
