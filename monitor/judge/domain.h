/* domain.h - who registered a name: what stands one label below a public
 * suffix (publicsuffix.org, as libpsl of the system carries it; nothing is read
 * at run time). The only file that includes libpsl is domain.c, which remembers the last
 * names (32 KB). */
#ifndef MONITOR_DOMAIN_H
#define MONITOR_DOMAIN_H

/* "a.b.example.co.uk" → "example.co.uk", a part of the name, which is lower
 * case without a final dot. NULL: the name is a public suffix itself, or a
 * single label. A last label that no list knows is a suffix ("pc.corp.lan" →
 * "corp.lan"). */
const char *domain_registered(const char *name);

#endif
