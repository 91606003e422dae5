#include "text.h"

#include <string.h>

struct pair {
	const char *en, *es;
};

#define FILTERS_EN \
	"usage: garita transfers [--since T] [--until T] [--equipment ID] [--peer ADDRESS|PREFIX|NAME] [--country CC]\n" \
	"       [--app NAME] [--verdict approved|unapproved|housekeeping] [--reason WORD] [--id N] [--limit N]\n" \
	"       [--sums total|hour] [-c FILE] [--db FILE|DIR] [--format table|json|csv] [--lang en|es]\n" \
	"T is 90s, 30m, 2h, 3d, 1w (before now), a date, or RFC 3339; --limit keeps the newest, 0 is all."
#define FILTERS_ES \
	"uso: garita transfers [--since T] [--until T] [--equipment ID] [--peer DIRECCIÓN|PREFIJO|NOMBRE] [--country CC]\n" \
	"     [--app NOMBRE] [--verdict approved|unapproved|housekeeping] [--reason PALABRA] [--id N] [--limit N]\n" \
	"     [--sums total|hour] [-c ARCHIVO] [--db ARCHIVO|DIR] [--format table|json|csv] [--lang en|es]\n" \
	"T es 90s, 30m, 2h, 3d, 1w (antes de ahora), una fecha o RFC 3339; --limit deja las más nuevas, 0 es todas."

static const struct pair table[TEXT_COUNT] = {
	[TEXT_USAGE] = {"usage: garita VERB [options]\n", "uso: garita VERBO [opciones]\n"},
	[TEXT_USAGE_END] = {"\nOptions of every verb: -c FILE, --db FILE|DIR, --format table|json|csv, --lang en|es,\n"
	                    "--help, --version. See garita(1).",
	                    "\nOpciones de todo verbo: -c ARCHIVO, --db ARCHIVO|DIR, --format table|json|csv, --lang en|es,\n"
	                    "--help, --version. Véase garita(1)."},
	[TEXT_NO_SUCH_VERB] = {"there is no such verb", "no existe ese verbo"},
	[TEXT_BAD_FORMAT] = {"not one of table, json, csv", "no es ninguno de table, json, csv"},
	[TEXT_BAD_LANG] = {"not one of en, es", "no es ninguno de en, es"},
	[TEXT_TOO_MANY] = {"one argument too many", "sobra un argumento"},
	[TEXT_HELP_TRANSFERS] = {"list who sent what to whom, approved or not",
	                         "lista quién envió qué a quién, aprobado o no"},
	[TEXT_HELP_FINDINGS] = {"what is to be looked at, the worst first", "qué hay que revisar, lo peor primero"},
	[TEXT_HELP_SHOW] = {"one finding, or one transfer, on one screen", "un hallazgo, o una transferencia, en una pantalla"},
	[TEXT_HELP_STATUS] = {"what the sensor sees, and what it does not", "qué ve el sensor y qué no"},
	[TEXT_HELP_EQUIPMENT] = {"the machines of the scanner networks", "las máquinas de las redes de escáneres"},
	[TEXT_HELP_POLICY] = {"check, explain and suggest approvals; try another policy", "comprueba, explica y sugiere aprobaciones; prueba otra política"},
	[TEXT_HELP_MAINTENANCE] = {"sessions of remote maintenance", "sesiones de mantenimiento remoto"},
	[TEXT_HELP_SIGNATURES] = {"rules for contents: check, test, list", "reglas de contenido: check, test, list"},
	[TEXT_HELP_SELF_TEST] = {"the exfiltration test: begin, check", "la prueba de exfiltración: begin, check"},
	[TEXT_HELP_EVIDENCE] = {"packets that are kept, and bundles of them for others", "los paquetes guardados, y paquetes de pruebas para terceros"},
	[TEXT_HELP_REPORT] = {"the weekly compliance report", "el informe semanal de cumplimiento"},
	[TEXT_HELP_REVIEW] = {"what an analyst decides about findings", "lo que un analista decide de los hallazgos"},
	[TEXT_HELP_SUPPRESS] = {"findings that need no review until a day", "hallazgos que no requieren revisión hasta un día"},
	[TEXT_HELP_VERIFY] = {"is the record what its ledger says, and the ledger what was signed?",
	                      "¿es el registro lo que dice su libro, y el libro lo que se firmó?"},
	[TEXT_HELP_LEDGER] = {"the entries of the ledger; checkpoints and proofs to take elsewhere",
	                      "las entradas del libro; puntos de control y pruebas para llevar"},
	[TEXT_HELP_GEOIP] = {"build the country database", "construye la base de datos de países"},

	[TEXT_USAGE_VERIFY] = {"usage: garita verify [--checkpoint FILE]... [--key FILE|KEY] [--stamp-ca FILE] [--quick] [--limit N]\n"
	                       "       [--report FILE] [-c FILE] [--db FILE|DIR] [--format table|json] [--lang en|es]\n"
	                       "--checkpoint: one that was taken off the machine; --quick: evidence files are not read;\n"
	                       "--report: and was this report issued from this record?\n"
	                       "Exit code 0: whole; 1: something is wrong; 3: not everything could be checked.",
	                       "uso: garita verify [--checkpoint ARCHIVO]... [--key ARCHIVO|CLAVE] [--stamp-ca ARCHIVO] [--quick] [--limit N]\n"
	                       "     [--report ARCHIVO] [-c ARCHIVO] [--db ARCHIVO|DIR] [--format table|json] [--lang en|es]\n"
	                       "--checkpoint: uno que salió de la máquina; --quick: no se leen los archivos de evidencia;\n"
	                       "--report: ¿y se emitió este informe desde este registro?\n"
	                       "Código de salida 0: íntegro; 1: algo está mal; 3: no todo pudo comprobarse."},
	[TEXT_USAGE_LEDGER] = {"usage: garita ledger [list] [--kind WORD] [--subject ID] [--since T] [--until T] [--limit N]\n"
	                       "       garita ledger head | key | checkpoint [-o FILE] | proof SEQ [-o FILE] | stamp | accept --note TEXT\n"
	                       "       [-c FILE] [--db FILE|DIR] [--format table|json] [--lang en|es]",
	                       "uso: garita ledger [list] [--kind PALABRA] [--subject ID] [--since T] [--until T] [--limit N]\n"
	                       "     garita ledger head | key | checkpoint [-o ARCHIVO] | proof SEQ [-o ARCHIVO] | stamp | accept --note TEXTO\n"
	                       "     [-c ARCHIVO] [--db ARCHIVO|DIR] [--format table|json] [--lang en|es]"},
	[TEXT_BAD_KIND] = {"no such kind of entry; garita-ledger(5) lists them",
	                   "no existe ese tipo de entrada; garita-ledger(5) los enumera"},
	[TEXT_NO_SUCH_ENTRY] = {"no such entry", "no existe esa entrada"},
	[TEXT_NOT_SIGNED] = {"no checkpoint holds this entry yet: the proof is of a tree that nobody has signed",
	                     "ningún punto de control contiene aún esta entrada: la prueba es de un árbol que nadie ha firmado"},
	[TEXT_COL_TOLD] = {"Time", "Hora"},
	[TEXT_STAMP_FAILED] = {"the command failed, or openssl(1) is not there", "la orden falló, o no está openssl(1)"},
	[TEXT_STAMP_REFUSED] = {"its answer is no time stamp of this checkpoint",
	                        "su respuesta no es un sello de tiempo de este punto de control"},
	[TEXT_NO_STAMP_COMMAND] = {"no command in ledger: stamp; garita-site.yaml(5)", "no hay orden en ledger: stamp; garita-site.yaml(5)"},
	[TEXT_NO_CHECKPOINT] = {"there is no signed checkpoint yet", "aún no hay ningún punto de control firmado"},
	[TEXT_STAMPED] = {"checkpoint {0} has its time stamp", "el punto de control {0} tiene su sello de tiempo"},
	[TEXT_ACCEPT_NOTE] = {"accept, and nothing else, takes --note TEXT: why the ledger differs from what was signed (2,000 bytes)",
	                      "accept, y nada más, lleva --note TEXTO: por qué el libro difiere de lo firmado (2 000 bytes)"},
	[TEXT_COL_SEQ] = {"Entry", "Entrada"},
	[TEXT_COL_KIND] = {"Kind", "Tipo"},
	[TEXT_COL_SUBJECT] = {"About", "Sobre"},
	[TEXT_COL_SAYS] = {"Says", "Dice"},
	[TEXT_USAGE_TRANSFERS] = {FILTERS_EN, FILTERS_ES},
	[TEXT_BAD_PEER] = {"neither an address, a prefix (10.0.0.0/8) nor a host name",
	                   "no es dirección, ni prefijo (10.0.0.0/8), ni nombre"},
	[TEXT_BAD_NUMBER] = {"not a number", "no es un número"},
	[TEXT_BAD_VERDICT] = {"not one of approved, unapproved, housekeeping",
	                      "no es ninguno de approved, unapproved, housekeeping"},
	[TEXT_BAD_TIME] = {"not a time such as 2h, 3d, 2026-11-22 or 2026-11-22T03:00:00Z",
	                   "no es un tiempo como 2h, 3d, 2026-11-22 o 2026-11-22T03:00:00Z"},
	[TEXT_BAD_REASON] = {"no such reason; garita-site.yaml(5) lists them",
	                     "no existe esa razón; garita-site.yaml(5) las enumera"},
	[TEXT_COL_ID] = {"ID", "ID"},
	[TEXT_COL_START] = {"Start", "Inicio"},
	[TEXT_COL_EQUIPMENT] = {"Equipment", "Equipo"},
	[TEXT_COL_PEER] = {"Peer", "Destino"},
	[TEXT_COL_APP] = {"App", "App"},
	[TEXT_COL_OUT] = {"Out", "Salida"},
	[TEXT_COL_IN] = {"In", "Entrada"},
	[TEXT_COL_VERDICT] = {"Verdict", "Veredicto"},
	[TEXT_COL_WHY] = {"Why", "Por qué"},
	[TEXT_APPROVED] = {"approved", "aprobado"},
	[TEXT_UNAPPROVED] = {"UNAPPROVED", "NO APROBADO"},
	[TEXT_HOUSEKEEPING] = {"housekeeping", "de servicio"},
	[TEXT_NO_TRANSFERS] = {"No transfer matches.", "Ninguna transferencia coincide."},
	[TEXT_CUT] = {"the newest are shown; --limit 0 shows all", "se muestran las más nuevas; --limit 0 las muestra todas"},

	[TEXT_BAD_SUMS] = {"not one of hour, total", "no es ninguno de hour, total"},
	[TEXT_NOT_WITH_SUMS] = {"has no meaning for sums", "no tiene sentido para sumas"},
	[TEXT_FOLDED_TOO] = {"transfers of that time are kept as sums alone; --sums total counts them, too",
	                     "transferencias de ese tiempo se guardan solo como sumas; --sums total también las cuenta"},
	[TEXT_COL_HOUR] = {"Hour", "Hora"},
	[TEXT_COL_TRANSFERS] = {"Count", "Cuántas"},

	[TEXT_USAGE_FINDINGS] = {
	    "usage: garita findings [--review all|to-review|new|in-review|reopened|overdue|closed|held] [--reviewed-by NAME]\n"
	    "       [--suppressed] [--state open|closed|all] [--severity N] [--equipment ID] [--peer ADDRESS|PREFIX|NAME]\n"
	    "       [--since T] [--until T] [--reason WORD] [--detection WORD] [--sort severity|last|first|bytes|id|review] [--limit N]\n"
	    "       [--watch[=SECONDS]] [-c FILE] [--db FILE|DIR] [--format table|json|csv] [--lang en|es]\n"
	    "N is the least severity (0 to 100). T is 90s, 30m, 2h, 3d, 1w (before now), a date, or RFC 3339.",
	    "uso: garita findings [--review all|to-review|new|in-review|reopened|overdue|closed|held] [--reviewed-by NOMBRE]\n"
	    "     [--suppressed] [--state open|closed|all] [--severity N] [--equipment ID] [--peer DIRECCIÓN|PREFIJO|NOMBRE]\n"
	    "     [--since T] [--until T] [--reason PALABRA] [--detection PALABRA] [--sort severity|last|first|bytes|id|review]\n"
	    "     [--limit N] [--watch[=SEGUNDOS]] [-c ARCHIVO] [--db ARCHIVO|DIR] [--format table|json|csv] [--lang en|es]\n"
	    "N es la menor severidad (0 a 100). T es 90s, 30m, 2h, 3d, 1w (antes de ahora), una fecha o RFC 3339."},
	[TEXT_USAGE_SHOW] = {"usage: garita show [--transfer] [--all] ID [-c FILE] [--db FILE|DIR] [--format table|json] [--lang en|es]\n"
	                     "ID is that of a finding (see garita findings), or with --transfer of a transfer;\n"
	                     "--all shows what one screen has no room for.",
	                     "uso: garita show [--transfer] [--all] ID [-c ARCHIVO] [--db ARCHIVO|DIR] [--format table|json]\n"
	                     "     [--lang en|es]\n"
	                     "ID es el de un hallazgo (véase garita findings) o, con --transfer, el de una transferencia;\n"
	                     "--all muestra lo que no cabe en una pantalla."},
	[TEXT_BAD_STATE] = {"not one of open, closed, all", "no es ninguno de open, closed, all"},
	[TEXT_BAD_REVIEW] = {"not one of all, to-review, new, in-review, reopened, overdue, closed, held",
	                     "no es ninguno de all, to-review, new, in-review, reopened, overdue, closed, held"},
	[TEXT_HIDDEN_FINDINGS] = {"more are hidden by suppressions; --suppressed shows them",
	                          "más están ocultos por supresiones; --suppressed los muestra"},
	[TEXT_BAD_SORT] = {"not one of severity, last, first, bytes, id, review", "no es ninguno de severity, last, first, bytes, id, review"},
	[TEXT_BAD_DETECTION] = {"no such detection; garita-detections(7) lists them",
	                        "no existe esa detección; garita-detections(7) las enumera"},
	[TEXT_COL_SEVERITY] = {"Sev", "Sev"},
	[TEXT_NO_FINDINGS] = {"No finding matches.", "Ningún hallazgo coincide."},
	[TEXT_CUT_FINDINGS] = {"no more are shown; --limit 0 shows all", "no se muestran más; --limit 0 los muestra todos"},
	[TEXT_NO_SUCH_TRANSFER] = {"there is no such transfer (garita transfers lists them; old ones are kept as sums alone)",
	                           "no existe esa transferencia (garita transfers las enumera; las antiguas solo quedan como sumas)"},
	[TEXT_NO_SUCH_FINDING] = {"there is no such finding", "no existe ese hallazgo"},
	[TEXT_WHICH_FINDING] = {"which finding? garita findings lists them", "¿qué hallazgo? garita findings los enumera"},
	[TEXT_WITH_DICOM] = {" with DICOM images", " con imágenes DICOM"},
	[TEXT_WITH_DATABASE] = {" with a copy of a database", " con una copia de base de datos"},
	[TEXT_WITH_INSPECTION] = {" with inspection data", " con datos de inspección"},
	[TEXT_WITH_ENCRYPTED_ARCHIVES] = {" with encrypted archives", " con archivos comprimidos y cifrados"},
	[TEXT_WITH_ARCHIVES] = {" with archives", " con archivos comprimidos"},
	[TEXT_SOME_WITH] = {", part of it{1}", ", parte de ello{1}"},
	[TEXT_PART_WITH] = {", {0} of it in a transfer{1}", ", de ellos {0} en una transferencia{1}"},
	[TEXT_PARTS_WITH] = {", {0} of it in {2} transfers{1}", ", de ellos {0} en {2} transferencias{1}"},
	[TEXT_PART_FETCHED] = {", {0} of it over connections that the peer opened",
	                       ", de ellos {0} por conexiones que abrió el otro extremo"},
	[TEXT_MOSTLY] = {", mostly", ", sobre todo"},
	[TEXT_OF_HEADERS] = {" of headers alone", " de solo encabezados"},
	[TEXT_OF_NAMES] = {" in DNS names", " en nombres DNS"},
	[TEXT_OVER] = {" over {0}", " por {0}"},
	[TEXT_OVER_ENCRYPTED] = {" over encrypted {0}", " por {0} cifrado"},
	[TEXT_OVER_PLAIN] = {" over plain {0}", " por {0} sin cifrar"},
	[TEXT_NO_APPROVAL] = {"no approval", "sin aprobación"},
	[TEXT_NOT_APPROVED] = {"not approved", "no aprobado"},
	[TEXT_APPROVED_BUT] = {"approved, but suspicious", "aprobado, pero sospechoso"},
	[TEXT_SUSPICIOUS] = {"suspicious", "sospechoso"},
	[TEXT_FETCHED] = {" fetched {0}{1} from {2}", " obtuvo {0}{1} de {2}"},
	[TEXT_SENT] = {"{0} sent {1}{2} to {3}", "{0} envió {1}{2} a {3}"},
	[TEXT_SENT_BELOW] = {"{0} sent {1}{2} below {3}", "{0} envió {1}{2} bajo {3}"},
	[TEXT_TERM_UNAPPROVED] = {"not approved", "no aprobado"},
	[TEXT_TERM_BYTES] = {"{0} went out", "salieron {0}"},
	[TEXT_TERM_PEER_OPENED] = {"the peer opened the connection", "el otro extremo abrió la conexión"},
	[TEXT_TERM_UNKNOWN_EQUIPMENT] = {"unknown equipment", "equipo desconocido"},
	[TEXT_TERM_COUNTRY] = {"{0} is in no approval", "{0} no figura en ninguna aprobación"},
	[TEXT_SEVERITY] = {"Severity", "Severidad"},
	[TEXT_DO_CONTENT] = {"Find out who ordered the data to be sent, and what was in it.",
	                     "Averigüe quién ordenó enviar los datos y qué contenían."},
	[TEXT_DO_CHANNEL] = {"Ask whether that service was ordered for this machine; if not, block it.",
	                     "Pregunte si ese servicio se contrató para esta máquina; si no, bloquéelo."},
	[TEXT_DO_BEHAVIOUR] = {"Find the program that talks so, and compare with the days before it began.",
	                       "Busque el programa que habla así y compare con los días anteriores."},
	[TEXT_DO_NAMES] = {"Ask DNS for the name yourself, and look up who holds the address.",
	                   "Consulte usted el nombre en DNS y averigüe de quién es la dirección."},
	[TEXT_DO_EVASION] = {"Check the switch port and the machine's network settings on site.",
	                     "Revise en sitio el puerto del conmutador y la red de la máquina."},
	[TEXT_COL_STATE] = {"Review", "Revisión"},
	[TEXT_STATE_NEW] = {"new", "nuevo"},
	[TEXT_STATE_OPEN] = {"open", "abierto"},
	[TEXT_STATE_REOPENED] = {"reopened", "reabierto"},
	[TEXT_STATE_IN_REVIEW] = {"in review", "en revisión"},
	[TEXT_STATE_CLOSED] = {"closed", "cerrado"},
	[TEXT_STATE_DUE] = {"due in {0}", "vence en {0}"},
	[TEXT_STATE_OVERDUE] = {"OVERDUE", "VENCIDO"},
	[TEXT_SUM_NEW] = {"{0} new", "nuevos: {0}"},
	[TEXT_SUM_REOPENED] = {"{0} reopened", "reabiertos: {0}"},
	[TEXT_SUM_SEVERE] = {"{0} severe and due", "graves con plazo: {0}"},
	[TEXT_SUM_OVERDUE] = {"{0} overdue", "vencidos: {0}"},
	[TEXT_SUM_IN_REVIEW] = {"{0} in review", "en revisión: {0}"},
	[TEXT_SUM_CLOSED] = {"{0} closed", "cerrados: {0}"},
	[TEXT_SUM_HIDDEN] = {"{0} hidden by suppressions (--suppressed)", "ocultos por supresiones: {0} (--suppressed)"},
	[TEXT_EVENT_NEW] = {"NEW", "NUEVO"},
	[TEXT_EVENT_REOPENED] = {"REOPENED", "REABIERTO"},
	[TEXT_EVENT_OVERDUE] = {"OVERDUE", "VENCIDO"},
	[TEXT_EVENT_SEVERE] = {"SEVERE", "GRAVE"},
	[TEXT_EVENT_REVIEW] = {"review", "revisión"},
	[TEXT_EVENT_DETECTED] = {"more reasons", "más razones"},
	[TEXT_EVENT_SEVERITY] = {"severity", "severidad"},
	[TEXT_EVENT_GREW] = {"grew", "creció"},
	[TEXT_EVENT_QUIET] = {"quiet", "quieto"},
	[TEXT_EVENT_ACTIVE] = {"active", "activo"},
	[TEXT_EVENT_EMPTIED] = {"emptied", "vaciado"},
	[TEXT_EVENT_SUPPRESSED] = {"suppressed", "suprimido"},
	[TEXT_WATCHING] = {"Watching; ^C ends it.", "Observando; ^C lo termina."},
	[TEXT_WATCH_GONE] = {"the database is gone; waiting for another", "la base de datos desapareció; se espera otra"},
	[TEXT_WATCH_ANEW] = {"the database was begun anew; going on with it", "la base de datos se empezó de nuevo; se sigue con ella"},

	[TEXT_USAGE_EQUIPMENT] = {"usage: garita equipment [-c FILE] [--db FILE|DIR] [--format table|json|csv] [--lang en|es]",
	                          "uso: garita equipment [-c ARCHIVO] [--db ARCHIVO|DIR] [--format table|json|csv] [--lang en|es]"},
	[TEXT_COL_VENDOR] = {"Vendor", "Fabricante"},
	[TEXT_COL_MAC] = {"MAC", "MAC"},
	[TEXT_COL_ADDRESSES] = {"Addresses", "Direcciones"},
	[TEXT_COL_NETWORK] = {"Network", "Red"},
	[TEXT_COL_FIRST] = {"First seen", "Vista primero"},
	[TEXT_COL_LAST] = {"Last seen", "Vista al último"},
	[TEXT_COL_APPROVED_OUT] = {"Approved", "Aprobado"},
	[TEXT_COL_UNAPPROVED_OUT] = {"Unapproved", "No aprobado"},
	[TEXT_NO_MACHINES] = {"No machine was seen, and none is configured.", "No se vio ninguna máquina ni hay configuradas."},
	[TEXT_NEVER] = {"never", "nunca"},

	[TEXT_USAGE_STATUS] = {"usage: garita status [-c FILE] [--db FILE|DIR] [--format table|json] [--lang en|es]\n"
	                       "Exit code 1: the sensor does not run, or sees nothing.",
	                       "uso: garita status [-c ARCHIVO] [--db ARCHIVO|DIR] [--format table|json] [--lang en|es]\n"
	                       "Código de salida 1: el sensor no está en marcha, o no ve nada."},
	[TEXT_SENSOR] = {"Sensor", "Sensor"},
	[TEXT_RUNNING] = {"running, pid", "en marcha, pid"},
	[TEXT_NOT_RUNNING] = {"NOT RUNNING", "PARADO"},
	[TEXT_SINCE] = {"since", "desde"},
	[TEXT_SOURCE] = {"Source", "Fuente"},
	[TEXT_LAST_PACKET] = {"Last packet", "Último paquete"},
	[TEXT_NO_PACKET_YET] = {"none since the start", "ninguno desde el arranque"},
	[TEXT_AGO] = {"ago", "atrás"},
	[TEXT_TODAY] = {"Today (UTC)", "Hoy (UTC)"},
	[TEXT_FRAMES] = {"frames", "tramas"},
	[TEXT_DROPS] = {"dropped by kernel or interface", "perdidas por núcleo o interfaz"},
	[TEXT_COVERAGE] = {"Coverage", "Cobertura"},
	[TEXT_WORKERS] = {"Workers", "Procesos"},
	[TEXT_POLICY] = {"Policy", "Política"},
	[TEXT_LOADED] = {"loaded", "cargada"},
	[TEXT_RELOAD_REFUSED] = {"A reload was refused", "Se rechazó una recarga"},
	[TEXT_NONE] = {"none", "ninguno"},
	[TEXT_GEO] = {"Geolocation", "Geolocalización"},
	[TEXT_DATABASE] = {"Database", "Base de datos"},
	[TEXT_GAPS_24H] = {"Gaps, 24 h", "Huecos, 24 h"},
	[TEXT_STILL] = {"still", "sigue"},
	[TEXT_TRANSFERS_24H] = {"Transfers, 24 h", "Transferencias, 24 h"},
	[TEXT_WARN_NOT_RUNNING] = {"The sensor does not run: nothing is seen.", "El sensor está parado: no se ve nada."},
	[TEXT_WARN_SILENT] = {"No packets arrive: is the mirror still on? Where nothing arrives, no loss can be counted.",
	                      "No llegan paquetes: ¿sigue activo el espejo? Donde nada llega no se puede contar pérdida."},
	[TEXT_WARN_NEVER] = {"Not one packet since the start: check the mirror, the cable and the interface.",
	                     "Ni un paquete desde el arranque: revise el espejo, el cable y la interfaz."},
	[TEXT_WARN_ONE_WAY_OUT] = {"Only what leaves is seen, no answers: the mirror delivers one direction.",
	                           "Solo se ve lo que sale, sin respuestas: el espejo entrega una sola dirección."},
	[TEXT_WARN_ONE_WAY_IN] = {"Only what comes in is seen, nothing that leaves: the mirror delivers one direction.",
	                          "Solo se ve lo que entra, nada de lo que sale: el espejo entrega una sola dirección."},
	[TEXT_WARN_DOUBLED] = {"The mirror delivers frames twice (counted once).",
	                       "El espejo entrega las tramas dos veces (se cuentan una)."},
	[TEXT_WARN_DROPS] = {"Frames were lost today.", "Hoy se perdieron tramas."},
	[TEXT_WARN_LATE] = {"Nothing is written: the database is locked or the disk is full.",
	                    "No se escribe nada: la base está bloqueada o el disco lleno."},
	[TEXT_WARN_WORKER] = {"A worker is not ready.", "Un proceso de captura no está listo."},
	[TEXT_WARN_REFUSED_ROWS] = {"Rows were refused by the database.", "La base de datos rechazó filas."},
	[TEXT_WARN_NO_MEMORY] = {"Memory ran out: transfers or facts of them are missing in the record.",
	                         "Faltó memoria: en el registro faltan transferencias o datos de ellas."},
	[TEXT_WARN_MACHINES] = {"More unknown machines than are told apart: a loop, or somebody makes them up.",
	                        "Más máquinas desconocidas de las que se distinguen: un bucle, o alguien las inventa."},
	[TEXT_WARN_GEO] = {"A geolocation database is missing or damaged: its countries are unknown.",
	                   "Falta o está dañada una base de geolocalización: sus países se desconocen."},
	[TEXT_WARN_TABLE_FULL] = {"The flow table was full: packets found no place in it.",
	                          "La tabla de flujos se llenó: hubo paquetes sin lugar en ella."},
	[TEXT_WARN_RELOAD] = {"The last reload of the configuration was refused; the earlier one is in force.",
	                      "La última recarga de la configuración se rechazó; rige la anterior."},
	[TEXT_WARN_AVOIDED] = {"A worker died over a packet; for some minutes its like is counted, but not inspected.",
	                       "Un proceso de captura murió por un paquete; por unos minutos sus semejantes se cuentan sin inspección."},
	[TEXT_AVOIDED] = {"Not inspected", "Sin inspección"},
	[TEXT_PORT] = {"port", "puerto"},
	[TEXT_OR] = {"or", "o"},
	[TEXT_FOR] = {"for", "por"},
	[TEXT_NO_PACKETS_FOR] = {"no packets for", "sin paquetes desde hace"},
	[TEXT_OF_TIME] = {"of the time", "del tiempo"},
	[TEXT_OF_FRAMES] = {"of the frames that arrived", "de las tramas que llegaron"},
	[TEXT_WARNING] = {"Warning", "Aviso"},
	[TEXT_NO_CSV] = {"not one of table, json", "no es ninguno de table, json"},
	[TEXT_LOST] = {"frames lost", "tramas perdidas"},
	[TEXT_MORE] = {"more", "más"},
	[TEXT_TURNED_AWAY] = {"Turned away", "Sin lugar"},
	[TEXT_LIMIT_PACKETS] = {"packets without a flow", "paquetes sin flujo"},
	[TEXT_LIMIT_FRAGMENTS] = {"first fragments forgotten", "primeros fragmentos olvidados"},
	[TEXT_LIMIT_INSPECTIONS] = {"inspections given up for others", "inspecciones dejadas por otras"},
	[TEXT_LIMIT_INSPECTIONS_MEMORY] = {"inspections cut short for memory", "inspecciones cortadas por memoria"},
	[TEXT_LIMIT_MACHINES] = {"unknown machines not told apart", "máquinas desconocidas sin distinguir"},
	[TEXT_LIMIT_NAMES] = {"names forgotten for others", "nombres olvidados por otros"},
	[TEXT_LIMIT_FINDINGS] = {"findings begun anew", "hallazgos comenzados de nuevo"},
	[TEXT_LIMIT_DETECTORS] = {"machines and pairs forgotten by detectors", "máquinas y pares olvidados por los detectores"},
	[TEXT_LIMIT_SCANS] = {"scans of contents broken off or left out", "análisis de contenido cortados u omitidos"},
	[TEXT_LIMIT_DETECTIONS] = {"detections without room in their findings", "detecciones sin lugar en sus hallazgos"},
	[TEXT_LIMIT_FACTS] = {"facts without memory", "datos sin memoria"},
	[TEXT_LIMIT_ROWS] = {"rows refused by the database", "filas rechazadas por la base"},
	[TEXT_FREE] = {"free", "libres"},
	[TEXT_OF] = {"of", "de"},
	[TEXT_ROWS_SINCE] = {"transfers since", "transferencias desde"},
	[TEXT_FOLDED] = {"As sums", "Como sumas"},
	[TEXT_HOURS] = {"hours", "horas"},
	[TEXT_MONTHS] = {"months", "meses"},
	[TEXT_RETENTION] = {"Retention", "Conservación"},
	[TEXT_FOREVER] = {"forever", "siempre"},
	[TEXT_EVENTS_30D] = {"Record, 30 d", "Registro, 30 d"},
	[TEXT_WARN_UNAPPROVED_FOLDED] = {"Unapproved transfers became sums for want of room: raise retention.database.",
	                                 "Hubo transferencias no aprobadas que quedaron en sumas por falta de espacio: suba retention.database."},
	[TEXT_WARN_RECORD_DAMAGED] = {"The database was damaged or taken away, and begun anew: see the events.",
	                              "La base de datos se dañó o desapareció y se empezó otra: vea los sucesos."},
	[TEXT_EVIDENCE] = {"Packets", "Paquetes"},
	[TEXT_EVIDENCE_OFF] = {"none are kept", "no se guardan"},
	[TEXT_KEPT_OF] = {"packets kept of flows:", "paquetes guardados de flujos:"},
	[TEXT_MISSED] = {"not kept:", "sin guardar:"},
	[TEXT_WARN_EVIDENCE_CHANGED] = {"An evidence file is not what the record says: run garita verify.",
	                                "Un archivo de pruebas no es lo que dice el registro: ejecute garita verify."},
	[TEXT_WARN_EVIDENCE_FULL] = {"Packets of unapproved transfers are not kept: no room on the disk.",
	                             "No se guardan paquetes de transferencias no aprobadas: no hay espacio en el disco."},
	[TEXT_WARN_EVIDENCE_EXHAUSTED] = {"Evidence is past its bounds (evidence.total, reserve), and none of it may go.",
	                                  "La evidencia pasa de sus límites (evidence.total, reserve) y nada de ella puede borrarse."},
	[TEXT_WARN_TOO_LARGE] = {"The database is larger than retention.database, and nothing is left to sum up.",
	                         "La base de datos pasa de retention.database y ya no queda qué sumar."},
	[TEXT_WARN_NO_SHRINK] = {"The database cannot shrink: see garitad(8), THE RECORD.",
	                         "La base de datos no puede encoger: véase garitad(8), THE RECORD."},
	[TEXT_LEDGER] = {"Ledger", "Libro"},
	[TEXT_LEDGER_ENTRIES] = {"entries", "entradas"},
	[TEXT_LEDGER_SIGNED] = {"of them signed", "de ellas firmadas"},
	[TEXT_LEDGER_SENT] = {"checkpoints sent", "puntos de control enviados"},
	[TEXT_LEDGER_FAILED] = {"tries failed", "intentos fallidos"},
	[TEXT_WARN_CONTRADICTED] = {"The ledger contradicts what was signed, and nothing more is signed: garita-ledger(5), CONTRADICTIONS.",
	                            "El libro contradice lo que se firmó y no se firma nada más: garita-ledger(5), CONTRADICTIONS."},
	[TEXT_WARN_NO_KEY] = {"The ledger is not signed: its key can't be used.",
	                      "El libro no se firma: no se puede usar su clave."},
	[TEXT_WARN_NOT_SENT] = {"The last checkpoint did not go off the machine: ledger.emit.",
	                        "El último punto de control no salió de la máquina: ledger.emit."},
	[TEXT_REVIEW] = {"Review", "Revisión"},
	[TEXT_REVIEW_COUNTS] = {"{0} open ({1} opened again), {2} in review, {3} closed, {4} suppressed, {5} on legal hold",
	                        "{0} abiertos ({1} reabiertos), {2} en revisión, {3} cerrados, {4} suprimidos, {5} en retención legal"},
	[TEXT_OVERDUE] = {"overdue", "vencidos"},
	[TEXT_WITH_DEADLINE] = {"with a deadline, the next", "con plazo, el próximo"},
	[TEXT_WARN_OVERDUE] = {"Severe findings are past the deadline of their review: garita findings --review overdue.",
	                       "Hay hallazgos severos con el plazo de revisión vencido: garita findings --review overdue."},
	[TEXT_NEVER_RAN] = {"no live run is recorded here", "no hay ninguna ejecución en vivo registrada"},
	[TEXT_STOPPED_AT] = {"stopped", "parado"},
};

const char *text(const char *lang, enum text t)
{
	const struct pair *p = &table[t];
	return lang != NULL && strcmp(lang, "es") == 0 ? p->es : p->en;
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
