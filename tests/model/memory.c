#include "memory.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#include "shim.h"
#undef memcpy

#define PLACES 16
#define VALUES 96
#define BYTES_MAX 512
#define CHOICES 512
#define STACK_BYTES 65536
#define NOBODY MODEL_THREADS

/* What a thread has seen: of each place the newest value, of each thread its
 * clock, which goes on with every release. */
struct seen {
	uint8_t value[PLACES];
	uint32_t clock[MODEL_THREADS];
};

struct value {
	uint64_t is;
	struct seen carries;
};

struct place {
	const volatile void *at;
	unsigned writer;           /* learnt by the first outcome, which is not counted */
	unsigned count;
	struct value value[VALUES];
};

struct thread {
	struct seen seen;
	struct seen released;      /* by its last release fence */
	struct seen taken;         /* by relaxed loads: an acquire fence makes them seen */
	ucontext_t context;
	jmp_buf where, birth;
	bool started, over, waits, died;
	unsigned wait_place, wait_count;
};

static struct {
	const struct model_case *c;
	struct place place[PLACES];
	unsigned places;
	struct thread thread[MODEL_THREADS];
	unsigned running;          /* NOBODY: begin or end */
	const uint8_t *bytes;
	size_t byte_count;
	uint32_t written[BYTES_MAX], read[BYTES_MAX];   /* clocks of writer and reader */
	struct {
		uint16_t taken, of;
	} choice[CHOICES];
	unsigned choices, depth;
	jmp_buf controller;
	uint64_t outcomes;
	struct {
		const volatile void *at;
		unsigned by;
	} writer[PLACES];          /* of each place, whatever the outcome */
	unsigned writers;
} m = {.running = NOBODY};

static uint8_t stacks[MODEL_THREADS][STACK_BYTES];

enum { RESUME = 1, IMPOSSIBLE, FINISHED };

/* --- choices --- */

unsigned model_choose(unsigned n)
{
	if (n == 1)
		return 0;
	if (m.depth == m.choices) {
		if (m.choices == CHOICES) {
			fprintf(stderr, "model: %s makes too many choices\n", m.c->name);
			exit(2);
		}
		m.choice[m.choices].taken = 0;
		m.choice[m.choices++].of = (uint16_t)n;
	}
	return m.choice[m.depth++].taken;
}

static bool next_outcome(void)
{
	while (m.choices > 0 && m.choice[m.choices - 1].taken + 1 == m.choice[m.choices - 1].of)
		m.choices--;
	if (m.choices == 0)
		return false;
	m.choice[m.choices - 1].taken++;
	return true;
}

void model_promise(bool holds, const char *what, uint64_t is, uint64_t should)
{
	if (holds)
		return;
	fprintf(stderr, "model: %s: broken after %llu outcomes: %s (is %llu, should be %llu); choices", m.c->name,
	        (unsigned long long)m.outcomes, what, (unsigned long long)is, (unsigned long long)should);
	for (unsigned i = 0; i < m.depth; i++)
		fprintf(stderr, " %u/%u", m.choice[i].taken, m.choice[i].of);
	fputc('\n', stderr);
	exit(1);
}

/* --- the two threads --- */

static void enter(void)
{
	const unsigned me = m.running;
	m.c->run[me]();
	m.thread[me].over = true;
	struct thread *other = &m.thread[1 - me];
	if (other->over)
		_longjmp(m.controller, FINISHED);
	m.running = 1 - me;
	if (!other->started) {
		other->started = true;
		setcontext(&other->context);
	}
	_longjmp(other->where, RESUME);
}

static void give_way(void)
{
	const unsigned me = m.running;
	struct thread *other = &m.thread[1 - me];
	if (_setjmp(m.thread[me].where) != 0)
		return;
	m.running = 1 - me;
	if (!other->started) {
		other->started = true;
		setcontext(&other->context);
	}
	_longjmp(other->where, RESUME);
}

static bool is_new(const struct thread *t)
{
	return m.place[t->wait_place].count > t->wait_count;
}

bool model_lives_again(void)
{
	return m.thread[m.running].died;
}

/* --- places --- */

static unsigned place_of(const volatile void *at)
{
	for (unsigned i = 0; i < m.places; i++) {
		if (m.place[i].at == at)
			return i;
	}
	if (m.places == PLACES)
		abort();
	struct place *p = &m.place[m.places];
	p->at = at;
	p->count = 1;
	p->writer = NOBODY;
	memset(&p->value[0], 0, sizeof p->value[0]);
	for (unsigned i = 0; i < m.writers; i++) {
		if (m.writer[i].at == at)
			p->writer = m.writer[i].by;
	}
	return m.places++;
}

/* The first outcome, in which the writer runs to its end before the reader
 * begins, tells who writes what: nobody waits for a value of his own. */
static void learn_writers(void)
{
	for (m.writers = 0; m.writers < m.places; m.writers++) {
		m.writer[m.writers].at = m.place[m.writers].at;
		m.writer[m.writers].by = m.place[m.writers].writer;
	}
}

static void join(struct seen *to, const struct seen *from)
{
	for (unsigned i = 0; i < PLACES; i++)
		to->value[i] = to->value[i] > from->value[i] ? to->value[i] : from->value[i];
	for (unsigned i = 0; i < MODEL_THREADS; i++)
		to->clock[i] = to->clock[i] > from->clock[i] ? to->clock[i] : from->clock[i];
}

static bool acquires(memory_order o)
{
	return o == memory_order_acquire || o == memory_order_acq_rel || o == memory_order_seq_cst;
}

static bool releases(memory_order o)
{
	return o == memory_order_release || o == memory_order_acq_rel || o == memory_order_seq_cst;
}

/* Which value a load gives: any from oldest on, or the thread waits for one
 * that is not there yet. */
static unsigned which(struct thread *t, unsigned place, unsigned oldest)
{
	struct thread *other = &m.thread[1 - m.running];
	for (;;) {
		const unsigned known = m.place[place].count - oldest;
		const bool may_wait = m.place[place].writer != m.running && !other->over && (!other->waits || is_new(other));
		if (known + may_wait == 0)
			_longjmp(m.controller, IMPOSSIBLE);
		const unsigned chosen = model_choose(known + may_wait);
		if (chosen < known)
			return oldest + chosen;
		t->waits = true;
		t->wait_place = place;
		t->wait_count = oldest = m.place[place].count;
		give_way();
		t->waits = false;
	}
}

uint64_t model_load(const volatile void *at, memory_order order)
{
	const unsigned i = place_of(at);
	struct place *p = &m.place[i];
	if (m.running == NOBODY)
		return p->value[p->count - 1].is;
	struct thread *t = &m.thread[m.running];
	const unsigned v = which(t, i, t->seen.value[i]);
	t->seen.value[i] = (uint8_t)v;
	join(acquires(order) ? &t->seen : &t->taken, &p->value[v].carries);
	return p->value[v].is;
}

void model_store(volatile void *at, uint64_t value, size_t size, memory_order order)
{
	const unsigned i = place_of(at);
	struct place *p = &m.place[i];
	if (size == 4)
		value = (uint32_t)value;
	if (m.running == NOBODY) {
		p->count = 1;
		p->value[0] = (struct value){.is = value};
		return;
	}
	struct thread *t = &m.thread[m.running];
	if (m.c->dies[m.running] && !t->died && model_choose(2) == 1) {
		t->died = true;
		_longjmp(t->birth, RESUME);
	}
	model_promise(p->writer == NOBODY || p->writer == m.running, "a place has one writer", m.running, p->writer);
	p->writer = m.running;
	if (p->count == VALUES)
		abort();
	const unsigned v = p->count++;
	t->seen.value[i] = (uint8_t)v;
	p->value[v].is = value;
	p->value[v].carries = releases(order) ? t->seen : t->released;
	p->value[v].carries.value[i] = (uint8_t)v;
	t->seen.clock[m.running] += releases(order);
}

void model_fence(memory_order order)
{
	if (m.running == NOBODY)
		return;
	struct thread *t = &m.thread[m.running];
	if (acquires(order))
		join(&t->seen, &t->taken);
	if (releases(order)) {
		t->released = t->seen;
		t->seen.clock[m.running]++;
	}
}

/* --- plain bytes --- */

void model_watch(const void *bytes, size_t n)
{
	if (n > BYTES_MAX)
		abort();
	m.bytes = bytes;
	m.byte_count = n;
}

static bool watched(const void *at, size_t *ret)
{
	*ret = (size_t)((const uint8_t *)at - m.bytes);
	return m.running != NOBODY && *ret < m.byte_count;
}

void model_read(const void *at, size_t n)
{
	size_t i;
	if (!watched(at, &i))
		return;
	const struct seen *s = &m.thread[m.running].seen;
	for (const size_t end = i + n; i < end && m.running == MODEL_READER; i++) {
		model_promise(m.written[i] <= s->clock[MODEL_WRITER], "a byte is read that may still be written", i, 0);
		m.read[i] = s->clock[MODEL_READER];
	}
}

void *model_memcpy(void *to, const void *from, size_t n)
{
	size_t i;
	model_read(from, n);
	if (watched(to, &i)) {
		const struct seen *s = &m.thread[m.running].seen;
		model_promise(m.running == MODEL_WRITER, "the reader writes records", i, 0);
		for (size_t k = i; k < i + n; k++) {
			model_promise(m.read[k] <= s->clock[MODEL_READER], "a byte is written that may still be read", k, 0);
			m.written[k] = s->clock[MODEL_WRITER];
		}
	}
	return memcpy(to, from, n);
}

/* --- all outcomes --- */

/* A thread that dies begins again from here, knowing what it knew: the
 * supervisor has waited for it. */
static void live(void)
{
	const unsigned me = m.running;
	(void)_setjmp(m.thread[me].birth);
	enter();
}

static void prepare(unsigned i)
{
	struct thread *t = &m.thread[i];
	memset(t, 0, sizeof *t);
	/* The beginning of each clock is after everything that was before. */
	t->seen.clock[i] = 1;
	getcontext(&t->context);
	t->context.uc_stack.ss_sp = stacks[i];
	t->context.uc_stack.ss_size = STACK_BYTES;
	makecontext(&t->context, live, 0);
}

static void one_outcome(void)
{
	m.places = m.depth = 0;
	memset(m.written, 0, sizeof m.written);
	memset(m.read, 0, sizeof m.read);
	m.running = NOBODY;
	m.c->begin();
	for (unsigned i = 0; i < MODEL_THREADS; i++)
		prepare(i);
	const int why = _setjmp(m.controller);
	if (why == 0) {
		m.running = MODEL_WRITER;   /* the reader begins when the writer waits or is done */
		m.thread[m.running].started = true;
		setcontext(&m.thread[m.running].context);
	}
	m.running = NOBODY;
	if (why == FINISHED) {
		m.c->end();
		m.outcomes++;
	}
}

uint64_t model_run(const struct model_case *c, uint64_t max)
{
	m.c = c;
	m.choices = m.writers = 0;
	one_outcome();
	learn_writers();
	m.choices = 0;
	m.outcomes = 0;
	do {
		one_outcome();
	} while (next_outcome() && (max == 0 || m.outcomes < max));
	printf("model: %-28s %9llu outcomes hold\n", c->name, (unsigned long long)m.outcomes);
	return m.outcomes;
}
