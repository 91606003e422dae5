/* ring.pml - two workers, their rings and the judge that sleeps: no fact is
 * mixed up or left lying while everybody sleeps, whoever dies when.
 * Mirrors monitor/base/ring.c (push, peek, pop), sense/tell.c (wake) and
 * record/recorder.c (sleep_until_due), without its time-outs: a wake-up that is
 * lost is a judge that sleeps for ever. Each process has a store buffer, from
 * which its stores reach the others one after the other, some time later; a
 * fence waits until it is empty. make model; -D… breaks it, and spin must see. */
#define WORKERS 2
#define CAP 2                      /* records of a ring: full and around its end with the third */
#ifndef FIRST
#define FIRST 3                    /* records of the first worker and of the second, one more after a death */
#define SECOND 0
#endif
#define RECORDS(w) ((w) == 0 -> FIRST : SECOND)
#define JUDGE WORKERS

/* the shared memory */
#define HEAD(w) (w)
#define TAIL(w) (WORKERS + (w))
#define WAITS (2 * WORKERS)
#define SLOT(w, n) (2 * WORKERS + 1 + CAP * (w) + (n) % CAP)
byte mem[2 * WORKERS + 1 + CAP * WORKERS];
chan buffer[WORKERS + 1] = [4] of {byte, byte};
bool eventfd;
bool died[WORKERS + 1];            /* one of them may, anywhere between two stores, and begins anew */
#define may_die (!died[0] && !died[1] && !died[JUDGE])

#define empty_ring(w) (mem[HEAD(w)] == mem[TAIL(w)])
#define room(w, n) ((n) - mem[TAIL(w)] < CAP)

proctype drain(byte p)
{
	byte at, value;
end:	do
	:: atomic { buffer[p]?at, value; mem[at] = value }
	od
}

proctype worker(byte w)
{
	byte n;
life:	/* an earlier life's stores have arrived: the supervisor waited for its end */
	empty(buffer[w]);
	n = mem[HEAD(w)];
	do
	:: n < (RECORDS(w)) + died[w] ->
		if
		:: room(w, n)
		:: may_die -> goto die
		fi;
#ifdef HEAD_FIRST
		buffer[w]!HEAD(w), n + 1;
		buffer[w]!SLOT(w, n), n + 1;
#else
		buffer[w]!SLOT(w, n), n + 1;
		if
		:: true
		:: may_die -> goto die
		fi;
		buffer[w]!HEAD(w), n + 1;
#endif
		n++;
		if
		:: true
		:: may_die -> goto die
		fi;
#ifndef NO_WORKER_FENCE
		empty(buffer[w]);
#endif
		if
		:: mem[WAITS] != 0 ->
			atomic {   /* atomic_exchange: its own fence */
				empty(buffer[w]);
				if
				:: mem[WAITS] != 0 -> mem[WAITS] = 0; eventfd = true
				:: else
				fi
			}
		:: else
		fi
	:: else -> break
	od;
	goto out;
die:	died[w] = true;
	goto life;
out:	skip
}

proctype judge()
{
	byte tail[WORKERS], w;
	bool some;
life:	empty(buffer[JUDGE]);
	w = 0;
	do
	:: w < WORKERS -> tail[w] = mem[TAIL(w)]; w++
	:: else -> break
	od;
	do
	:: true ->
		some = false;
		w = 0;
		do
		:: w < WORKERS && mem[HEAD(w)] != tail[w] ->
			assert(mem[SLOT(w, tail[w])] == tail[w] + 1);
			if
			:: true
			:: may_die -> died[JUDGE] = true; goto life
			fi;
			tail[w] = tail[w] + 1;
			buffer[JUDGE]!TAIL(w), tail[w];
			some = true
		:: w < WORKERS && mem[HEAD(w)] == tail[w] -> w++
		:: w == WORKERS -> break
		od;
		if
		:: !some ->
			buffer[JUDGE]!WAITS, 1;
#ifndef NO_JUDGE_FENCE
			empty(buffer[JUDGE]);
#endif
			if
#ifndef NO_SECOND_LOOK
			:: mem[HEAD(0)] != tail[0] || mem[HEAD(1)] != tail[1]
			:: else ->
#else
			:: true ->
#endif
end_sleep:			eventfd
			fi;
			if
			:: true
			:: may_die -> died[JUDGE] = true; goto life
			fi;
			buffer[JUDGE]!WAITS, 0;
			eventfd = false
		:: else
		fi
	od
}

/* When nobody can go on: the judge sleeps, and there was nothing left to tell. */
active proctype rest()
{
	timeout;
	assert(empty_ring(0) && empty_ring(1));
	assert(mem[HEAD(0)] == RECORDS(0) + died[0] && mem[HEAD(1)] == RECORDS(1) + died[1]);
}

init {
	atomic {
		run drain(0); run drain(1); run drain(JUDGE);
		run worker(0); run worker(1);
		run judge()
	}
}
