Hallazgo 4 · gravedad 40 de 100 · activo

unknown:00:00:5e:00:53:66 envió 66 B a AS64496 (198.51.100.53, Red Nacional de
Ejemplo, MX) por DNS; no aprobado: unknown-equipment.

Qué hacer   Busque el programa que habla así y compare con los días anteriores.
            Después: garita review 4
Quién       unknown:00:00:5e:00:53:66 (ICANN, IANA Department, cargo-xray, no
            está en site.yaml), 192.0.2.40
A quién     198.51.100.53
            Ciudad de México, MX, AS64496 Red Nacional de Ejemplo
Nombres     no se vio ninguno
Qué         DNS udp/53, sin cifrar: 66 B de salida, 82 B de entrada
Cuándo      2026-11-21 21:39:17 America/Mexico_City (UTC-06:00)
            2026-11-22 03:39:17Z, 0 ms
Cuánto      66 B de salida, 82 B de entrada, 1 transferencia (21), 1 paquete de
            salida, 1 de entrada
Gravedad     15  no aprobado
             10  unknown-equipment: El equipo no está en el inventario.
             10  resolver-not-approved [T1071.004]: Un servidor DNS que nadie
                 aprobó.
              5  equipo desconocido
             40
Política    por encima de toda aprobación no se cumple: known-equipment
            aprobación más cercana APR-2026-001: se cumplen todas sus
            condiciones
            más lejos: otras 6 (garita policy explain 21)
También     mismo equipo, otros hallazgos: 1. 5 (47) → AS64499, 43.8 kB:
            no-approval, unknown-equipment, name-not-answered
