/* Every recogniser over arbitrary bytes; their verdicts do not contradict. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sense/recognise.h"
#include "sense/recognise_channel.h"
#include "sense/recognise_object.h"

#undef NDEBUG
#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void text_sane(const char *s, size_t size)
{
	const size_t n = strnlen(s, size);
	assert(n < size);
	for (size_t i = 0; i < n; i++)
		assert(s[i] >= ' ' && s[i] <= '~');
}

static void dicom(const uint8_t *p, size_t n)
{
	struct recognise_dicom d;
	const enum recognise now = recognise_dicom_association(p, n, false, &d);
	const enum recognise last = recognise_dicom_association(p, n, true, &d);
	assert(last != RECOGNISE_MORE && (now != RECOGNISE_YES || last == RECOGNISE_YES));
	assert(now != RECOGNISE_NO || last == RECOGNISE_NO);
	if (last != RECOGNISE_YES)
		return;
	assert(d.calling[0] != '\0' && d.called[0] != '\0');
	text_sane(d.calling, sizeof d.calling);
	text_sane(d.called, sizeof d.called);
	text_sane(d.classes, sizeof d.classes);
	/* what is one thing is not another, nor were fewer bytes of it nothing */
	assert(!recognise_tls(p, n) && !recognise_dtls(p, n) && !recognise_dicom_data(p, n));
	for (size_t i = 0; i < n; i += 1 + n / 64)
		assert(recognise_dicom_association(p, i, false, &d) != RECOGNISE_NO);
}

static void objects(const uint8_t *p, size_t n)
{
	struct object_find find[OBJECT_FINDS];
	const size_t count = recognise_object(p, n, find);
	assert(count <= OBJECT_FINDS);
	for (size_t i = 0; i < count; i++) {
		assert(find[i].word > OBJECT_NONE && find[i].word < OBJECT_RULE);
		text_sane(find[i].detail, sizeof find[i].detail);
		assert(!find[i].value || recognise_container_number(find[i].detail));
		for (size_t k = 0; k < i; k++)
			assert(find[k].word != find[i].word);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *p = malloc(size > 0 ? size : 1);
	const uint8_t *name;
	memcpy(p, data, size);
	dicom(p, size);
	struct recognise_store store;
	(void)recognise_dicom_data(p, size);
	if (recognise_dicom_store(p, size, &store) == RECOGNISE_YES)
		text_sane(store.sop_class, sizeof store.sop_class);
	const size_t n = recognise_sni(p, size, &name);
	assert(n == 0 || (name > p && name + n <= p + size && recognise_tls(p, size)));
	assert(!recognise_tls_hello(p, size) || recognise_tls(p, size));
	assert(!recognise_tls(p, size) || !recognise_dtls(p, size));
	objects(p, size);
	const enum recognise ovpn = recognise_openvpn_tcp(p, size);
	assert(ovpn != RECOGNISE_YES || (size > 2 && recognise_openvpn_udp(p + 2, (size_t)(p[0] << 8 | p[1]))));
	(void)recognise_openvpn_udp(p, size);
	/* Both may be: eight bytes of anything begin a packet of ZeroTier. */
	(void)recognise_tailscale(p, size);
	(void)recognise_zerotier(p, size);
	struct recognise_head head;
	char target[RECOGNISE_TARGET_MAX];
	(void)recognise_socks(p, size, target);
	text_sane(target, sizeof target);
	(void)recognise_frp(p, size);
	if (recognise_http_head(p, size, false, &head) == RECOGNISE_YES) {
		text_sane(head.detail, sizeof head.detail);
		assert(recognise_http_head(p, size, true, &head) == RECOGNISE_YES);
	}
	assert(recognise_http_head(p, size, true, &head) != RECOGNISE_MORE);
	free(p);
	return 0;
}
