/* sheets.h - what the files that define tables share. */
#ifndef TOOLS_REPORT_SHEETS_H
#define TOOLS_REPORT_SHEETS_H
#include "report/report.h"

extern const struct sheet sheet_coverage, sheet_gaps, sheet_runs, sheet_policies, sheet_geolocation, sheet_vlans;
extern const struct sheet sheet_equipment, sheet_days, sheet_trend;
extern const struct sheet sheet_by_equipment, sheet_by_country, sheet_by_network, sheet_by_app, sheet_by_scanner_network;
extern const struct sheet sheet_destinations, sheet_unapproved, sheet_findings, sheet_suppressions, sheet_maintenance, sheet_approvals, sheet_limits;
extern const struct sheet sheet_ledger_wrong, sheet_self_tests, sheet_controls, sheet_blind_spots;

#endif
