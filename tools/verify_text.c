#include "verify_text.h"

#include <string.h>

struct pair {
	const char *en, *es;
};

static const struct pair forms[VERIFY_WHATS] = {
	[VERIFY_ENTRY_TEXT] = {"its text is not that of an entry: it was changed",
	                       "su texto no es el de una entrada: fue cambiado"},
	[VERIFY_ENTRY_MISSING] = {"not there: taken out", "no está: fue quitada"},
	[VERIFY_ENTRY_PLACE] = {"its text is that of entry {1}: entries were put in, taken out or reordered",
	                        "su texto es el de la entrada {1}: se intercalaron, quitaron o reordenaron entradas"},
	[VERIFY_ENTRY_COLUMNS] = {"column {0} is not what its text says", "la columna {0} no es lo que dice su texto"},
	[VERIFY_ENTRY_HASH] = {"its text does not have its hash: one of them was changed",
	                       "su texto no tiene su hash: uno de los dos fue cambiado"},
	[VERIFY_ENTRY_CHAIN] = {"the entry after it was chained to another text: this one was changed, with its hash",
	                        "la entrada siguiente fue encadenada a otro texto: esta fue cambiada, con su hash"},
	[VERIFY_ENTRY_TIME] = {"older than the entry before it", "más antigua que la entrada anterior"},
	[VERIFY_ENTRY_RUN] = {"only a running sensor writes such an entry, and none ran: it was invented",
	                      "solo un sensor en marcha escribe una entrada así, y ninguno lo estaba: fue inventada"},
	[VERIFY_ENTRY_CHANGED] = {"not what {4} signed: at least one of them was changed, and the chain made anew, or the database was set back and went on from there",
	                          "no es lo que firmó {4}: al menos una fue cambiada, y la cadena rehecha, o la base de datos volvió a un estado anterior y siguió desde ahí"},
	[VERIFY_LEDGER_CUT] = {"{4} signed them and they are not there: the ledger was cut, or the database was set back",
	                       "{4} las firmó y no están: el libro fue cortado, o la base de datos restaurada a un estado anterior"},
	[VERIFY_CHECKPOINT_NOTE] = {"not a checkpoint, or its row says something else",
	                            "no es un punto de control, o su fila dice otra cosa"},
	[VERIFY_CHECKPOINT_SIGNATURE] = {"its signature is wrong: forged, or changed",
	                                 "su firma es incorrecta: falsificado, o cambiado"},
	[VERIFY_CHECKPOINT_KEY] = {"not signed by this key; it says that it is of {1}",
	                           "no está firmado con esta clave; dice ser de {1}"},
	[VERIFY_CHECKPOINT_ORIGIN] = {"of {1}, another ledger of the same sensor: this one was begun anew, and what that one held is not here",
	                              "de {1}, otro libro del mismo sensor: este se abrió de nuevo, y lo que aquel contenía no está aquí"},
	[VERIFY_CHECKPOINT_STAMP] = {"its time stamp is not what its entry says, or of no authority that you trust",
	                             "su sello de tiempo no es lo que dice su entrada, o no es de una autoridad de confianza"},
	[VERIFY_KEY] = {"the ledger was begun with another key: {1}", "el libro se abrió con otra clave: {1}"},
	[VERIFY_SEAL_CHANGED] = {"the list of hashes that it vouches for was changed",
	                         "la lista de hashes que avala fue cambiada"},
	[VERIFY_SEAL_MISSING] = {"the list of hashes that it vouches for was taken out",
	                         "la lista de hashes que avala fue quitada"},
	[VERIFY_SEAL_UNKNOWN] = {"a list of hashes that no entry vouches for", "una lista de hashes que ninguna entrada avala"},
	[VERIFY_TRANSFER_CHANGED] = {"changed since entry {3} sealed it", "cambiada desde que la entrada {3} la selló"},
	[VERIFY_TRANSFER_MISSING] = {"sealed by entry {3}, and not there: taken out",
	                             "sellada por la entrada {3}, y no está: fue quitada"},
	[VERIFY_TRANSFER_UNSEALED] = {"ended, and no entry has sealed it: put in, or its id was changed",
	                              "terminó, y ninguna entrada la selló: fue añadida, o se le cambió el id"},
	[VERIFY_TRANSFER_PURGED] = {"there, though entry {3} says that retention took it out",
	                            "está, aunque la entrada {3} dice que la retención la quitó"},
	[VERIFY_TRANSFER_REOPENED] = {"open, and no sensor writes to it: its state was changed",
	                              "abierta, y ningún sensor escribe en ella: se cambió su estado"},
	[VERIFY_FOLDED_SUM] = {"{0} of what retention took out is {2}, and its entries say {1}: rows of table folded were changed, or a purge invented",
	                       "{0} de lo que quitó la retención es {2}, y sus entradas dicen {1}: se cambiaron filas de la tabla folded, o se inventó una purga"},
	[VERIFY_FINDING_CHANGED] = {"{0} is {2}, and entry {3} says {1}", "{0} es {2}, y la entrada {3} dice {1}"},
	[VERIFY_FINDING_MISSING] = {"entry {3} tells of it, and it is not there: taken out",
	                            "la entrada {3} habla de él, y no está: fue quitado"},
	[VERIFY_FINDING_UNKNOWN] = {"no entry tells of it: put in", "ninguna entrada habla de él: fue añadido"},
	[VERIFY_FINDING_SUM] = {"{0} is {2}, and its transfers sum to {1}", "{0} es {2}, y sus transferencias suman {1}"},
	[VERIFY_REVIEW_CHANGED] = {"{0} is {2}, and entry {3} says {1}", "{0} es {2}, y la entrada {3} dice {1}"},
	[VERIFY_REVIEW_MISSING] = {"entry {3} tells of it, and it is not there: taken out",
	                           "la entrada {3} habla de ella, y no está: fue quitada"},
	[VERIFY_REVIEW_UNKNOWN] = {"no entry tells of it: invented", "ninguna entrada habla de ella: fue inventada"},
	[VERIFY_SUPPRESSION_CHANGED] = {"{0} is {2}, and entry {3} says {1}", "{0} es {2}, y la entrada {3} dice {1}"},
	[VERIFY_SUPPRESSION_MISSING] = {"entry {3} tells of it, and it is not there: taken out",
	                                "la entrada {3} habla de ella, y no está: fue quitada"},
	[VERIFY_SUPPRESSION_UNKNOWN] = {"no entry tells of it: invented", "ninguna entrada habla de ella: fue inventada"},
	[VERIFY_EVIDENCE_ROW] = {"its row is not what the ledger says of it", "su fila no es lo que el libro dice de él"},
	[VERIFY_EVIDENCE_ROW_MISSING] = {"entry {3} tells of it, and its row is not there: taken out",
	                                 "la entrada {3} habla de él, y su fila no está: fue quitada"},
	[VERIFY_EVIDENCE_MISSING] = {"not there, and no entry says that it was evicted",
	                             "no está, y ninguna entrada dice que fuera desalojado"},
	[VERIFY_EVIDENCE_CHANGED] = {"another size or SHA-256 than entry {3} says: changed",
	                             "otro tamaño o SHA-256 que los de la entrada {3}: fue cambiado"},
	[VERIFY_EVIDENCE_UNKNOWN] = {"the record knows no such file: put in, or left over",
	                             "el registro no conoce ese archivo: fue añadido, o quedó olvidado"},
};

static const struct pair of_entries = {
	"Keep this database as it is, and do not write to it: copy it with its -wal file, note who had access since the last "
	"good checkpoint, and take the record before it from a backup or from what was sent off the machine.",
	"Conserve esta base de datos tal como está y no escriba en ella: cópiela con su archivo -wal, anote quién tuvo acceso "
	"desde el último punto de control bueno, y tome el registro anterior de un respaldo o de lo que salió de la máquina."};
static const struct pair of_cut = {
	"Ask who restored or replaced this database. What the missing entries said is in the copy that was replaced, in a later "
	"backup, or in what was sent off the machine.",
	"Pregunte quién restauró o sustituyó esta base de datos. Lo que decían las entradas que faltan está en la copia "
	"sustituida, en un respaldo posterior, o en lo que salió de la máquina."};
static const struct pair of_key = {
	"Compare the key with the one that was noted at installation (garita ledger key). A checkpoint of another sensor proves "
	"nothing here.",
	"Compare la clave con la anotada en la instalación (garita ledger key). Un punto de control de otro sensor no prueba nada "
	"aquí."};
static const struct pair of_rows = {
	"Do not rely on these rows. What they said when they were sealed is in a backup, or in what was sent off the machine; the "
	"hash in the ledger tells whether a copy is the right one.",
	"No confíe en estas filas. Lo que decían al sellarse está en un respaldo o en lo que salió de la máquina; el hash del libro "
	"dice si una copia es la buena."};
static const struct pair of_state = {
	"What holds is what the ledger says: garita ledger --subject ID lists it. Note who had access, and decide again.",
	"Lo que vale es lo que dice el libro: garita ledger --subject ID lo enumera. Anote quién tuvo acceso y decida de nuevo."};
static const struct pair of_files = {
	"Do not use the file as evidence. A copy is the right one when its SHA-256 is that of its entry (garita ledger --kind "
	"evidence-kept).",
	"No use el archivo como prueba. Una copia es la buena si su SHA-256 es el de su entrada (garita ledger --kind "
	"evidence-kept)."};

const char *verify_wrong_form(const char *lang, enum verify_what w)
{
	return strcmp(lang, "es") == 0 ? forms[w].es : forms[w].en;
}

const char *verify_wrong_do(const char *lang, enum verify_what w)
{
	const struct pair *p = w == VERIFY_LEDGER_CUT || w == VERIFY_CHECKPOINT_ORIGIN ? &of_cut
	                       : w >= VERIFY_CHECKPOINT_KEY && w <= VERIFY_KEY         ? &of_key
	                       : w <= VERIFY_CHECKPOINT_SIGNATURE                      ? &of_entries
	                       : w <= VERIFY_FOLDED_SUM                                ? &of_rows
	                       : w <= VERIFY_SUPPRESSION_UNKNOWN                       ? &of_state
	                                                                               : &of_files;
	return strcmp(lang, "es") == 0 ? p->es : p->en;
}

static const struct pair table[VT_COUNT] = {
	[VT_ENTRY] = {"entry {0}", "entrada {0}"},
	[VT_ENTRIES] = {"entries {0} to {1}", "entradas {0} a {1}"},
	[VT_CHECKPOINT] = {"checkpoint {0}", "el punto de control {0}"},
	[VT_CHECKPOINT_OF] = {"checkpoint {0} of {1}", "el punto de control {0} de {1}"},
	[VT_TRANSFER] = {"transfer {0}", "transferencia {0}"},
	[VT_FOLDED] = {"table folded", "tabla folded"},
	[VT_FINDING] = {"finding {0}", "hallazgo {0}"},
	[VT_REVIEW] = {"review of finding {0}", "revisión del hallazgo {0}"},
	[VT_SUPPRESSION] = {"suppression {0}", "supresión {0}"},
	[VT_EVIDENCE] = {"evidence {0}", "evidencia {0}"},
	[VT_KEY] = {"key", "clave"},
	[VT_NONE] = {"nothing", "nada"},
	[VT_READING_ENTRIES] = {"entries", "entradas"},
	[VT_READING_ROWS] = {"transfers", "transferencias"},
	[VT_READING_STATE] = {"findings and reviews", "hallazgos y revisiones"},
	[VT_READING_FILES] = {"evidence", "evidencia"},
	[VT_LEDGER] = {"Ledger", "Libro"},
	[VT_LEDGER_LINE] = {"{0}: {1} entries, {2} to {3}", "{0}: {1} entradas, {2} a {3}"},
	[VT_HEAD] = {"Last hash", "Último hash"},
	[VT_ROOT] = {"Merkle root", "Raíz de Merkle"},
	[VT_SIGNED_KEY] = {"Key", "Clave"},
	[VT_CHECKPOINTS] = {"Checkpoints", "Puntos de control"},
	[VT_CHECKPOINTS_LINE] = {"{0}, the last of {1}", "{0}, el último de {1}"},
	[VT_NO_CHECKPOINTS] = {"none", "ninguno"},
	[VT_UNSIGNED] = {"entries not signed yet: {0}", "entradas aún sin firmar: {0}"},
	[VT_OUTSIDE] = {"From outside", "De fuera"},
	[VT_OUTSIDE_LINE] = {"{0} checkpoints that were brought", "{0} puntos de control traídos"},
	[VT_TRANSFERS] = {"Transfers", "Transferencias"},
	[VT_TRANSFERS_LINE] = {"{0} rows, {1} of them sealed by an entry", "{0} filas, {1} de ellas selladas por una entrada"},
	[VT_WAITING] = {"sealed, and wait up to a minute for their entry: {0}", "selladas, y esperan hasta un minuto su entrada: {0}"},
	[VT_OPEN_ROWS] = {"open, and thus not sealed yet: {0}", "abiertas, y por eso aún sin sellar: {0}"},
	[VT_BEFORE] = {"older than the ledger, for which nothing vouches: {0}", "anteriores al libro, que nada avala: {0}"},
	[VT_PURGED] = {"taken out by retention, by entries: {0}", "quitadas por la retención, según entradas: {0}"},
	[VT_REVIEWS] = {"Findings", "Hallazgos"},
	[VT_REVIEWS_LINE] = {"{0}, reviews {1}, suppressions {2}", "{0}, revisiones {1}, supresiones {2}"},
	[VT_FILES] = {"Evidence", "Evidencia"},
	[VT_FILES_LINE] = {"{0} files, {1} read; open {2}, evicted {3}", "{0} archivos, {1} leídos; abiertos {2}, desalojados {3}"},
	[VT_FILES_QUICK] = {"{0} files, not read (--quick); open {2}, evicted {3}",
	                    "{0} archivos, sin leer (--quick); abiertos {2}, desalojados {3}"},
	[VT_STAMPS] = {"Time stamps", "Sellos de tiempo"},
	[VT_STAMPS_LINE] = {"{0}, each of its checkpoint and of an authority of --stamp-ca", "{0}, cada uno de su punto de control y de una autoridad de --stamp-ca"},
	[VT_STAMPS_ALONE] = {"{0}, each of its checkpoint; of which authority was not asked (--stamp-ca FILE)",
	                     "{0}, cada uno de su punto de control; no se preguntó de qué autoridad (--stamp-ca ARCHIVO)"},
	[VT_CHECKED] = {"Checked", "Comprobado"},
	[VT_CHECKED_LINE] = {"{0}, garita {1}, in {2} s", "{0}, garita {1}, en {2} s"},
	[VT_RESULT] = {"Result", "Resultado"},
	[VT_WHOLE] = {"WHOLE: nothing that was checked is wrong", "ÍNTEGRO: nada de lo comprobado está mal"},
	[VT_WRONG] = {"WRONG: {0}", "ALTERADO: {0}"},
	[VT_INCOMPLETE] = {"INCOMPLETE: nothing wrong was found, but not everything could be checked",
	                   "INCOMPLETO: no se halló nada mal, pero no todo pudo comprobarse"},
	[VT_FIRST] = {"first wrong entry: {0}", "primera entrada errónea: {0}"},
	[VT_MORE] = {"and {0} more (--limit 0 lists all)", "y {0} más (--limit 0 los enumera todos)"},
	[VT_TO_DO] = {"What to do", "Qué hacer"},
	[VT_LACKS_KEY] = {"signatures were not checked: there is no key (--key FILE, or ledger.pub beside the database)",
	                  "no se comprobaron las firmas: no hay clave (--key ARCHIVO, o ledger.pub junto a la base de datos)"},
	[VT_LACKS_CHECKPOINT] = {"there is no signed checkpoint: who can write to this database could have made all of it anew",
	                         "no hay ningún punto de control firmado: quien puede escribir en esta base de datos pudo rehacerla entera"},
	[VT_LACKS_FILES] = {"files that could not be read: {0}", "archivos que no se pudieron leer: {0}"},
	[VT_LACKS_LEDGER] = {"this record has no ledger: an older garitad wrote it; start garitad on it once",
	                     "este registro no tiene libro: lo escribió un garitad anterior; arranque garitad sobre él una vez"},
	[VT_LACKS_ASKED] = {"time stamps that could not be checked (openssl(1), --stamp-ca FILE): {0}",
	                    "sellos de tiempo que no se pudieron comprobar (openssl(1), --stamp-ca ARCHIVO): {0}"},
	[VT_NO_FILE] = {"no such file, or it can't be read", "no existe ese archivo, o no se puede leer"},
	[VT_BAD_KEY] = {"not an Ed25519 verifier key (name+hash+key)", "no es una clave de verificación Ed25519 (nombre+hash+clave)"},
	[VT_TOO_MANY] = {"too many checkpoints", "demasiados puntos de control"},
};

const char *verify_text(const char *lang, enum verify_text t)
{
	return strcmp(lang, "es") == 0 ? table[t].es : table[t].en;
}
