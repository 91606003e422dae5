#include "sandbox_filter.h"

#include <errno.h>
#include <linux/sockios.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <seccomp.h>

/* A call that stands in no list gives EPERM: a C library that tries something
 * newer in good faith goes on without it. What has no innocent use in a kind
 * of process kills it. */

#define CALL(name) SCMP_SYS(name)
#define END (-9999)

/* Everyone: memory, time, signals to oneself, waiting, ending. mmap and
 * mprotect are added apart, without PROT_EXEC. */
static const int calls_common[] = {
	CALL(brk), CALL(munmap), CALL(mremap), CALL(madvise), CALL(mlock), CALL(munlock),
	CALL(clock_gettime), CALL(clock_getres), CALL(gettimeofday), CALL(time), CALL(nanosleep), CALL(clock_nanosleep),
	CALL(poll), CALL(ppoll), CALL(select), CALL(pselect6), CALL(restart_syscall), CALL(futex), CALL(sched_yield),
	CALL(rt_sigreturn), CALL(rt_sigprocmask), CALL(rt_sigaction), CALL(sigaltstack), CALL(rt_sigpending),
	CALL(getpid), CALL(getppid), CALL(gettid), CALL(getuid), CALL(geteuid), CALL(getgid), CALL(getegid),
	CALL(getrandom), CALL(fstat), CALL(close), CALL(exit), CALL(exit_group), CALL(sched_getaffinity), CALL(rseq),
	CALL(set_robust_list), CALL(get_robust_list), CALL(membarrier), CALL(getrusage), CALL(sysinfo), CALL(uname),
	END};

/* A worker on live capture: its ring lies in memory already; libpcap polls,
 * reads counters and pending socket errors. pread: counters in sysfs. */
static const int calls_worker[] = {CALL(pread64), CALL(recvfrom), CALL(getsockopt), CALL(lseek), END};

/* The reader of files that are open already. */
static const int calls_files[] = {CALL(read), CALL(readv), CALL(lseek), CALL(pread64), CALL(fadvise64), END};

/* The judge: files of its own, no more. */
static const int calls_judge[] = {
	CALL(read), CALL(readv), CALL(pread64), CALL(preadv), CALL(write), CALL(writev), CALL(pwrite64), CALL(pwritev),
	CALL(lseek), CALL(open), CALL(openat), CALL(creat), CALL(stat), CALL(lstat), CALL(newfstatat), CALL(statx),
	CALL(fstatfs), CALL(statfs), CALL(access), CALL(faccessat), CALL(faccessat2), CALL(fsync), CALL(fdatasync),
	CALL(ftruncate), CALL(fallocate), CALL(fcntl), CALL(flock), CALL(unlink), CALL(unlinkat), CALL(rename),
	CALL(renameat), CALL(renameat2), CALL(mkdir), CALL(mkdirat), CALL(getcwd), CALL(readlink), CALL(readlinkat),
	CALL(getdents64), CALL(fchmod), CALL(fchown), CALL(umask), CALL(utimensat), CALL(memfd_create),
	CALL(fadvise64), CALL(sync_file_range), CALL(dup), CALL(epoll_create1), CALL(epoll_ctl), CALL(epoll_wait),
	CALL(epoll_pwait), CALL(signalfd4), CALL(signalfd), CALL(prlimit64), CALL(getrlimit), CALL(msync),
	END};

/* The supervisor: what its children need before they enter their own filter,
 * and the care for them. It sends nothing: no send*, and connect only for the
 * socket of syslog, which the judge has from it. */
static const int calls_supervisor[] = {
	CALL(clone), CALL(fork), CALL(vfork), CALL(wait4), CALL(waitid), CALL(kill), CALL(prctl), CALL(arch_prctl),
	CALL(seccomp), CALL(capget), CALL(capset), CALL(setuid), CALL(setgid), CALL(setresuid), CALL(setresgid),
	CALL(setgroups), CALL(getgroups), CALL(setrlimit), CALL(bind), CALL(setsockopt), CALL(getsockopt),
	CALL(getsockname), CALL(recvfrom), CALL(recvmsg), CALL(ioctl), CALL(eventfd2), CALL(pipe2), CALL(dup2), CALL(dup3),
	CALL(set_tid_address), CALL(chdir), CALL(fchdir), CALL(mlock2), CALL(tgkill), CALL(rt_sigtimedwait),
	CALL(getpgrp), CALL(getpgid), CALL(setsid), CALL(sched_setaffinity), CALL(getpriority), CALL(setpriority),
	END};

/* No innocent use anywhere in garitad. */
static const int calls_fatal[] = {
	CALL(execve), CALL(execveat), CALL(ptrace), CALL(process_vm_readv), CALL(process_vm_writev), CALL(bpf),
	CALL(perf_event_open), CALL(keyctl), CALL(add_key), CALL(mount), CALL(umount2), CALL(pivot_root), CALL(chroot),
	CALL(init_module), CALL(finit_module), CALL(delete_module), CALL(kexec_load), CALL(unshare), CALL(setns),
	CALL(userfaultfd), CALL(io_uring_setup), CALL(io_uring_enter), CALL(io_uring_register), CALL(reboot),
	CALL(settimeofday), CALL(clock_settime), CALL(sendmmsg), CALL(listen), CALL(accept), CALL(accept4),
	END};

/* Fatal in workers and the judge beside those, and connect. */
static const int calls_fatal_child[] = {CALL(fork), CALL(vfork), CALL(clone), CALL(sendto),
                                        CALL(sendmsg), CALL(bind), CALL(socketpair), END};

static int add_all(scmp_filter_ctx ctx, uint32_t action, const int *calls)
{
	for (; *calls != END; calls++) {
		const int rc = seccomp_rule_add(ctx, action, *calls, 0);
		/* EDOM: this architecture has no such call. */
		if (rc != 0 && rc != -EDOM)
			return rc;
	}
	return 0;
}

/* Memory: never executable; a worker maps nothing but anonymous memory. */
static int add_memory(scmp_filter_ctx ctx, enum sandbox_kind kind)
{
	const int worker = kind == SANDBOX_WORKER || kind == SANDBOX_WORKER_FEED || kind == SANDBOX_READER;
	int rc;
	if (worker)
		rc = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 2,
		                      SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0),
		                      SCMP_A3(SCMP_CMP_MASKED_EQ, MAP_ANONYMOUS, MAP_ANONYMOUS));
	else
		rc = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1, SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	if (rc == 0)
		rc = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1, SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	return rc;
}

/* A worker writes to stderr and wakes the judge; write(2) on its capture
 * socket would send a frame. ioctl: libpcap asks whether the interface is
 * still there. tgkill: abort(3). */
static int add_worker(scmp_filter_ctx ctx, int eventfd)
{
	static const unsigned long asks[] = {SIOCGIFNAME, SIOCGIFINDEX, SIOCGIFFLAGS};
	int rc = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(write), 1, SCMP_A0(SCMP_CMP_EQ, STDERR_FILENO));
	if (rc == 0 && eventfd >= 0)
		rc = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(write), 1, SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)eventfd));
	for (size_t i = 0; rc == 0 && i < sizeof asks / sizeof asks[0]; i++)
		rc = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1, SCMP_A1(SCMP_CMP_EQ, asks[i]));
	return rc;
}

/* The families that opening a capture takes: the packet socket, and a datagram
 * socket for the ioctls of libpcap. AF_UNIX: none, the notify socket is open. */
static int add_supervisor(scmp_filter_ctx ctx)
{
	int rc = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1, SCMP_A0(SCMP_CMP_EQ, AF_PACKET));
	if (rc == 0)
		rc = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(socket), 2, SCMP_A0(SCMP_CMP_EQ, AF_INET),
		                      SCMP_A1(SCMP_CMP_MASKED_EQ, 0xf, SOCK_DGRAM));
	return rc != 0 ? rc : add_all(ctx, SCMP_ACT_ALLOW, calls_supervisor);
}

/* A syslog that was started anew is another socket under the same name. One
 * descriptor may be connected, which is of AF_UNIX; any other is no accident. */
static int add_connect(scmp_filter_ctx ctx, enum sandbox_kind kind, int fd)
{
	const bool may = fd >= 0 && (kind == SANDBOX_SUPERVISOR || kind == SANDBOX_JUDGE);
	int rc = 0;
	if (may)
		rc = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(connect), 1, SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)fd));
	if (rc != 0 || kind == SANDBOX_SUPERVISOR)
		return rc;
	return may ? seccomp_rule_add(ctx, SCMP_ACT_KILL_PROCESS, SCMP_SYS(connect), 1, SCMP_A0(SCMP_CMP_NE, (scmp_datum_t)fd))
	           : seccomp_rule_add(ctx, SCMP_ACT_KILL_PROCESS, SCMP_SYS(connect), 0);
}

static int add_kind(scmp_filter_ctx ctx, enum sandbox_kind kind, int fd)
{
	int rc = add_connect(ctx, kind, fd);
	if (rc != 0)
		return rc;
	switch (kind) {
	case SANDBOX_SUPERVISOR:
		rc = add_all(ctx, SCMP_ACT_ALLOW, calls_judge);
		return rc != 0 ? rc : add_supervisor(ctx);
	case SANDBOX_WORKER_FEED:
		break;
	case SANDBOX_READER:
		rc = add_all(ctx, SCMP_ACT_ALLOW, calls_files);
		break;
	case SANDBOX_WORKER:
		rc = add_all(ctx, SCMP_ACT_ALLOW, calls_worker);
		break;
	case SANDBOX_JUDGE:
		rc = add_all(ctx, SCMP_ACT_ALLOW, calls_judge);
		break;
	}
	if (rc == 0 && kind != SANDBOX_JUDGE)
		rc = add_worker(ctx, fd);
	if (rc == 0)
		rc = add_all(ctx, SCMP_ACT_KILL_PROCESS, calls_fatal_child);
	return rc;
}

int sandbox_filter_load(enum sandbox_kind kind, int fd)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	if (ctx == NULL)
		return -ENOMEM;
	int rc = add_all(ctx, SCMP_ACT_ALLOW, calls_common);
	if (rc == 0)
		rc = add_memory(ctx, kind);
	/* abort(3) signals itself; nobody else. */
	if (rc == 0 && kind != SANDBOX_SUPERVISOR)
		rc = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1, SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid()));
	if (rc == 0)
		rc = add_kind(ctx, kind, fd);
	if (rc == 0)
		rc = add_all(ctx, SCMP_ACT_KILL_PROCESS, calls_fatal);
	if (rc == 0)
		rc = seccomp_load(ctx);
	seccomp_release(ctx);
	return rc;
}
