/* incident.h - one finding as a document for those to whom severe incidents are
 * reported (a national CSIRT), with the time that its deadline leaves. */
#ifndef TOOLS_REPORT_INCIDENT_H
#define TOOLS_REPORT_INCIDENT_H
#include <stdio.h>

#include "base/err.h"
#include "show.h"

/* s: gathered, of a finding. 0 or ERR_IO. */
MUST_CHECK int incident_html(const struct show *s, FILE *out);

#endif
