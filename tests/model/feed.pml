/* feed.pml - the writer of a feed, two readers, and their sleep: no slot is
 * mixed up or written while it is read, and nobody sleeps while there is
 * something for him. Mirrors monitor/base/feed.c without its time-outs: a
 * wake-up that is lost is a process that sleeps for ever. Each process has a
 * store buffer, as in ring.pml; a futex is looked at and slept on in one step
 * (futex(2); that the call is a fence itself is not counted on). make model; -D… breaks it, and spin must see. */
#define READERS 2
#define SLOTS 2
#ifndef COUNT
#define COUNT 4
#endif
#ifndef MORE
#define MORE 0                     /* slots that the writer waits for beyond the one it needs */
#endif
#define WRITER READERS
#define NOBODY 255

/* the shared memory */
#define PUBLISHED 0
#define RELEASED(r) (1 + (r))
#define WAITS(r) (1 + READERS + (r))
#define WANTED(r) (1 + 2 * READERS + (r))
#define SLOT(n) (1 + 3 * READERS + (n) % SLOTS)
byte mem[1 + 3 * READERS + SLOTS];
chan buffer[READERS + 1] = [4] of {byte, byte};
bool asleep[READERS];              /* on PUBLISHED */
byte writer_sleeps = NOBODY;       /* on RELEASED of that reader */
byte read_so_far[READERS];
bool written;

proctype drain(byte p)
{
	byte at, value;
end:	do
	:: atomic { buffer[p]?at, value; mem[at] = value }
	od
}

#define past(r, position) (mem[RELEASED(r)] >= (position))

proctype writer()
{
	byte n, r, is, least, target;
	do
	:: n < COUNT ->
		least = (n < SLOTS -> 0 : n - SLOTS + 1);
		target = (least == 0 -> 0 : (least + MORE > n -> n : least + MORE));
		r = 0;
		do
		:: r < READERS && past(r, least) -> r++
		:: r < READERS && !past(r, least) ->
			buffer[WRITER]!WANTED(r), target + 1;
#ifndef NO_WANT_FENCE
			empty(buffer[WRITER]);
#endif
			is = mem[RELEASED(r)];
			if
			:: is >= target
			:: else ->
#ifdef BLIND_SLEEP
				writer_sleeps = r;
end_writer:			writer_sleeps == NOBODY;
#else
				if
				:: atomic { mem[RELEASED(r)] == is -> writer_sleeps = r };
end_writer:				writer_sleeps == NOBODY
				:: atomic { mem[RELEASED(r)] != is }
				fi
#endif
			fi;
			buffer[WRITER]!WANTED(r), 0
		:: r == READERS -> break
		od;
		buffer[WRITER]!SLOT(n), n + 1;
		buffer[WRITER]!PUBLISHED, n + 1;
		n++;
#ifndef NO_PUBLISH_FENCE
		empty(buffer[WRITER]);
#endif
		if
		:: mem[WAITS(0)] != 0 || mem[WAITS(1)] != 0 ->
			atomic { empty(buffer[WRITER]); asleep[0] = false; asleep[1] = false }
		:: else
		fi
	:: else -> break
	od;
	written = true
}

proctype reader(byte me)
{
	byte n, wanted;
	do
	:: n < COUNT && mem[PUBLISHED] != n ->
		assert(mem[SLOT(n)] == n + 1);
		skip;                          /* it is still being read */
		assert(mem[SLOT(n)] == n + 1);
		n++;
		buffer[me]!RELEASED(me), n;
#ifndef NO_RELEASE_FENCE
		empty(buffer[me]);
#endif
		wanted = mem[WANTED(me)];
		if
		:: wanted != 0 && n >= wanted - 1 ->
			atomic {
				empty(buffer[me]);
				if
				:: writer_sleeps == me -> writer_sleeps = NOBODY
				:: else
				fi
			}
		:: else
		fi
	:: n < COUNT && mem[PUBLISHED] == n ->
		buffer[me]!WAITS(me), 1;
#ifndef NO_WAIT_FENCE
		empty(buffer[me]);
#endif
#ifdef BLIND_SLEEP
		asleep[me] = true;
end_reader:	!asleep[me];
#else
		if
		:: atomic { mem[PUBLISHED] == n -> asleep[me] = true };
end_reader:		!asleep[me]
		:: atomic { mem[PUBLISHED] != n }
		fi;
#endif
		buffer[me]!WAITS(me), 0
	:: n == COUNT -> break
	od;
	read_so_far[me] = n
}

/* When nobody can go on: everything was written, and read by everybody. */
active proctype rest()
{
	timeout;
	assert(written && read_so_far[0] == COUNT && read_so_far[1] == COUNT)
}

init {
	atomic {
		run drain(0); run drain(1); run drain(WRITER);
		run writer(); run reader(0); run reader(1)
	}
}
