/* The names that a flow says: TLS, QUIC, HTTP; hidden, long, in front of another. */
#include "dpi_made.h"

static void tls(const char *name, size_t snaplen, struct dpi_result *r)
{
	uint8_t hello[1200];
	struct pkt k;
	const size_t n = client_hello(hello, name);
	struct dpi_flow *f = tcp_open(8443);
	packet(&k, TCP, true, 8443, hello, n);
	k.b[27] = 1;
	assert_int_equal(feed(f, &k, snaplen < k.n ? snaplen : k.n, true), DPI_PARTIAL);   /* known at once */
	finish(f, r);
}

static void tls_with_a_name(void **state)
{
	(void)state;
	struct dpi_result r;
	tls("Images.Example.GOB.mx", 65535, &r);
	assert_string_equal(r.app, "TLS");
	assert_string_equal(r.host, "images.example.gob.mx");
	assert_int_equal(r.host_source, HOST_SNI);
	assert_true(r.known && r.encrypted);
	assert_true(strlen(r.ja3) == 32 || strlen(r.ja4) == 36);
	assert_int_equal(r.risk >> 42, 0);
	tls("bad\nname.example", 65535, &r);
	assert_string_equal(r.host, "");
	assert_int_equal(r.host_source, HOST_NONE);
	/* a snaplen that cuts the hello, once behind the name, once before it */
	tls("images.example", 160, &r);
	assert_string_equal(r.app, "TLS");
	assert_string_equal(r.host, "images.example");
	assert_true(r.encrypted);
	tls("images.example", 90, &r);
	assert_string_equal(r.app, "TLS");
	assert_string_equal(r.host, "");
}

static void quic_with_a_name(void **state)
{
	(void)state;
	struct dpi_result r;
	struct pkt k;
	struct dpi_flow *f = dpi_flow_new(dpi);
	packet(&k, UDP, true, 443, quic_initial, sizeof quic_initial);
	feed(f, &k, k.n, true);
	finish(f, &r);
	assert_string_equal(r.app, "QUIC");
	assert_string_equal(r.host, "images.example.gob.mx");
	assert_int_equal(r.host_source, HOST_QUIC);
	assert_true(r.encrypted);
	assert_true(r.ja4[0] == '\0' || strlen(r.ja4) == 36);
}

/* nDPI keeps 79 bytes: a longer name must not be told by another's ending. */
/* An encrypted ClientHello in the extension behind the name. */
static void hidden_names(void **state)
{
	(void)state;
	uint8_t hello[1200];
	const uint8_t *name;
	const size_t n = client_hello(hello, "public.example");
	assert_false(recognise_hidden_name(hello, n));
	for (unsigned i = 0; i < 2; i++) {
		put16(hello + n - 8, i == 0 ? 65037 : 65486);   /* in place of the versions */
		assert_true(recognise_hidden_name(hello, n));
		assert_int_equal(recognise_sni(hello, n, &name), 14);
		for (size_t cut = 0; cut < n; cut++)
			assert_int_equal(recognise_hidden_name(hello, cut), cut >= n - 4);
		struct dpi_result r;
		struct pkt k;
		struct dpi_flow *f = tcp_open(8443);
		packet(&k, TCP, true, 8443, hello, n);
		k.b[27] = 1;
		(void)feed(f, &k, k.n, true);
		finish(f, &r);
		assert_true(r.risk & UINT64_C(1) << RISK_ESNI);
	}
}

static void long_names_are_whole(void **state)
{
	(void)state;
	char name[240], http[400];
	struct dpi_result r;
	for (size_t n = 70; n < 200; n++) {
		memset(name, 'x', n);
		for (size_t i = 4; i < n; i += 5)
			name[i] = '.';
		name[n - 1] = 'z';
		name[n] = '\0';
		tls(name, 65535, &r);
		assert_string_equal(r.host, name);
		struct dpi_flow *f = tcp_open(80);
		uint32_t seq = 1;
		const int len = snprintf(http, sizeof http, "GET / HTTP/1.1\r\nUser-Agent: x\r\nHost: %s:8080\r\n\r\n", name);
		tcp_say(f, true, 80, http, (size_t)len, &seq);
		finish(f, &r);
		assert_string_equal(r.app, "HTTP");
		assert_string_equal(r.host, name);
	}
}

static uint64_t risk_of_http(const char *request)
{
	struct dpi_result r;
	struct dpi_flow *f = tcp_open(3128);
	uint32_t seq = 1;
	tcp_say(f, true, 3128, request, strlen(request), &seq);
	finish(f, &r);
	return r.risk & UINT64_C(1) << RISK_FRONTING;
}

/* One name outside, another inside. */
static void fronting(void **state)
{
	(void)state;
	const char rest[] = "User-Agent: curl/7.88.1\r\nAccept: */*\r\n\r\n";
	const struct {
		const char *line, *host;
		bool fronted;
	} t[] = {
	    {"GET / HTTP/1.1", "a.example", false},
	    {"GET http://a.example/x HTTP/1.1", "A.example", false},
	    {"GET http://a.example:80/x HTTP/1.1", "a.example", false},
	    {"GET http://b.example/x HTTP/1.1", "a.example", true},
	    {"GET /?u=http://b.example/ HTTP/1.1", "a.example", false},
	    {"CONNECT a.example:443 HTTP/1.1", "a.example:443", false},
	    {"CONNECT b.example:443 HTTP/1.1", "a.example:443", true},
	};
	for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
		char http[300];
		snprintf(http, sizeof http, "%s\r\nHost: %s\r\n%s", t[i].line, t[i].host, rest);
		assert_int_equal(risk_of_http(http) != 0, t[i].fronted);
	}
}

static size_t hello_for(const char *name, uint8_t *p)
{
	const size_t len = strlen(name);
	size_t n = 43;
	memset(p, 0, n);
	memcpy(p, "\x16\3\1\0\0\1\0\0\0\3\3", 11);
	memcpy(p + 43, "\0\0\2\x13\1\1\0", 7);   /* no session, a suite, no compression */
	n += 7;
	const uint8_t sni[] = {0, (uint8_t)(len + 9), 0, 0, 0, (uint8_t)(len + 5), 0, (uint8_t)(len + 3), 0, 0, (uint8_t)len};
	memcpy(p + n, sni, sizeof sni);
	memcpy(p + n + sizeof sni, name, len);
	n += sizeof sni + len;
	p[4] = (uint8_t)(n - 5);
	p[8] = (uint8_t)(n - 9);
	return n;
}

/* What is said within the tunnel of CONNECT names whom CONNECT named, or another. */
static void fronting_behind_connect(void **state)
{
	(void)state;
	const struct {
		const char *target, *within;
		bool tls, fronted;
	} t[] = {
	    {"a.example:443", "a.example", true, false},     {"a.example:443", "b.example", true, true},
	    {"a.example:80", "a.example", false, false},     {"a.example:80", "b.example", false, true},
	    {"198.51.100.7:443", "b.example", true, false},  {"[2001:db8::7]:443", "b.example", true, false},
	};
	for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
		char text[300];
		uint8_t hello[300];
		struct dpi_result r;
		struct dpi_flow *f = tcp_open(3128);
		uint32_t out = 1, in = 1;
		snprintf(text, sizeof text, "CONNECT %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: curl/7.88.1\r\n\r\n", t[i].target,
		         t[i].target);
		tcp_say(f, true, 3128, text, strlen(text), &out);
		snprintf(text, sizeof text, "HTTP/1.1 200 Connection established\r\n\r\n");
		tcp_say(f, false, 3128, text, strlen(text), &in);
		if (t[i].tls) {
			const size_t n = hello_for(t[i].within, hello);
			tcp_say(f, true, 3128, hello, n, &out);
		} else {
			snprintf(text, sizeof text, "GET / HTTP/1.1\r\nHost: %s\r\nAccept: */*\r\n\r\n", t[i].within);
			tcp_say(f, true, 3128, text, strlen(text), &out);
		}
		finish(f, &r);
		assert_int_equal((r.risk & UINT64_C(1) << RISK_FRONTING) != 0, t[i].fronted);
	}
}

static void http_host(void **state)
{
	(void)state;
	static const char *const t[][2] = {
	    {"Files.Example", "files.example"},       {"files.example:8080", "files.example"},
	    {"192.0.2.9:80", "192.0.2.9"},            {"[2001:db8::1]:80", "2001:db8::1"},
	    {"files.example.", "files.example"},
	};
	for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
		char http[300];
		struct dpi_result r;
		struct dpi_flow *f = tcp_open(8080);
		uint32_t seq = 1;
		const int n = snprintf(http, sizeof http,
		                       "PUT /scan/1.img HTTP/1.1\r\nHost: %s\r\nUser-Agent: curl/7.88.1\r\nAccept: */*\r\n\r\n",
		                       t[i][0]);
		tcp_say(f, true, 8080, http, (size_t)n, &seq);
		finish(f, &r);
		assert_string_equal(r.app, "HTTP");
		assert_string_equal(r.host, t[i][1]);
		assert_int_equal(r.host_source, HOST_HTTP);
		assert_false(r.encrypted);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tls_with_a_name),
		cmocka_unit_test(quic_with_a_name),
		cmocka_unit_test(hidden_names),
		cmocka_unit_test(long_names_are_whole),
		cmocka_unit_test(fronting),
		cmocka_unit_test(fronting_behind_connect),
		cmocka_unit_test(http_host),
	};
	char err[200];
	if (dpi_new(1000, &dpi, err, sizeof err) != 0) {
		fprintf(stderr, "%s\n", err);
		return 1;
	}
	const int rc = cmocka_run_group_tests(tests, NULL, NULL);
	dpi_free(dpi);
	return rc;
}
