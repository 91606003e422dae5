/* Databases on their way, beside those that garita knows by itself. */

rule sql_dump_statements
{
	meta:
		description = "SQL statements that make and fill tables"
		word = "sql-dump"
		source = "what mysqldump(1), pg_dump(1) --inserts and the sqlite3 shell's .dump write"
	strings:
		$create = "CREATE TABLE " nocase
		$insert = "INSERT INTO " nocase
		$copy = " FROM stdin;"
	condition:
		$create and ($insert or $copy)
}

rule mssql_backup
{
	meta:
		description = "SQL Server backup"
		word = "database-file"
		source = "Microsoft Tape Format 1.00a: DBLK type TAPE; media header of SQL Server"
	strings:
		$tape = { 54 41 50 45 00 00 03 00 }
		$server = "Microsoft SQL Server" wide
	condition:
		$tape at 0 and $server
}

rule redis_dump
{
	meta:
		description = "Redis"
		word = "database-file"
		source = "rdb.c of Redis: magic REDIS and a version of four digits"
	strings:
		$magic = /REDIS00[0-9]{2}/
	condition:
		$magic at 0
}

rule mongodump_archive
{
	meta:
		description = "mongodump archive"
		word = "sql-dump"
		source = "mongo-tools, common/archive: magic 0x8199e26d, little-endian"
	strings:
		$magic = { 6D E2 99 81 }
	condition:
		$magic at 0
}
