#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/control.h"

static struct netset ns, got;

static void test_generations(void **state)
{
	(void)state;
	struct control *c = NULL;
	assert_int_equal(control_new(&c), 0);
	assert_int_equal(c->worker[CONTROL_WORKERS_MAX - 1].state, CONTROL_DOWN);
	memset(&got, 0, sizeof got);
	memset(&ns, 0, sizeof ns);
	assert_int_equal(control_get_netset(c, &got), 0);
	control_put_netset(c, &ns);   /* 0: numbered here */
	assert_int_equal(control_get_netset(c, &got), 1);
	assert_int_equal(got.generation, 1);
	assert_int_equal(control_get_netset(c, &got), 0);
	ns.generation = 40;
	ns.mac_count = 3;
	control_put_netset(c, &ns);
	assert_int_equal(control_get_netset(c, &got), 1);
	assert_int_equal(got.generation, 40);
	assert_int_equal(got.mac_count, 3);
	control_put_netset(c, &ns);   /* the same number again would not be seen */
	assert_int_equal(control_get_netset(c, &got), 1);
	assert_int_equal(got.generation, 41);
	control_free(c);
	control_free(NULL);
}

/* Every copy is of one piece, however the writer hurries or dies. */
static void test_never_torn(void **state)
{
	(void)state;
	struct control *c = NULL;
	assert_int_equal(control_new(&c), 0);
	memset(&got, 0, sizeof got);
	unsigned copies = 0;
	srand(6);
	for (int life = 0; life < 20; life++) {
		const pid_t pid = fork();
		assert_true(pid >= 0);
		if (pid == 0) {
			for (;;) {
				const uint32_t next = atomic_load(&c->netset_generation) + 1;
				memset(&ns, (int)(next & 0xff), sizeof ns);
				ns.generation = next;
				control_put_netset(c, &ns);
				if (next % 3 == 0)
					nanosleep(&(struct timespec){.tv_nsec = 100000}, NULL);
			}
		}
		const unsigned want = copies + 20;
		while (copies < want) {
			if (!control_get_netset(c, &got))
				continue;
			copies++;
			const uint8_t *p = (const uint8_t *)&got + sizeof got.generation;
			for (size_t i = 0; i < sizeof got - sizeof got.generation; i++) {
				if (p[i] != (got.generation & 0xff))
					fail_msg("generation %u is torn at byte %zu", got.generation, i);
			}
		}
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
	}
	control_free(c);
}

/* Write one byte in a confined worker, after trying to undo the protection. */
static int write_confined_as(struct control *c, unsigned who, volatile uint8_t *p)
{
	const pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		signal(SIGSEGV, SIG_DFL);
		if (control_confine(c, who) != 0)
			_exit(1);
		const uintptr_t page = (uintptr_t)p & ~(uintptr_t)(CONTROL_PAGE - 1);
		(void)mprotect((void *)page, CONTROL_PAGE, PROT_READ | PROT_WRITE);
		*p = 77;
		_exit(0);
	}
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? (*p == 77 ? 1 : -1) : 0;
}

static int write_confined(struct control *c, volatile uint8_t *p)
{
	return write_confined_as(c, 3, p);
}

/* The reader of a replay tells its state, and nothing else. */
static void test_confined_reader(void **state)
{
	(void)state;
	struct control *c = NULL;
	assert_int_equal(control_new(&c), 0);
	assert_int_equal(write_confined_as(c, CONTROL_READER, (uint8_t *)&c->worker[CONTROL_READER].state), 1);
	assert_int_equal(write_confined_as(c, CONTROL_READER, (uint8_t *)&c->worker[CONTROL_WORKERS_MAX - 1].state), 0);
	assert_int_equal(write_confined_as(c, CONTROL_READER, (uint8_t *)&c->worker[0].sight), 0);
	assert_int_equal(write_confined_as(c, CONTROL_READER, (uint8_t *)&c->judge_waits), 0);
	assert_int_equal(write_confined_as(c, CONTROL_READER, (uint8_t *)&c->stop), 0);
	assert_int_equal(write_confined_as(c, CONTROL_WORKERS_MAX - 1, (uint8_t *)&c->worker[CONTROL_READER].state), 0);
	control_free(c);
}

static void test_confined_worker(void **state)
{
	(void)state;
	struct control *c = NULL;
	assert_int_equal(control_new(&c), 0);
	assert_int_equal(write_confined(c, (uint8_t *)&c->worker[3].heartbeat_us), 1);
	assert_int_equal(write_confined(c, (uint8_t *)&c->judge_waits), 1);
	assert_int_equal(write_confined(c, (uint8_t *)&c->worker[2].state), 0);
	assert_int_equal(write_confined(c, (uint8_t *)&c->worker[4].state), 0);
	assert_int_equal(write_confined(c, (uint8_t *)&c->worker[CONTROL_WORKERS_MAX - 1].frames), 0);
	assert_int_equal(write_confined(c, (uint8_t *)&c->stop), 0);
	assert_int_equal(write_confined(c, (uint8_t *)&c->resync), 0);
	assert_int_equal(write_confined(c, (uint8_t *)&c->worker[3].sight.bytes[CONTROL_SIGHT_BYTES - 1]), 1);
	assert_int_equal(write_confined(c, (uint8_t *)&c->worker[4].sight), 0);
	assert_int_equal(write_confined(c, (uint8_t *)&c->deaths), 0);
	assert_int_equal(write_confined(c, (uint8_t *)&c->death[CONTROL_DEATHS - 1].avoid_until_us), 0);
	assert_int_equal(write_confined(c, (uint8_t *)&c->netset[0]), 0);
	assert_int_equal(write_confined(c, (uint8_t *)&c->netset[1] + sizeof c->netset[1] - 1), 0);

	/* and it still sees what the others write */
	const pid_t pid = fork();
	if (pid == 0) {
		if (control_confine(c, 0) != 0)
			_exit(1);
		for (int i = 0; i < 500 && atomic_load(&c->stop) == 0; i++)
			nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
		memset(&got, 0, sizeof got);
		_exit(control_get_netset(c, &got) == 1 && got.mac_count == 5 ? 0 : 2);
	}
	memset(&ns, 0, sizeof ns);
	ns.mac_count = 5;
	control_put_netset(c, &ns);
	atomic_store(&c->stop, 1);
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	control_free(c);
}

/* The last ones are kept, at their number. */
static void test_deaths(void **state)
{
	(void)state;
	struct control *c = NULL;
	assert_int_equal(control_new(&c), 0);
	for (uint32_t i = 0; i < CONTROL_DEATHS + 3; i++) {
		const struct control_death d = {.worker = i, .signal = 11};
		control_put_death(c, &d);
		assert_int_equal(c->deaths, i + 1);
		assert_int_equal(c->death[i % CONTROL_DEATHS].worker, i);
	}
	assert_int_equal(c->death[3].worker, 3);
	assert_int_equal(c->death[2].worker, CONTROL_DEATHS + 2);
	control_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_deaths),
		cmocka_unit_test(test_generations),
		cmocka_unit_test(test_never_torn),
		cmocka_unit_test(test_confined_worker),
		cmocka_unit_test(test_confined_reader),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
