Hallazgo 1 · gravedad 31 de 100 · activo

unknown:00:00:5e:00:53:66 envió 18.0 kB de solo encabezados a AS64499
(203.0.113.77, Example Hosting BV, NL) por TCP; no aprobado: no-approval,
unknown-equipment.

Qué hacer   Si no estaba previsto, bloquéelo y avise al equipo de respuesta a
            incidentes. Después: garita review 1
Quién       unknown:00:00:5e:00:53:66 (ICANN, IANA Department, cargo-xray, no
            está en site.yaml), 192.0.2.40
A quién     203.0.113.77
            Rotterdam, NL, AS64499 Example Hosting BV
Nombres     no se vio ninguno
Qué         sin reconocer tcp/2013: 17.2 kB de salida, 11.5 kB de entrada
            sin reconocer tcp/2001: 60 B de salida, 40 B de entrada
            sin reconocer tcp/2002: 60 B de salida, 40 B de entrada
            + 10 más; --all los muestra
Cuándo      2026-11-21 21:39:50 America/Mexico_City (UTC-06:00)
            2026-11-22 03:39:50Z, 22 ms
Cuánto      18.0 kB de salida, 12.0 kB de entrada, 300 transferencias, 300
            paquetes de salida, 300 de entrada, 287 de ellas en filas que
            representan muchas (un barrido o inundación)
Mayores     13  21:39:50 → 203.0.113.77:2013 tcp, sal. 17.2 kB, ent. 11.5 kB
            1  21:39:50 → 203.0.113.77:2001 tcp, sal. 60 B, ent. 40 B
Gravedad     15  no aprobado
             10  no-approval: Ninguna aprobación es para este equipo y este
                 destino.
              1  salieron 18.0 kB
              5  equipo desconocido
              0  unknown-equipment: El equipo no está en el inventario.
             31
Política    por encima de toda aprobación no se cumple: known-equipment
            APR-DNS no cumple: prefixes, ports, apps
También     ningún otro hallazgo tiene este destino ni este equipo
