Hallazgo 1 · gravedad 37 de 100 · activo

NII-0007 envió 129 kB a AS64499 (203.0.113.80, Example Hosting BV, NL) por TLS;
no aprobado: name-not-verified.

Qué hacer   Consulte usted el nombre en DNS y averigüe de quién es la dirección.
            Después: garita review 1
Quién       NII-0007 (nuctech, cargo portal, Carril 3, cargo-xray), 192.0.2.10,
            c0:9b:f4:b0:00:07
A quién     203.0.113.80
            Rotterdam, NL, AS64499 Example Hosting BV
Nombres     images.aduana.example: SNI de TLS; NO se cree, ninguna respuesta DNS
            lo dio
Qué         TLS tcp/443, cifrado: 129 kB de salida, 3.8 kB de entrada
Cuándo      2026-11-21 21:39:35 America/Mexico_City (UTC-06:00)
            2026-11-22 03:39:35Z, 14 ms
Cuánto      129 kB de salida, 3.8 kB de entrada, 1 transferencia (1), 100
            paquetes de salida, 41 de entrada
Gravedad     15  no aprobado
              8  name-not-verified: El nombre fue declarado, pero ninguna
                 respuesta DNS lo dio para esta dirección.
             10  name-not-answered [T1090.004]: Ninguna respuesta DNS dio el
                 nombre declarado. images.aduana.example
              4  salieron 129 kB
             37
Política    aprobación más cercana APR-IMAGES no cumple: hosts
            (images.aduana.example (claimed only); approved:
            images.aduana.example)
            APR-DNS no cumple: prefixes, ports, apps
También     ningún otro hallazgo tiene este destino ni este equipo
