/* Records of inspections and of the cargo behind them, as text. Sources stand in
 * each rule's meta; README.md explains word and severity. */

rule cargo_scan_fields
{
	meta:
		description = "fields of a cargo scan record"
		word = "scan-record"
		source = "tag names in IvanBrasilico/avatar and virasana (customs in Brazil)"
	strings:
		$truck = "TruckId" ascii wide fullword
		$plate = "PlateNumber" ascii wide fullword
		$container = "ContainerId" ascii wide fullword
		$number = "container_no" ascii wide fullword
		$time = "SCANTIME" ascii wide fullword
		$operator = "OPERATORID" ascii wide fullword
	condition:
		3 of them
}

rule un_edifact_cargo
{
	meta:
		description = "UN/EDIFACT cargo or customs message"
		word = "scan-record"
		source = "UN/EDIFACT directories (unece.org): interchange header UNB, message types CUSCAR, CUSDEC, CUSREP, COPRAR, COARRI, CODECO, BAPLIE"
	strings:
		$unb = "UNB+UNO"
		$type = /UNH\+[^+]{1,14}\+(CUSCAR|CUSDEC|CUSREP|COPRAR|COARRI|CODECO|BAPLIE):/
	condition:
		$unb in (0..16) and $type
}
