Hallazgo 6 · gravedad 65 de 100 · activo

BAG-0004 envió 180 kB a files.abroad.example (NL, DE), sobre todo por TCP sin
cifrar, de ellos 136 kB en una transferencia con imágenes DICOM; sin aprobación.

Qué hacer   Averigüe quién ordenó enviar los datos y qué contenían. Después:
            garita review 6
Quién       BAG-0004 (leidos, baggage tunnel, Sala B, baggage), 192.0.2.71,
            70:b3:d5:00:40:04
A quién     files.abroad.example, 203.0.113.80, 2001:db8:f100::80
            NL, AS64499 Example Hosting BV: 136 kB de salida
            DE, AS64501 Beispiel Netz GmbH: 44.5 kB de salida
Nombres     files.abroad.example: respuesta DNS, SNI de TLS; DNS lo dio para esa
            dirección
Qué         DICOM tcp/11112, sin cifrar: 136 kB de salida, 7.2 kB de entrada
            TLS tcp/443, cifrado: 44.5 kB de salida, 3.0 kB de entrada
            dicom en 1 transferencia, 136 kB de salida: AE BAG4 -> OUTSIDE;…
            dicom-store en 1 transferencia, 136 kB de salida: Secondary Capture…
            container-number, dicom-record
Cuándo      2026-11-21 21:39:17 America/Mexico_City (UTC-06:00)
            2026-11-22 03:39:17Z, 82 ms
Cuánto      180 kB de salida, 10.3 kB de entrada, 2 transferencias, 140 paquetes
            de salida, 75 de entrada
Mayores     26  21:39:17 → 203.0.113.80:11112 DICOM, sal. 136 kB, ent. 7.2 kB
            24  21:39:17 → [2001:db8:f100::80]:443 TLS, sal. 44.5 kB, ent. 3.0
            kB
Gravedad     15  no aprobado
             10  no-approval: Ninguna aprobación es para este equipo y este
                 destino.
             25  inspection-data [T0882, T1020]: Contiene imágenes o registros
                 de inspección. dicom-store: Secondary Capture Image Storage
              5  container-number [T0882]: Nombra contenedores (ISO 6346).
                 container-number: #e9504d43ef15
              5  salieron 180 kB
              5  DE no figura en ninguna aprobación
             65
Política    APR-2026-001 no cumple: prefixes, ports, apps
            APR-2026-002 no cumple: prefixes, ports, apps
            más lejos: otras 5 (garita policy explain 26)
También     mismo equipo, otros hallazgos: 1. 11 (44) → AS64499, 4.1 kB:
            no-approval, icmp-tunnel
