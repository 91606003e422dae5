#include "verify_text.h"

#include <string.h>

#include "translate.h"

static const char *const forms[VERIFY_WHATS] = {
	[VERIFY_ENTRY_TEXT] = N_("its text is not that of an entry: it was changed"),
	[VERIFY_ENTRY_MISSING] = N_("not there: taken out"),
	[VERIFY_ENTRY_PLACE] = N_("its text is that of entry {1}: entries were put in, taken out or reordered"),
	[VERIFY_ENTRY_COLUMNS] = N_("column {0} is not what its text says"),
	[VERIFY_ENTRY_HASH] = N_("its text does not have its hash: one of them was changed"),
	[VERIFY_ENTRY_CHAIN] = N_("the entry after it was chained to another text: this one was changed, with its hash"),
	[VERIFY_ENTRY_TIME] = N_("older than the entry before it"),
	[VERIFY_ENTRY_RUN] = N_("only a running sensor writes such an entry, and none ran: it was invented"),
	[VERIFY_ENTRY_CHANGED] = N_("not what {4} signed: at least one of them was changed, and the chain made anew, or the database was set back and went on from there"),
	[VERIFY_LEDGER_CUT] = N_("{4} signed them and they are not there: the ledger was cut, or the database was set back"),
	[VERIFY_CHECKPOINT_NOTE] = N_("not a checkpoint, or its row says something else"),
	[VERIFY_CHECKPOINT_SIGNATURE] = N_("its signature is wrong: forged, or changed"),
	[VERIFY_CHECKPOINT_KEY] = N_("not signed by this key; it says that it is of {1}"),
	[VERIFY_CHECKPOINT_ORIGIN] = N_("of {1}, another ledger of the same sensor: this one was begun anew, and what that one held is not here"),
	[VERIFY_CHECKPOINT_STAMP] = N_("its time stamp is not what its entry says, or of no authority that you trust"),
	[VERIFY_KEY] = N_("the ledger was begun with another key: {1}"),
	[VERIFY_SEAL_CHANGED] = N_("the list of hashes that it vouches for was changed"),
	[VERIFY_SEAL_MISSING] = N_("the list of hashes that it vouches for was taken out"),
	[VERIFY_SEAL_UNKNOWN] = N_("a list of hashes that no entry vouches for"),
	[VERIFY_TRANSFER_CHANGED] = N_("changed since entry {3} sealed it"),
	[VERIFY_TRANSFER_MISSING] = N_("sealed by entry {3}, and not there: taken out"),
	[VERIFY_TRANSFER_UNSEALED] = N_("ended, and no entry has sealed it: put in, or its id was changed"),
	[VERIFY_TRANSFER_PURGED] = N_("there, though entry {3} says that retention took it out"),
	[VERIFY_TRANSFER_REOPENED] = N_("open, and no sensor writes to it: its state was changed"),
	[VERIFY_FOLDED_SUM] = N_("{0} of what retention took out is {2}, and its entries say {1}: rows of table folded were changed, or a purge invented"),
	[VERIFY_FINDING_CHANGED] = N_("{0} is {2}, and entry {3} says {1}"),
	[VERIFY_FINDING_MISSING] = N_("entry {3} tells of it, and it is not there: taken out"),
	[VERIFY_FINDING_UNKNOWN] = N_("no entry tells of it: put in"),
	[VERIFY_FINDING_ROW] = N_("a count, its severity or what was detected in it was changed since it was sealed"),
	[VERIFY_FINDING_SUM] = N_("{0} is {2}, and its transfers sum to {1}"),
	[VERIFY_REVIEW_CHANGED] = N_("{0} is {2}, and entry {3} says {1}"),
	[VERIFY_REVIEW_MISSING] = C_("review, suppression", "entry {3} tells of it, and it is not there: taken out"),
	[VERIFY_REVIEW_UNKNOWN] = N_("no entry tells of it: invented"),
	[VERIFY_SUPPRESSION_CHANGED] = N_("{0} is {2}, and entry {3} says {1}"),
	[VERIFY_SUPPRESSION_MISSING] = C_("review, suppression", "entry {3} tells of it, and it is not there: taken out"),
	[VERIFY_SUPPRESSION_UNKNOWN] = N_("no entry tells of it: invented"),
	[VERIFY_EVIDENCE_ROW] = N_("its row is not what the ledger says of it"),
	[VERIFY_EVIDENCE_ROW_MISSING] = N_("entry {3} tells of it, and its row is not there: taken out"),
	[VERIFY_EVIDENCE_MISSING] = N_("not there, and no entry says that it was evicted"),
	[VERIFY_EVIDENCE_CHANGED] = N_("another size or SHA-256 than entry {3} says: changed"),
	[VERIFY_EVIDENCE_UNKNOWN] = N_("the record knows no such file: put in, or left over"),
};

static const char of_entries[] = N_("Keep this database as it is, and do not write to it: copy it with its -wal file, note who had access since the last "
	"good checkpoint, and take the record before it from a backup or from what was sent off the machine.");
static const char of_cut[] = N_("Ask who restored or replaced this database. What the missing entries said is in the copy that was replaced, in a later "
	"backup, or in what was sent off the machine.");
static const char of_key[] = N_("Compare the key with the one that was noted at installation (garita ledger key). A checkpoint of another sensor proves "
	"nothing here.");
static const char of_rows[] = N_("Do not rely on these rows. What they said when they were sealed is in a backup, or in what was sent off the machine; the "
	"hash in the ledger tells whether a copy is the right one.");
static const char of_state[] = N_("What holds is what the ledger says: garita ledger --subject ID lists it. Note who had access, and decide again.");
static const char of_files[] = N_("Do not use the file as evidence. A copy is the right one when its SHA-256 is that of its entry (garita ledger --kind "
	"evidence-kept).");

const char *verify_wrong_form(const char *lang, enum verify_what w)
{
	return tr(lang, forms[w]);
}

const char *verify_wrong_do(const char *lang, enum verify_what w)
{
	const char *advice = w == VERIFY_LEDGER_CUT || w == VERIFY_CHECKPOINT_ORIGIN ? of_cut
	                       : w >= VERIFY_CHECKPOINT_KEY && w <= VERIFY_KEY         ? of_key
	                       : w <= VERIFY_CHECKPOINT_SIGNATURE                      ? of_entries
	                       : w <= VERIFY_FOLDED_SUM                                ? of_rows
	                       : w <= VERIFY_SUPPRESSION_UNKNOWN                       ? of_state
	                                                                               : of_files;
	return tr(lang, advice);
}

static const char *const table[VT_COUNT] = {
	[VT_ENTRY] = N_("entry {0}"),
	[VT_ENTRIES] = N_("entries {0} to {1}"),
	[VT_CHECKPOINT] = C_("sentence", "checkpoint {0}"),
	[VT_CHECKPOINT_OF] = C_("sentence", "checkpoint {0} of {1}"),
	[VT_TRANSFER] = N_("transfer {0}"),
	[VT_FOLDED] = N_("table folded"),
	[VT_FINDING] = N_("finding {0}"),
	[VT_REVIEW] = N_("review of finding {0}"),
	[VT_SUPPRESSION] = N_("suppression {0}"),
	[VT_EVIDENCE] = N_("evidence {0}"),
	[VT_KEY] = N_("key"),
	[VT_NONE] = N_("nothing"),
	[VT_READING_ENTRIES] = N_("entries"),
	[VT_READING_ROWS] = N_("transfers"),
	[VT_READING_STATE] = N_("findings and reviews"),
	[VT_READING_FILES] = N_("evidence"),
	[VT_LEDGER] = N_("Ledger"),
	[VT_LEDGER_LINE] = NN_("{0}: {1} entry, {2} to {3}", "{0}: {1} entries, {2} to {3}"),
	[VT_HEAD] = N_("Last hash"),
	[VT_ROOT] = N_("Merkle root"),
	[VT_SIGNED_KEY] = N_("Key"),
	[VT_CHECKPOINTS] = N_("Checkpoints"),
	[VT_CHECKPOINTS_LINE] = N_("{0}, the last of {1}"),
	[VT_NO_CHECKPOINTS] = N_("none"),
	[VT_UNSIGNED] = N_("entries not signed yet: {0}"),
	[VT_OUTSIDE] = N_("From outside"),
	[VT_OUTSIDE_LINE] = NN_("{0} checkpoint that was brought", "{0} checkpoints that were brought"),
	[VT_TRANSFERS] = N_("Transfers"),
	[VT_TRANSFERS_LINE] = NN_("{0} row, {1} of them sealed by an entry", "{0} rows, {1} of them sealed by an entry"),
	[VT_WAITING] = N_("sealed, and wait up to a minute for their entry: {0}"),
	[VT_OPEN_ROWS] = N_("open, and thus not sealed yet: {0}"),
	[VT_BEFORE] = N_("older than the ledger, for which nothing vouches: {0}"),
	[VT_PURGED] = N_("taken out by retention, by entries: {0}"),
	[VT_REVIEWS] = N_("Findings"),
	[VT_REVIEWS_LINE] = N_("{0}, reviews {1}, suppressions {2}"),
	[VT_FILES] = N_("Evidence"),
	[VT_FILES_LINE] = NN_("{0} file, {1} read; open {2}, evicted {3}", "{0} files, {1} read; open {2}, evicted {3}"),
	[VT_FILES_QUICK] = NN_("{0} file, not read (--quick); open {2}, evicted {3}",
	                     "{0} files, not read (--quick); open {2}, evicted {3}"),
	[VT_STAMPS] = N_("Time stamps"),
	[VT_STAMPS_LINE] = N_("{0}, each of its checkpoint and of an authority of --stamp-ca"),
	[VT_STAMPS_ALONE] = N_("{0}, each of its checkpoint; of which authority was not asked (--stamp-ca FILE)"),
	[VT_CHECKED] = N_("Checked"),
	[VT_CHECKED_LINE] = N_("{0}, garita {1}, in {2} s"),
	[VT_RESULT] = N_("Result"),
	[VT_WHOLE] = N_("WHOLE: nothing that was checked is wrong"),
	[VT_WRONG] = N_("WRONG: {0}"),
	[VT_ACCEPTED] = N_("ACCEPTED: nothing is wrong but what contradicts older checkpoints, which a person has accounted for"),
	[VT_ACCEPTED_BY] = N_("entry {0}, {1}: {2}"),
	[VT_ACCEPTED_THERE] = N_("accepted by entry {0}"),
	[VT_INCOMPLETE] = N_("INCOMPLETE: nothing wrong was found, but not everything could be checked"),
	[VT_FIRST] = N_("first wrong entry: {0}"),
	[VT_MORE] = N_("and {0} more (--limit 0 lists all)"),
	[VT_TO_DO] = N_("What to do"),
	[VT_LACKS_KEY] = N_("signatures were not checked: there is no key (--key FILE, or ledger.pub beside the database)"),
	[VT_LACKS_CHECKPOINT] = N_("there is no signed checkpoint: who can write to this database could have made all of it anew"),
	[VT_LACKS_FILES] = N_("files that could not be read: {0}"),
	[VT_LACKS_LEDGER] = N_("this record has no ledger: an older garitad wrote it; start garitad on it once"),
	[VT_LACKS_ASKED] = N_("time stamps that could not be checked (openssl(1), --stamp-ca FILE): {0}"),
	[VT_NO_FILE] = N_("no such file, or it can't be read"),
	[VT_BAD_KEY] = N_("not an Ed25519 verifier key (name+hash+key)"),
	[VT_TOO_MANY] = N_("too many checkpoints"),
};

const char *verify_text(const char *lang, enum verify_text t)
{
	return tr(lang, table[t]);
}

const char *verify_text_n(const char *lang, enum verify_text t, uint64_t n)
{
	return tr_form(lang, table[t], n);
}
