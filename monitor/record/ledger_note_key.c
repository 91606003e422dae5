/* Keys of notes, and their files: see ledger_note.h. The private form is that of
 * the note tools of Go, so that they can sign and check with the same files. */
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/sha256.h"
#include "record/ledger_note.h"
#include "record/ledger_note_parts.h"

#define PRIVATE "PRIVATE+KEY+"
#define ED25519 0x01u                /* type of the key, before its bytes */
#define BASE64 sodium_base64_VARIANT_ORIGINAL
#define ENCODED_KEY sodium_base64_ENCODED_LEN(33, BASE64)
#define PRIVATE_MAX (LEDGER_VKEY_MAX + sizeof PRIVATE)

size_t note_character(const char *text, size_t bytes, uint32_t *ret)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	const uint8_t *p = (const uint8_t *)text;
	if (bytes == 0)
		return 0;
	const size_t n = p[0] < 0x80 ? 1 : p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : p[0] < 0xf5 ? 4 : 0;
	if (n == 0 || n > bytes)
		return 0;
	uint32_t c = n == 1 ? p[0] : p[0] & (0x7fu >> n);
	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3fu);
	}
	if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		return 0;
	*ret = c;
	return n;
}

/* White space of Unicode (White_Space=yes), beyond ASCII. */
static bool is_space(uint32_t c)
{
	return c == 0x85 || c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 ||
	       c == 0x202f || c == 0x205f || c == 0x3000;
}

static bool may_stand(uint32_t c)
{
	return c > 0x20 && c != '+' && c != 0x7f && !is_space(c);
}

bool note_is_name(const char *text, size_t bytes)
{
	for (size_t i = 0; i < bytes;) {
		uint32_t c;
		const size_t n = note_character(text + i, bytes - i, &c);
		if (n == 0 || !may_stand(c))
			return false;
		i += n;
	}
	return bytes > 0;
}

const char *ledger_key_name(const char *text, char buf[LEDGER_ORIGIN_MAX])
{
	size_t used = 0;
	for (size_t left = strlen(text), n; left > 0; text += n, left -= n) {
		uint32_t c = 0;
		n = note_character(text, left, &c);
		const bool good = n > 0 && may_stand(c);
		const size_t room = good ? n : 1;
		if (used + room >= LEDGER_ORIGIN_MAX)
			break;
		memcpy(buf + used, good ? text : "-", room);
		used += room;
		n += n == 0;
	}
	if (used == 0)
		buf[used++] = '-';
	buf[used] = '\0';
	return buf;
}

/* The first four bytes of SHA-256(name || newline || type || key). */
static uint32_t key_id(const char *name, const uint8_t key[32])
{
	struct sha256 h;
	const uint8_t between[2] = {'\n', ED25519};
	uint8_t sum[SHA256_BYTES];
	sha256_begin(&h);
	sha256_add(&h, name, strlen(name));
	sha256_add(&h, between, sizeof between);
	sha256_add(&h, key, 32);
	sha256_end(&h, sum);
	return (uint32_t)sum[0] << 24 | (uint32_t)sum[1] << 16 | (uint32_t)sum[2] << 8 | sum[3];
}

static void make_vkey(struct ledger_key *k)
{
	uint8_t secret[crypto_sign_SECRETKEYBYTES];
	crypto_sign_seed_keypair(k->vkey.key, secret, k->seed);
	sodium_memzero(secret, sizeof secret);
	k->vkey.id = key_id(k->vkey.name, k->vkey.key);
}

int ledger_key_new(const char *name, struct ledger_key *ret)
{
	const size_t n = strlen(name);
	if (n >= sizeof ret->vkey.name || !note_is_name(name, n) || sodium_init() < 0)
		return ERR_INVALID;
	memcpy(ret->vkey.name, name, n + 1);
	randombytes_buf(ret->seed, sizeof ret->seed);
	make_vkey(ret);
	return 0;
}

int ledger_vkey_rename(struct ledger_vkey *k, const char *name)
{
	const size_t n = strlen(name);
	if (n >= sizeof k->name || !note_is_name(name, n))
		return ERR_INVALID;
	memmove(k->name, name, n + 1);
	k->id = key_id(k->name, k->key);
	return 0;
}

void ledger_key_wipe(struct ledger_key *k)
{
	sodium_memzero(k, sizeof *k);
}

/* "name+hash+base64(type || bytes)" */
static void write_key(const struct ledger_vkey *k, const uint8_t bytes[32], char *buf, size_t size)
{
	uint8_t typed[33] = {ED25519};
	char encoded[ENCODED_KEY];
	memcpy(typed + 1, bytes, 32);
	sodium_bin2base64(encoded, sizeof encoded, typed, sizeof typed, BASE64);
	snprintf(buf, size, "%s+%08x+%s", k->name, k->id, encoded);
	sodium_memzero(typed, sizeof typed);
	sodium_memzero(encoded, sizeof encoded);
}

/* The same; a newline may end it. Its id is read, not yet compared. */
static int read_key(const char *text, struct ledger_vkey *ret, uint8_t bytes[32])
{
	uint8_t typed[64], id[4];
	size_t n;
	const char *rest, *hash = strchr(text, '+');
	const char *encoded = hash != NULL ? strchr(hash + 1, '+') : NULL;
	if (encoded == NULL || (size_t)(hash - text) >= sizeof ret->name || !note_is_name(text, (size_t)(hash - text)))
		return ERR_INVALID;
	hash++;
	if (encoded - hash != 8 || strspn(hash, "0123456789abcdef") != 8 ||
	    sodium_hex2bin(id, sizeof id, hash, 8, NULL, &n, NULL) != 0)
		return ERR_INVALID;
	encoded++;
	if (sodium_base642bin(typed, sizeof typed, encoded, strcspn(encoded, "\n"), NULL, &n, &rest, BASE64) != 0 ||
	    (rest[0] != '\0' && strcmp(rest, "\n") != 0) || n == 0)
		return ERR_INVALID;
	if (typed[0] != ED25519)
		return ERR_UNSUPPORTED;
	if (n != 33)
		return ERR_INVALID;
	memset(ret, 0, sizeof *ret);
	memcpy(ret->name, text, (size_t)(hash - 1 - text));
	ret->id = (uint32_t)id[0] << 24 | (uint32_t)id[1] << 16 | (uint32_t)id[2] << 8 | id[3];
	memcpy(bytes, typed + 1, 32);
	sodium_memzero(typed, sizeof typed);
	return 0;
}

const char *ledger_vkey_text(const struct ledger_vkey *k, char buf[LEDGER_VKEY_MAX])
{
	write_key(k, k->key, buf, LEDGER_VKEY_MAX);
	return buf;
}

int ledger_vkey_read(const char *text, struct ledger_vkey *ret)
{
	struct ledger_vkey k;
	uint8_t bytes[32];
	const int code = read_key(text, &k, bytes);
	if (code != 0)
		return code;
	memcpy(k.key, bytes, sizeof k.key);
	if (key_id(k.name, k.key) != k.id)
		return ERR_INVALID;
	*ret = k;
	return 0;
}

static int read_private(const char *text, struct ledger_key *ret)
{
	struct ledger_key k;
	int code = strncmp(text, PRIVATE, strlen(PRIVATE)) == 0 ? read_key(text + strlen(PRIVATE), &k.vkey, k.seed)
	                                                        : ERR_INVALID;
	if (code == 0) {
		const uint32_t id = k.vkey.id;
		make_vkey(&k);
		code = k.vkey.id == id ? 0 : ERR_INVALID;
	}
	if (code == 0)
		*ret = k;
	sodium_memzero(&k, sizeof k);
	return code;
}

/* --- files --- */

static int write_all(int fd, const char *text)
{
	const size_t n = strlen(text);
	if (write(fd, text, n) != (ssize_t)n || write(fd, "\n", 1) != 1)
		return ERR_IO;
	return fsync(fd) == 0 ? 0 : ERR_IO;
}

/* The name in its folder lasts too. */
static void sync_folder(const char *path)
{
	char dir[4096] = ".";
	const char *slash = strrchr(path, '/');
	if (slash != NULL)
		snprintf(dir, sizeof dir, "%.*s", (int)(slash - path) + 1, path);
	const int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return;
	if (fsync(fd) != 0)
		errno = 0;   /* a file system that cannot: the file itself is safe */
	close(fd);
}

static int save(const char *text, const char *path, mode_t mode)
{
	char made[4096];
	const int n = snprintf(made, sizeof made, "%s.new", path);
	if (n < 0 || (size_t)n >= sizeof made) {
		errno = ENAMETOOLONG;
		return ERR_IO;
	}
	if (unlink(made) != 0 && errno != ENOENT)   /* of one who was killed in here */
		return ERR_IO;
	const int fd = open(made, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
	if (fd < 0)
		return ERR_IO;
	int code = fchmod(fd, mode) == 0 ? write_all(fd, text) : ERR_IO;   /* whatever the umask is */
	if (close(fd) != 0)
		code = ERR_IO;
	if (code == 0 && renameat2(AT_FDCWD, made, AT_FDCWD, path, RENAME_NOREPLACE) != 0)
		code = errno == EEXIST ? ERR_BUSY : ERR_IO;
	const int why = errno;
	if (code != 0)
		unlink(made);
	else
		sync_folder(path);
	errno = why;
	return code;
}

int ledger_key_save(const struct ledger_key *k, const char *path)
{
	char text[PRIVATE_MAX] = PRIVATE;
	write_key(&k->vkey, k->seed, text + strlen(PRIVATE), sizeof text - strlen(PRIVATE));
	const int code = save(text, path, S_IRUSR);
	sodium_memzero(text, sizeof text);
	return code;
}

int ledger_vkey_save(const struct ledger_vkey *k, const char *path)
{
	char text[LEDGER_VKEY_MAX];
	return save(ledger_vkey_text(k, text), path, S_IRUSR | S_IRGRP | S_IROTH);
}

/* One line. 0 or a code. */
static int load(const char *path, char *ret, size_t size)
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return errno == ENOENT ? ERR_NOTFOUND : errno == EACCES || errno == EPERM ? ERR_PERM : ERR_IO;
	const ssize_t n = read(fd, ret, size);
	close(fd);
	if (n < 0)
		return ERR_IO;
	if ((size_t)n >= size || memchr(ret, '\0', (size_t)n) != NULL)
		return ERR_INVALID;
	ret[n] = '\0';
	return 0;
}

int ledger_key_load(const char *path, struct ledger_key *ret)
{
	char text[PRIVATE_MAX + 2];
	int code = load(path, text, sizeof text);
	if (code == 0)
		code = read_private(text, ret);
	sodium_memzero(text, sizeof text);
	return code;
}

int ledger_vkey_load(const char *path, struct ledger_vkey *ret)
{
	char text[LEDGER_VKEY_MAX + 2];
	const int code = load(path, text, sizeof text);
	return code != 0 ? code : ledger_vkey_read(text, ret);
}
