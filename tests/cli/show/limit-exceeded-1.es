Hallazgo 1 · gravedad 25 de 100 · activo

NII-0007 envió 129 kB a images.aduana.example (198.51.100.20, MX, AS64496) por
TLS; no aprobado: limit-exceeded.

Qué hacer   La aprobación APR-IMAGES casi la cubre: pregunte a su responsable si
            estaba previsto; si no, bloquéelo y avise al equipo de respuesta a
            incidentes. Después: garita review 1
Quién       NII-0007 (nuctech, cargo portal, Carril 3, cargo-xray), 192.0.2.10,
            c0:9b:f4:b0:00:07
A quién     images.aduana.example, 198.51.100.20
            Ciudad de México, MX, AS64496 Red Nacional de Ejemplo
Nombres     images.aduana.example: SNI de TLS; DNS lo dio para esa dirección
Qué         TLS tcp/443, cifrado: 129 kB de salida, 3.3 kB de entrada
Cuándo      2026-11-21 21:39:33 America/Mexico_City (UTC-06:00)
            2026-11-22 03:39:33Z, 6 ms
Cuánto      129 kB de salida, 3.3 kB de entrada, 1 transferencia (4), 96
            paquetes de salida, 30 de entrada
Gravedad     15  no aprobado
              6  limit-exceeded: Más bytes de los que la aprobación permite en
                 este periodo.
              4  salieron 129 kB
             25
Política    aprobación más cercana APR-IMAGES no cumple: limit (out 257778 of
            200000 bytes this day)
            APR-DNS no cumple: prefixes, ports, apps
También     ningún otro hallazgo tiene este destino ni este equipo
