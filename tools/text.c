#include "text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "translate.h"

static const char *const table[TEXT_COUNT] = {
	[TEXT_USAGE] = N_("usage: garita VERB [options]\n"),
	[TEXT_USAGE_END] = N_("\nOptions of every verb: -c FILE, --db FILE|DIR, --format table|json|csv, --lang en|es,\n"
	                    "--help, --version. See garita(1)."),
	[TEXT_NO_SUCH_VERB] = N_("there is no such verb"),
	[TEXT_BAD_FORMAT] = N_("not one of table, json, csv"),
	[TEXT_BAD_LANG] = N_("not one of en, es"),
	[TEXT_TOO_MANY] = N_("one argument too many"),
	[TEXT_HELP_TRANSFERS] = N_("list who sent what to whom, approved or not"),
	[TEXT_HELP_FINDINGS] = N_("what is to be looked at, the worst first"),
	[TEXT_HELP_SHOW] = N_("one finding, or one transfer, on one screen"),
	[TEXT_HELP_STATUS] = N_("what the sensor sees, and what it does not"),
	[TEXT_HELP_EQUIPMENT] = N_("the machines of the scanner networks"),
	[TEXT_HELP_POLICY] = N_("check, explain and suggest approvals; try another policy"),
	[TEXT_HELP_MAINTENANCE] = N_("sessions of remote maintenance"),
	[TEXT_HELP_SIGNATURES] = N_("rules for contents: check, test, list"),
	[TEXT_HELP_SELF_TEST] = N_("the exfiltration test: begin, check"),
	[TEXT_HELP_EVIDENCE] = N_("packets that are kept, and bundles of them for others"),
	[TEXT_HELP_REPORT] = N_("the weekly compliance report"),
	[TEXT_HELP_REVIEW] = N_("what an analyst decides about findings"),
	[TEXT_HELP_SUPPRESS] = N_("findings that need no review until a day"),
	[TEXT_HELP_VERIFY] = N_("is the record what its ledger says, and the ledger what was signed?"),
	[TEXT_HELP_LEDGER] = N_("the entries of the ledger; checkpoints and proofs to take elsewhere"),
	[TEXT_HELP_GEOIP] = N_("build the country database"),

	[TEXT_USAGE_VERIFY] = N_("usage: garita verify [--checkpoint FILE]... [--key FILE|KEY] [--stamp-ca FILE] [--quick] [--limit N]\n"
	                       "       [--report FILE] [-c FILE] [--db FILE|DIR] [--format table|json] [--lang en|es]\n"
	                       "--checkpoint: one that was taken off the machine; --quick: evidence files are not read;\n"
	                       "--report: and was this report issued from this record?\n"
	                       "Exit code 0: whole; 1: something is wrong; 3: not everything could be checked."),
	[TEXT_USAGE_LEDGER] = N_("usage: garita ledger [list] [--kind WORD] [--subject ID] [--since T] [--until T] [--limit N]\n"
	                       "       garita ledger head | key | checkpoint [-o FILE] | proof SEQ [-o FILE] | stamp | accept --note TEXT\n"
	                       "       [-c FILE] [--db FILE|DIR] [--format table|json] [--lang en|es]"),
	[TEXT_BAD_KIND] = N_("no such kind of entry; garita-ledger(5) lists them"),
	[TEXT_NO_SUCH_ENTRY] = N_("no such entry"),
	[TEXT_NOT_SIGNED] = N_("no checkpoint holds this entry yet: the proof is of a tree that nobody has signed"),
	[TEXT_COL_TOLD] = N_("Time"),
	[TEXT_STAMP_FAILED] = N_("the command failed, or openssl(1) is not there"),
	[TEXT_STAMP_REFUSED] = N_("its answer is no time stamp of this checkpoint"),
	[TEXT_NO_STAMP_COMMAND] = N_("no command in ledger: stamp; garita-site.yaml(5)"),
	[TEXT_NO_CHECKPOINT] = N_("there is no signed checkpoint yet"),
	[TEXT_STAMPED] = N_("checkpoint {0} has its time stamp"),
	[TEXT_ACCEPT_NOTE] = N_("accept, and nothing else, takes --note TEXT: why the ledger differs from what was signed (2,000 bytes)"),
	[TEXT_COL_SEQ] = N_("Entry"),
	[TEXT_COL_KIND] = N_("Kind"),
	[TEXT_COL_SUBJECT] = N_("About"),
	[TEXT_COL_SAYS] = N_("Says"),
	[TEXT_USAGE_TRANSFERS] = N_(
	    "usage: garita transfers [--since T] [--until T] [--equipment ID] [--peer ADDRESS|PREFIX|NAME] [--country CC]\n"
	    "       [--app NAME] [--verdict approved|unapproved|housekeeping] [--reason WORD] [--id N] [--limit N]\n"
	    "       [--sums total|hour] [-c FILE] [--db FILE|DIR] [--format table|json|csv] [--lang en|es]\n"
	    "T is 90s, 30m, 2h, 3d, 1w (before now), a date, or RFC 3339; --limit keeps the newest, 0 is all."),
	[TEXT_BAD_PEER] = N_("neither an address, a prefix (10.0.0.0/8) nor a host name"),
	[TEXT_BAD_NUMBER] = N_("not a number"),
	[TEXT_BAD_VERDICT] = N_("not one of approved, unapproved, housekeeping"),
	[TEXT_BAD_TIME] = N_("not a time such as 2h, 3d, 2026-11-22 or 2026-11-22T03:00:00Z"),
	[TEXT_BAD_REASON] = N_("no such reason; garita-site.yaml(5) lists them"),
	[TEXT_COL_ID] = N_("ID"),
	[TEXT_COL_START] = N_("Start"),
	[TEXT_COL_EQUIPMENT] = N_("Equipment"),
	[TEXT_COL_PEER] = N_("Peer"),
	[TEXT_COL_APP] = N_("App"),
	[TEXT_COL_OUT] = N_("Out"),
	[TEXT_COL_IN] = N_("In"),
	[TEXT_COL_VERDICT] = N_("Verdict"),
	[TEXT_COL_WHY] = N_("Why"),
	[TEXT_APPROVED] = N_("approved"),
	[TEXT_UNAPPROVED] = N_("UNAPPROVED"),
	[TEXT_HOUSEKEEPING] = N_("housekeeping"),
	[TEXT_NO_TRANSFERS] = N_("No transfer matches."),
	[TEXT_CUT] = N_("the newest are shown; --limit 0 shows all"),

	[TEXT_BAD_SUMS] = N_("not one of hour, total"),
	[TEXT_NOT_WITH_SUMS] = N_("has no meaning for sums"),
	[TEXT_FOLDED_TOO] = N_("transfers of that time are kept as sums alone; --sums total counts them, too"),
	[TEXT_COL_HOUR] = N_("Hour"),
	[TEXT_COL_TRANSFERS] = N_("Count"),

	[TEXT_USAGE_FINDINGS] = N_("usage: garita findings [--review all|to-review|new|in-review|reopened|overdue|closed|held] [--reviewed-by NAME]\n"
	    "       [--suppressed] [--state open|closed|all] [--severity N] [--equipment ID] [--peer ADDRESS|PREFIX|NAME]\n"
	    "       [--since T] [--until T] [--reason WORD] [--detection WORD] [--sort severity|last|first|bytes|id|review] [--limit N]\n"
	    "       [--watch[=SECONDS]] [-c FILE] [--db FILE|DIR] [--format table|json|csv] [--lang en|es]\n"
	    "N is the least severity (0 to 100). T is 90s, 30m, 2h, 3d, 1w (before now), a date, or RFC 3339."),
	[TEXT_USAGE_SHOW] = N_("usage: garita show [--transfer] [--all] ID [-c FILE] [--db FILE|DIR] [--format table|json] [--lang en|es]\n"
	                     "ID is that of a finding (see garita findings), or with --transfer of a transfer;\n"
	                     "--all shows what one screen has no room for."),
	[TEXT_BAD_STATE] = N_("not one of open, closed, all"),
	[TEXT_BAD_REVIEW] = N_("not one of all, to-review, new, in-review, reopened, overdue, closed, held"),
	[TEXT_HIDDEN_FINDINGS] = N_("more are hidden by suppressions; --suppressed shows them"),
	[TEXT_BAD_SORT] = N_("not one of severity, last, first, bytes, id, review"),
	[TEXT_BAD_DETECTION] = N_("no such detection; garita-detections(7) lists them"),
	[TEXT_COL_SEVERITY] = N_("Sev"),
	[TEXT_NO_FINDINGS] = N_("No finding matches."),
	[TEXT_CUT_FINDINGS] = N_("no more are shown; --limit 0 shows all"),
	[TEXT_NO_SUCH_TRANSFER] = N_("there is no such transfer (garita transfers lists them; old ones are kept as sums alone)"),
	[TEXT_NO_SUCH_FINDING] = N_("there is no such finding"),
	[TEXT_WHICH_FINDING] = N_("which finding? garita findings lists them"),
	[TEXT_WITH_DICOM] = N_(" with DICOM images"),
	[TEXT_WITH_DATABASE] = N_(" with a copy of a database"),
	[TEXT_WITH_INSPECTION] = N_(" with inspection data"),
	[TEXT_WITH_ENCRYPTED_ARCHIVES] = N_(" with encrypted archives"),
	[TEXT_WITH_ARCHIVES] = N_(" with archives"),
	[TEXT_SOME_WITH] = N_(", part of it{1}"),
	[TEXT_PART_WITH] = N_(", {0} of it in a transfer{1}"),
	[TEXT_PARTS_WITH] = N_(", {0} of it in {2} transfers{1}"),
	[TEXT_PART_FETCHED] = N_(", {0} of it over connections that the peer opened"),
	[TEXT_MOSTLY] = N_(", mostly"),
	[TEXT_OF_HEADERS] = N_(" of headers alone"),
	[TEXT_OF_NAMES] = N_(" in DNS names"),
	[TEXT_OVER] = N_(" over {0}"),
	[TEXT_OVER_ENCRYPTED] = N_(" over encrypted {0}"),
	[TEXT_OVER_PLAIN] = N_(" over plain {0}"),
	[TEXT_NO_APPROVAL] = N_("no approval"),
	[TEXT_NOT_APPROVED] = N_("not approved"),
	[TEXT_APPROVED_BUT] = N_("approved, but suspicious"),
	[TEXT_SUSPICIOUS] = N_("suspicious"),
	[TEXT_FETCHED] = N_(" fetched {0}{1} from {2}"),
	[TEXT_SENT] = N_("{0} sent {1}{2} to {3}"),
	[TEXT_SENT_BELOW] = N_("{0} sent {1}{2} below {3}"),
	[TEXT_TERM_UNAPPROVED] = N_("not approved"),
	[TEXT_TERM_BYTES] = N_("{0} went out"),
	[TEXT_TERM_PEER_OPENED] = N_("the peer opened the connection"),
	[TEXT_TERM_UNKNOWN_EQUIPMENT] = N_("unknown equipment"),
	[TEXT_TERM_COUNTRY] = N_("{0} is in no approval"),
	[TEXT_SEVERITY] = N_("Severity"),
	[TEXT_DO_CONTENT] = N_("Find out who ordered the data to be sent, and what was in it."),
	[TEXT_DO_CHANNEL] = N_("Ask whether that service was ordered for this machine; if not, block it."),
	[TEXT_DO_BEHAVIOUR] = N_("Find the program that talks so, and compare with the days before it began."),
	[TEXT_DO_NAMES] = N_("Ask DNS for the name yourself, and look up who holds the address."),
	[TEXT_DO_EVASION] = N_("Check the switch port and the machine's network settings on site."),
	[TEXT_COL_STATE] = N_("Review"),
	[TEXT_STATE_NEW] = N_("new"),
	[TEXT_STATE_OPEN] = N_("open"),
	[TEXT_STATE_REOPENED] = N_("reopened"),
	[TEXT_STATE_IN_REVIEW] = N_("in review"),
	[TEXT_STATE_CLOSED] = N_("closed"),
	[TEXT_STATE_DUE] = N_("due in {0}"),
	[TEXT_STATE_OVERDUE] = N_("OVERDUE"),
	[TEXT_SUM_NEW] = N_("{0} new"),
	[TEXT_SUM_REOPENED] = N_("{0} reopened"),
	[TEXT_SUM_SEVERE] = N_("{0} severe and due"),
	[TEXT_SUM_OVERDUE] = N_("{0} overdue"),
	[TEXT_SUM_IN_REVIEW] = N_("{0} in review"),
	[TEXT_SUM_CLOSED] = N_("{0} closed"),
	[TEXT_SUM_HIDDEN] = N_("{0} hidden by suppressions (--suppressed)"),
	[TEXT_EVENT_NEW] = N_("NEW"),
	[TEXT_EVENT_REOPENED] = N_("REOPENED"),
	[TEXT_EVENT_OVERDUE] = N_("OVERDUE"),
	[TEXT_EVENT_SEVERE] = N_("SEVERE"),
	[TEXT_EVENT_REVIEW] = N_("review"),
	[TEXT_EVENT_DETECTED] = N_("more reasons"),
	[TEXT_EVENT_SEVERITY] = N_("severity"),
	[TEXT_EVENT_GREW] = N_("grew"),
	[TEXT_EVENT_QUIET] = N_("quiet"),
	[TEXT_EVENT_ACTIVE] = N_("active"),
	[TEXT_EVENT_EMPTIED] = N_("emptied"),
	[TEXT_EVENT_SUPPRESSED] = N_("suppressed"),
	[TEXT_WATCHING] = N_("Watching; ^C ends it."),
	[TEXT_WATCH_GONE] = N_("the database is gone; waiting for another"),
	[TEXT_WATCH_ANEW] = N_("the database was begun anew; going on with it"),

	[TEXT_USAGE_EQUIPMENT] = N_("usage: garita equipment [-c FILE] [--db FILE|DIR] [--format table|json|csv] [--lang en|es]"),
	[TEXT_COL_VENDOR] = N_("Vendor"),
	[TEXT_COL_MAC] = N_("MAC"),
	[TEXT_COL_ADDRESSES] = N_("Addresses"),
	[TEXT_COL_NETWORK] = N_("Network"),
	[TEXT_COL_FIRST] = N_("First seen"),
	[TEXT_COL_LAST] = N_("Last seen"),
	[TEXT_COL_APPROVED_OUT] = N_("Approved"),
	[TEXT_COL_UNAPPROVED_OUT] = N_("Unapproved"),
	[TEXT_NO_MACHINES] = N_("No machine was seen, and none is configured."),
	[TEXT_NEVER] = N_("never"),

	[TEXT_USAGE_STATUS] = N_("usage: garita status [-c FILE] [--db FILE|DIR] [--format table|json] [--lang en|es]\n"
	                       "Exit code 1: the sensor does not run, or sees nothing."),
	[TEXT_SENSOR] = N_("Sensor"),
	[TEXT_RUNNING] = N_("running, pid"),
	[TEXT_NOT_RUNNING] = N_("NOT RUNNING"),
	[TEXT_SINCE] = N_("since"),
	[TEXT_SOURCE] = N_("Source"),
	[TEXT_LAST_PACKET] = N_("Last packet"),
	[TEXT_NO_PACKET_YET] = N_("none since the start"),
	[TEXT_AGO] = N_("{0} ago"),
	[TEXT_TODAY] = N_("Today (UTC)"),
	[TEXT_FRAMES] = NN_("{0} frame", "{0} frames"),
	[TEXT_DROPS] = NN_("{0} dropped by kernel or interface", "{0} dropped by kernel or interface"),
	[TEXT_COVERAGE] = N_("Coverage"),
	[TEXT_WORKERS] = N_("Workers"),
	[TEXT_POLICY] = N_("Policy"),
	[TEXT_LOADED] = N_("loaded"),
	[TEXT_RELOAD_REFUSED] = N_("A reload was refused"),
	[TEXT_NONE] = N_("none"),
	[TEXT_GEO] = N_("Geolocation"),
	[TEXT_DATABASE] = N_("Database"),
	[TEXT_GAPS_24H] = N_("Gaps, 24 h"),
	[TEXT_STILL] = N_("still"),
	[TEXT_TRANSFERS_24H] = N_("Transfers, 24 h"),
	[TEXT_WARN_NOT_RUNNING] = N_("The sensor does not run: nothing is seen."),
	[TEXT_WARN_SILENT] = N_("No packets arrive: is the mirror still on? Where nothing arrives, no loss can be counted."),
	[TEXT_WARN_NEVER] = N_("Not one packet since the start: check the mirror, the cable and the interface."),
	[TEXT_WARN_ONE_WAY_OUT] = N_("Only what leaves is seen, no answers: the mirror delivers one direction."),
	[TEXT_WARN_ONE_WAY_IN] = N_("Only what comes in is seen, nothing that leaves: the mirror delivers one direction."),
	[TEXT_WARN_DOUBLED] = N_("The mirror delivers frames twice (counted once)."),
	[TEXT_WARN_DROPS] = N_("Frames were lost today."),
	[TEXT_WARN_LATE] = N_("Nothing is written: the database is locked or the disk is full."),
	[TEXT_WARN_WORKER] = N_("A worker is not ready."),
	[TEXT_WARN_REFUSED_ROWS] = N_("Rows were refused by the database."),
	[TEXT_WARN_NO_MEMORY] = N_("Memory ran out: transfers or facts of them are missing in the record."),
	[TEXT_WARN_MACHINES] = N_("More unknown machines than are told apart: a loop, or somebody makes them up."),
	[TEXT_WARN_GEO] = N_("A geolocation database is missing or damaged: its countries are unknown."),
	[TEXT_WARN_TABLE_FULL] = N_("The flow table was full: packets found no place in it."),
	[TEXT_WARN_RELOAD] = N_("The last reload of the configuration was refused; the earlier one is in force."),
	[TEXT_WARN_AVOIDED] = N_("A worker died over a packet; for some minutes its like is counted, but not inspected."),
	[TEXT_AVOIDED] = N_("Not inspected"),
	[TEXT_PORT] = N_("port"),
	[TEXT_OR] = N_("or"),
	[TEXT_FOR] = N_("for"),
	[TEXT_NO_PACKETS_FOR] = N_("no packets for"),
	[TEXT_OF_TIME] = N_("of the time"),
	[TEXT_OF_FRAMES] = N_("of the frames that arrived"),
	[TEXT_WARNING] = N_("Warning"),
	[TEXT_NO_CSV] = N_("not one of table, json"),
	[TEXT_LOST] = NN_("{0} frame lost", "{0} frames lost"),
	[TEXT_MORE] = N_("more"),
	[TEXT_TURNED_AWAY] = N_("Turned away"),
	[TEXT_LIMIT_PACKETS] = N_("packets without a flow"),
	[TEXT_LIMIT_FRAGMENTS] = N_("first fragments forgotten"),
	[TEXT_LIMIT_INSPECTIONS] = N_("inspections given up for others"),
	[TEXT_LIMIT_INSPECTIONS_MEMORY] = N_("inspections cut short for memory"),
	[TEXT_LIMIT_MACHINES] = N_("unknown machines not told apart"),
	[TEXT_LIMIT_NAMES] = N_("names forgotten for others"),
	[TEXT_LIMIT_FINDINGS] = N_("findings begun anew"),
	[TEXT_LIMIT_DETECTORS] = N_("machines and pairs forgotten by detectors"),
	[TEXT_LIMIT_SCANS] = N_("scans of contents broken off or left out"),
	[TEXT_LIMIT_DETECTIONS] = N_("detections without room in their findings"),
	[TEXT_LIMIT_FACTS] = N_("facts without memory"),
	[TEXT_LIMIT_ROWS] = N_("rows refused by the database"),
	[TEXT_FREE] = N_("free"),
	[TEXT_OF] = N_("of"),
	[TEXT_ROWS] = NN_("{0} transfer", "{0} transfers"),
	[TEXT_FOLDED] = N_("As sums"),
	[TEXT_HOURS] = NN_("{0} hour", "{0} hours"),
	[TEXT_MONTHS] = NN_("{0} month", "{0} months"),
	[TEXT_RETENTION] = N_("Retention"),
	[TEXT_FOREVER] = N_("forever"),
	[TEXT_EVENTS_30D] = N_("Record, 30 d"),
	[TEXT_WARN_UNAPPROVED_FOLDED] = N_("Unapproved transfers became sums for want of room: raise retention.database."),
	[TEXT_WARN_RECORD_DAMAGED] = N_("The database was damaged or taken away, and begun anew: see the events."),
	[TEXT_EVIDENCE] = N_("Packets"),
	[TEXT_EVIDENCE_OFF] = N_("none are kept"),
	[TEXT_KEPT_OF] = N_("packets kept of flows:"),
	[TEXT_MISSED] = N_("not kept:"),
	[TEXT_WARN_EVIDENCE_CHANGED] = N_("An evidence file is not what the record says: run garita verify."),
	[TEXT_WARN_EVIDENCE_FULL] = N_("Packets of unapproved transfers are not kept: no room on the disk."),
	[TEXT_WARN_EVIDENCE_EXHAUSTED] = N_("Evidence is past its bounds (evidence.total, reserve), and none of it may go."),
	[TEXT_WARN_TOO_LARGE] = N_("The database is larger than retention.database, and nothing is left to sum up."),
	[TEXT_WARN_NO_SHRINK] = N_("The database cannot shrink: see garitad(8), THE RECORD."),
	[TEXT_LEDGER] = N_("Ledger"),
	[TEXT_LEDGER_ENTRIES] = NN_("{0} entry", "{0} entries"),
	[TEXT_LEDGER_SIGNED] = NN_("{0} of them signed", "{0} of them signed"),
	[TEXT_LEDGER_SENT] = NN_("{0} checkpoint sent", "{0} checkpoints sent"),
	[TEXT_LEDGER_FAILED] = NN_("{0} try failed", "{0} tries failed"),
	[TEXT_WARN_CONTRADICTED] = N_("The ledger contradicts what was signed, and nothing more is signed: garita-ledger(5), CONTRADICTIONS."),
	[TEXT_WARN_NO_KEY] = N_("The ledger is not signed: its key can't be used."),
	[TEXT_WARN_NOT_SENT] = N_("The last checkpoint did not go off the machine: ledger.emit."),
	[TEXT_REVIEW] = N_("Review"),
	[TEXT_REVIEW_COUNTS] = N_("{0} open ({1} opened again), {2} in review, {3} closed, {4} suppressed, {5} on legal hold"),
	[TEXT_OVERDUE] = N_("{0} overdue"),
	[TEXT_WITH_DEADLINE] = N_("with a deadline, the next"),
	[TEXT_WARN_OVERDUE] = N_("Severe findings are past the deadline of their review: garita findings --review overdue."),
	[TEXT_NEVER_RAN] = N_("no live run is recorded here"),
	[TEXT_STOPPED_AT] = N_("stopped"),
};

const char *text(const char *lang, enum text t)
{
	return tr(lang, table[t]);
}

const char *text_fill(const char *form, const char *const *values, char *buf, size_t size)
{
	size_t n = 0;
	for (const char *p = form; *p != '\0' && n + 1 < size; p++) {
		if (p[0] != '{' || p[1] < '0' || p[1] > '9' || p[2] != '}') {
			buf[n++] = *p;
			continue;
		}
		const char *value = values[p[1] - '0'];
		const size_t m = strnlen(value, size - 1 - n);
		memcpy(buf + n, value, m);
		n += m;
		p += 2;
	}
	buf[n] = '\0';
	return buf;
}

const char *text_count(const char *lang, const char *one, const char *many, uint64_t n, char buf[TEXT_COUNT_MAX])
{
	char number[24];
	snprintf(number, sizeof number, "%" PRIu64, n);
	return text_fill(tr_n(lang, one, many, n), (const char *[]){number}, buf, TEXT_COUNT_MAX);
}

const char *text_of(const char *lang, enum text t, uint64_t n, char buf[TEXT_COUNT_MAX])
{
	char number[24];
	snprintf(number, sizeof number, "%" PRIu64, n);
	return text_fill(tr_form(lang, table[t], n), (const char *[]){number}, buf, TEXT_COUNT_MAX);
}
