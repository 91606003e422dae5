Hallazgo 2 · gravedad 47 de 100 · activo

AS64499 (203.0.113.77, Example Hosting BV, NL) obtuvo 43.5 kB de BAG-0003, sobre
todo por TCP; sin aprobación.

Qué hacer   Revise en sitio el puerto del conmutador y la configuración de red
            del equipo. Después: garita review 2
Quién       BAG-0003 (smiths, baggage tunnel, Sala A, baggage), 192.0.2.70,
            00:50:c2:2b:20:03
A quién     203.0.113.77
            Rotterdam, NL, AS64499 Example Hosting BV
Nombres     no se vio ninguno
Qué         sin reconocer tcp/40000: 42.5 kB de salida, 1.3 kB de entrada
            FTP_CONTROL tcp/21, sin cifrar: 970 B de salida, 727 B de entrada
            ftp en 1 transferencia, 970 B de salida
Cuándo      2026-11-21 21:39:17 America/Mexico_City (UTC-06:00)
            2026-11-22 03:39:17Z, 9 ms
Cuánto      43.5 kB de salida, 2.0 kB de entrada, 2 transferencias, 44 paquetes
            de salida, 38 de entrada, el otro extremo abrió toda conexión
Mayores     20  21:39:17 ← 203.0.113.77 Unknown, sal. 42.5 kB, ent. 1.3 kB
            19  21:39:17 ← 203.0.113.77 FTP_CONTROL, sal. 970 B, ent. 727 B
Gravedad     15  no aprobado
             10  no-approval: Ninguna aprobación es para este equipo y este
                 destino.
             10  listens ×2 [T0822]: Acepta conexiones de fuera de su red.
              2  salieron 43.5 kB
              5  el otro extremo abrió la conexión
              5  NL no figura en ninguna aprobación
             47
Política    APR-2026-001 no cumple: prefixes, ports, apps, initiator
            APR-2026-002 no cumple: prefixes, ports, apps, initiator
            más lejos: otras 5 (garita policy explain 20)
También     mismo destino, otro equipo: 4. 5 (47) ← unknown:00:00:5e:00:53:66,
            43.8 kB: no-approval, unknown-equipment, name-not-answered
            mismo equipo, otros hallazgos: 1. 14 (23) → images.aduana.example,
            43.8 kB: limit-exceeded
