/* pcap_loop.c - the bare loop that `make bench` compares with: what libpcap
 * alone needs to read a capture. Prints one JSON object.
 *   pcap_loop FILE [ROUNDS] */
#include <pcap/pcap.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double seconds(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Returns 0 at the end of the file, 1 on an error. */
static int read_file(const char *path, uint64_t *frames, uint64_t *bytes)
{
	char err[PCAP_ERRBUF_SIZE];
	pcap_t *p = pcap_open_offline(path, err);
	if (p == NULL) {
		fprintf(stderr, "pcap_loop: %s\n", err);
		return 1;
	}
	struct pcap_pkthdr *header;
	const u_char *data;
	int rc;
	while ((rc = pcap_next_ex(p, &header, &data)) == 1) {
		++*frames;
		*bytes += header->len;
	}
	if (rc != PCAP_ERROR_BREAK)
		fprintf(stderr, "pcap_loop: %s: %s\n", path, pcap_geterr(p));
	pcap_close(p);
	return rc != PCAP_ERROR_BREAK;
}

int main(int argc, char **argv)
{
	if (argc < 2 || argc > 3) {
		fprintf(stderr, "usage: pcap_loop FILE [ROUNDS]\n");
		return 2;
	}
	const int rounds = argc == 3 ? atoi(argv[2]) : 1;
	uint64_t frames = 0, bytes = 0;
	int failed = 0;
	const double start = seconds();
	for (int i = 0; i < rounds; i++)
		failed |= read_file(argv[1], &frames, &bytes);
	const double took = seconds() - start;
	printf("{\"frames\":%llu,\"bytes\":%llu,\"seconds\":%.6f,\"frames_per_second\":%.0f}\n",
	       (unsigned long long)frames, (unsigned long long)bytes, took, took > 0 ? (double)frames / took : 0);
	return failed;
}
