/* The reader of evidence files: a file that was cut or changed. Input: one byte
 * that says in what pieces it comes, then the file. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../must.h"
#include "../pieces.h"
#include "record/pcapng.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t add(uint64_t sum, const void *data, size_t n)
{
	const uint8_t *p = data;
	for (size_t i = 0; i < n; i++)
		sum = sum * 31 + p[i];
	return sum;
}

/* What a note says is said again the same way. */
static void look_at_note(const char *text, size_t n)
{
	struct pcapng_note note, again;
	char written[PCAPNG_TEXT_MAX * 2];
	const int64_t quick = pcapng_note_transfer(text, n);
	const int rc = pcapng_note_read(text, n, &note);
	must(rc == 0 || rc == ERR_NOTFOUND);
	if (rc != 0)
		return;
	must(quick == 0 || quick > 0);
	must(pcapng_note_write(&note, written, sizeof written) == 0);
	must(pcapng_note_read(written, strlen(written), &again) == 0);
	must(again.transfer == note.transfer && again.finding == note.finding);
	must(strcmp(again.equipment, note.equipment) == 0 && strcmp(again.reasons, note.reasons) == 0);
	must(pcapng_note_transfer(written, strlen(written)) == note.transfer);
}

static uint64_t look(const struct pcapng_reader *r, uint64_t sum, const struct pcapng_block *b)
{
	must(b->bytes >= 12 && b->offset + b->bytes == pcapng_reader_whole(r));
	sum = sum * 31 + (uint64_t)b->kind + b->offset;
	if (b->kind == PCAPNG_PACKET) {
		const struct pcapng_packet *p = &b->packet;
		must(p->caplen <= p->wirelen && p->caplen <= PCAPNG_DATA_MAX && p->time_us >= 0);
		must(pcapng_reader_interface(r, p->interface) != NULL);
		sum = add(sum, p->data, p->caplen) + (uint64_t)p->time_us + p->dropped;
		if (p->comment != NULL) {
			sum = add(sum, p->comment, p->comment_bytes);
			look_at_note(p->comment, p->comment_bytes);
		}
	} else if (b->kind == PCAPNG_INTERFACE) {
		const struct pcapng_interface *i = pcapng_reader_interface(r, b->interface);
		must(i != NULL);
		sum = i->name != NULL ? add(sum, i->name, strlen(i->name)) : sum;
		sum = i->filter != NULL ? add(sum, i->filter, strlen(i->filter)) : sum;
	} else if (b->kind == PCAPNG_STATISTICS) {
		must(pcapng_reader_interface(r, b->statistics.interface) != NULL);
		sum += b->statistics.received + b->statistics.delivered;
		if (b->statistics.comment != NULL)
			sum = add(sum, b->statistics.comment, b->statistics.comment_bytes);
	}
	return sum;
}

static uint64_t read_all(const uint8_t *data, size_t size, size_t piece, uint64_t *ret_whole)
{
	struct pieces m = {data, size, piece};
	const struct pcapng_source source = {pieces_give, &m};
	struct pcapng_reader *r = NULL;
	struct pcapng_block b;
	uint64_t sum = 1;
	int rc;
	must(pcapng_reader_new(&source, &r) == 0);
	while ((rc = pcapng_next(r, &b)) == 0)
		sum = look(r, sum, &b);
	must(rc == ERR_END || ((rc == ERR_DAMAGED || rc == ERR_UNSUPPORTED) && pcapng_reader_error(r)[0] != '\0'));
	*ret_whole = pcapng_reader_whole(r);
	must(*ret_whole <= size && (rc != ERR_END || *ret_whole == size));
	pcapng_reader_free(r);
	return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1)
		return 0;
	uint64_t whole, again;
	const uint64_t sum = read_all(data + 1, size - 1, SIZE_MAX, &whole);
	must(read_all(data + 1, size - 1, 1u + data[0], &again) == sum && again == whole);
	/* cut where it says, it is the same file */
	if (whole > 0)
		must(read_all(data + 1, whole, SIZE_MAX, &again) == sum && again == whole);
	return 0;
}
