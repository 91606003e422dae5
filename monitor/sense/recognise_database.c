/* Databases: dumps as SQL text and files, by what their programs write first. */
#include <stdio.h>
#include <string.h>

#include "sense/recognise_object.h"

#define BEGIN(bytes, word, what) {bytes, sizeof(bytes) - 1, word, what}

static const struct {
	const char *bytes;
	size_t n;
	enum object_word word;
	const char *what;
} begins[] = {
    BEGIN("-- MySQL dump ", OBJECT_SQL_DUMP, "mysqldump"),
    BEGIN("-- MariaDB dump ", OBJECT_SQL_DUMP, "mariadb-dump"),
    /* MariaDB since 2024 forbids shell commands in a dump, first of all */
    BEGIN("/*!999999\\- enable the sandbox mode */", OBJECT_SQL_DUMP, "mariadb-dump"),
    BEGIN("/*M!999999\\- enable the sandbox mode */", OBJECT_SQL_DUMP, "mariadb-dump"),
    BEGIN("-- phpMyAdmin SQL Dump", OBJECT_SQL_DUMP, "phpMyAdmin"),
    BEGIN("--\n-- PostgreSQL database dump\n", OBJECT_SQL_DUMP, "pg_dump"),
    BEGIN("--\n-- PostgreSQL database cluster dump\n", OBJECT_SQL_DUMP, "pg_dumpall"),
    BEGIN("PGDMP\x01", OBJECT_SQL_DUMP, "pg_dump, custom format"),   /* pg_backup_archiver.h: magic, major version 1 */
    BEGIN("PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;\n", OBJECT_SQL_DUMP, "sqlite3 .dump"),
    BEGIN("SQLite format 3\0", OBJECT_DATABASE, "SQLite"),           /* sqlite.org/fileformat.html, section 1.3 */
    BEGIN("\0\x01\0\0Standard Jet DB\0", OBJECT_DATABASE, "Access"),
    BEGIN("\0\x01\0\0Standard ACE DB\0", OBJECT_DATABASE, "Access"),
};

bool recognise_database(const uint8_t *p, size_t n, struct object_find *ret)
{
	for (size_t i = 0; i < sizeof begins / sizeof begins[0]; i++) {
		if (n < begins[i].n || memcmp(p, begins[i].bytes, begins[i].n) != 0)
			continue;
		ret->word = begins[i].word;
		snprintf(ret->detail, sizeof ret->detail, "%s", begins[i].what);
		return true;
	}
	return false;
}
