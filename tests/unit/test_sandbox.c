/* Tries to break out of each kind of process. Every attempt runs in a child
 * of its own that has entered the real sandbox; nothing is switched off. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <netinet/in.h>
#include <unistd.h>

#include <cmocka.h>

#include "sandbox.h"

static int pipe_fd[2], file_fd, udp_fd;

#define REFUSED (-1000)   /* the call said EPERM */
#define WORKED 0

static int refused(long rc)
{
	if (rc >= 0)
		return WORKED;
	return errno == EPERM ? REFUSED : errno;
}

static int try_open(void)
{
	return refused(open("/etc/passwd", O_RDONLY));
}

static int try_create(void)
{
	char name[64];
	snprintf(name, sizeof name, "/tmp/garita-test-sandbox-%d", (int)getpid());
	const int fd = open(name, O_CREAT | O_RDWR, 0600);
	const int rc = refused(fd);
	if (fd >= 0)
		unlink(name);
	return rc;
}

static int try_socket_inet(void)
{
	return refused(socket(AF_INET, SOCK_STREAM, 0));
}

static int try_socket_packet(void)
{
	return refused(socket(AF_PACKET, SOCK_RAW, 0));
}

static int try_socket_unix(void)
{
	return refused(socket(AF_UNIX, SOCK_DGRAM, 0));
}

static struct sockaddr_in discard_port(void)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(9)};
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return to;
}

static int try_send(void)
{
	const struct sockaddr_in to = discard_port();
	return refused(sendto(udp_fd, "x", 1, 0, (const struct sockaddr *)&to, sizeof to));
}

static int try_connect(void)
{
	const struct sockaddr_in to = discard_port();
	return refused(connect(udp_fd, (const struct sockaddr *)&to, sizeof to));
}

static int try_write_other(void)
{
	return refused(write(pipe_fd[1], "x", 1));
}

static int try_write_stderr(void)
{
	return refused(write(STDERR_FILENO, "", 0));
}

static int try_fork(void)
{
	const pid_t pid = fork();
	if (pid == 0)
		_exit(0);
	return refused(pid);
}

static int try_exec(void)
{
	char name[] = "/bin/true";
	char *const argv[] = {name, NULL};
	return refused(execve(name, argv, NULL));
}

static int try_ptrace(void)
{
	return refused(ptrace(PTRACE_ATTACH, getppid(), NULL, NULL));
}

static int try_kill_parent(void)
{
	return refused(kill(getppid(), 0));
}

static int try_map_code(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return refused(p == MAP_FAILED ? -1 : 0);
}

static int try_protect_code(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		return 1;
	return refused(mprotect(p, 4096, PROT_READ | PROT_EXEC));
}

static int try_map_file(void)
{
	void *p = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, file_fd, 0);
	return refused(p == MAP_FAILED ? -1 : 0);
}

static int try_memory(void)
{
	uint8_t *volatile p = malloc(8 << 20);
	if (p == NULL)
		return REFUSED;
	p[(8 << 20) - 1] = 1;
	free(p);
	return WORKED;
}

static int try_mount(void)
{
	return refused(mount("none", "/mnt", "tmpfs", 0, NULL));
}

static int try_unshare(void)
{
	return refused(syscall(SYS_unshare, 0x10000000 /* CLONE_NEWUSER */));
}

static int try_unlink(void)
{
	return refused(unlink("/tmp/garita-test-there-is-no-such-file"));
}

static int try_type_for_the_terminal(void)
{
	return refused(ioctl(pipe_fd[0], 0x5412 /* TIOCSTI */, "x"));
}

static int try_io_uring(void)
{
	return refused(syscall(SYS_io_uring_setup, 8, NULL));
}

static int try_read(void)
{
	char c;
	return refused(read(file_fd, &c, 1));
}

enum outcome { OK, NO, DIES };

struct attempt {
	const char *name;
	int (*fn)(void);
	enum outcome want[5];   /* supervisor, worker, worker of a replay, reader, judge */
};

static const struct attempt attempts[] = {
	{"memory", try_memory, {OK, OK, OK, OK, OK}},
	{"write to stderr", try_write_stderr, {OK, OK, OK, OK, OK}},
	{"read a descriptor", try_read, {OK, NO, NO, OK, OK}},
	{"open a file", try_open, {OK, NO, NO, NO, OK}},
	{"create a file", try_create, {OK, NO, NO, NO, OK}},
	{"remove a file", try_unlink, {OK, NO, NO, NO, OK}},
	{"an internet socket", try_socket_inet, {NO, NO, NO, NO, NO}},
	{"a packet socket", try_socket_packet, {OK, NO, NO, NO, NO}},
	{"a local socket", try_socket_unix, {NO, NO, NO, NO, NO}},
	{"send a datagram", try_send, {NO, DIES, DIES, DIES, DIES}},
	{"connect", try_connect, {NO, DIES, DIES, DIES, DIES}},
	{"write to a descriptor that is not its own", try_write_other, {OK, NO, NO, NO, OK}},
	{"fork", try_fork, {OK, DIES, DIES, DIES, DIES}},
	{"run a program", try_exec, {DIES, DIES, DIES, DIES, DIES}},
	{"trace the parent", try_ptrace, {DIES, DIES, DIES, DIES, DIES}},
	{"signal the parent", try_kill_parent, {OK, NO, NO, NO, NO}},
	{"map memory to execute", try_map_code, {NO, NO, NO, NO, NO}},
	{"make memory executable", try_protect_code, {NO, NO, NO, NO, NO}},
	{"map a file", try_map_file, {OK, NO, NO, NO, OK}},
	{"mount", try_mount, {DIES, DIES, DIES, DIES, DIES}},
	{"a user namespace", try_unshare, {DIES, DIES, DIES, DIES, DIES}},
	{"type for the terminal", try_type_for_the_terminal, {OK, NO, NO, NO, NO}},
	{"io_uring", try_io_uring, {DIES, DIES, DIES, DIES, DIES}},
};

/* What became of the attempt in a process of that kind. */
static enum outcome outcome(const struct attempt *a, enum sandbox_kind kind)
{
	fflush(NULL);
	const pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		char err[200];
		if (sandbox_enter(kind, -1, err, sizeof err) != 0)
			_exit(99);
		/* Another error than EPERM means that the filter let it through. */
		_exit(a->fn() == REFUSED ? 1 : 0);
	}
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFSIGNALED(status)) {
		assert_int_equal(WTERMSIG(status), SIGSYS);
		return DIES;
	}
	assert_int_not_equal(WEXITSTATUS(status), 99);
	return WEXITSTATUS(status) == 1 ? NO : OK;
}

static void test_attempts(void **state)
{
	(void)state;
	static const char *const words[] = {"is allowed", "is refused", "ends it"};
	static const char *const who[] = {"supervisor", "worker", "worker of a replay", "reader", "judge"};
	int wrong = 0;
	for (size_t i = 0; i < sizeof attempts / sizeof attempts[0]; i++) {
		const struct attempt *a = &attempts[i];
		for (int kind = SANDBOX_SUPERVISOR; kind <= SANDBOX_JUDGE; kind++) {
			/* Without CAP_NET_RAW the kernel says EPERM by itself. */
			if (a->fn == try_socket_packet && kind == SANDBOX_SUPERVISOR && geteuid() != 0)
				continue;
			const enum outcome got = outcome(a, (enum sandbox_kind)kind);
			if (got == a->want[kind])
				continue;
			print_error("%s: %s %s, expected: %s\n", who[kind], a->name, words[got], words[a->want[kind]]);
			wrong++;
		}
	}
	assert_int_equal(wrong, 0);
}

/* A hexadecimal or decimal value of /proc/self/status. */
static unsigned long long status_value(const char *name)
{
	FILE *f = fopen("/proc/self/status", "r");
	char line[256];
	unsigned long long value = ~0ull;
	while (f != NULL && fgets(line, sizeof line, f) != NULL) {
		if (strncmp(line, name, strlen(name)) == 0)
			value = strtoull(line + strlen(name), NULL, 16);
	}
	if (f != NULL)
		fclose(f);
	return value;
}

static int rights_after_drop(int keep)
{
	char err[200];
	struct sandbox_user nobody;
	if (sandbox_find_user("nobody", &nobody) != 0 || sandbox_drop_user(&nobody, keep, err, sizeof err) != 0)
		return 2;
	const unsigned long long net_raw = 1ull << 13, want = keep ? net_raw : 0;
	if (status_value("CapEff:") != want || status_value("CapPrm:") != want || status_value("CapInh:") != 0 ||
	    status_value("CapBnd:") != 0 || status_value("CapAmb:") != 0 || status_value("NoNewPrivs:") != 1)
		return 3;
	if (geteuid() != nobody.uid || getgroups(0, NULL) != 0)
		return 4;
	return setuid(0) == 0 || setresuid(0, 0, 0) == 0 ? 5 : 0;
}

static void test_drop_user(void **state)
{
	(void)state;
	if (geteuid() != 0) {
		print_message("SKIPPED: dropping root needs root\n");
		skip();
	}
	for (int keep = 0; keep <= 1; keep++) {
		fflush(NULL);
		const pid_t pid = fork();
		if (pid == 0)
			_exit(rights_after_drop(keep));
		int status;
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), 0);
	}
}

int main(void)
{
	file_fd = open("/etc/passwd", O_RDONLY);
	udp_fd = socket(AF_INET, SOCK_DGRAM, 0);
	if (file_fd < 0 || udp_fd < 0 || pipe(pipe_fd) != 0)
		return 1;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_attempts),
		cmocka_unit_test(test_drop_user),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
