Hallazgo 1 · gravedad 53 de 100 · activo

NII-0008 envió 82.4 kB a AS64499 (203.0.113.99, Example Hosting BV, NL), sobre
todo por OpenVPN; sin aprobación.

Qué hacer   Pregunte si ese servicio se contrató para este equipo; si no,
            bloquéelo. Después: garita review 1
Quién       NII-0008 (rapiscan, cargo portal, Carril 4, cargo-xray), 192.0.2.11,
            70:b3:d5:cc:90:08
A quién     203.0.113.99
            Rotterdam, NL, AS64499 Example Hosting BV
Nombres     no se vio ninguno
Qué         OpenVPN tcp/443, cifrado: 41.7 kB de salida, 4.1 kB de entrada
            OpenVPN udp/1194, cifrado: 40.5 kB de salida, 2.2 kB de entrada
            ICMP icmp, sin cifrar: 128 B de salida, 0 B de entrada
            openvpn en 2 transferencias, 82.3 kB de salida
            por vpn: OpenVPN
Cuándo      2026-11-21 21:39:43 – 21:39:46 America/Mexico_City (UTC-06:00)
            2026-11-22 03:39:43Z – 03:39:46Z, 3 s
Cuánto      82.4 kB de salida, 6.3 kB de entrada, 3 transferencias, 80 paquetes
            de salida, 47 de entrada
Evolución   sal.  ███████████████████████████████████████████████████████▆▄▄▄▅
            ent.  ▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁
            local |21:39:43      |21:39:44      |21:39:44      |21:39:45
            UTC   |03:39:43      |03:39:44      |03:39:44      |03:39:45
            una columna es 55 ms, la más alta 1.4 kB
Mayores     2  21:39:43 → 203.0.113.99:443 OpenVPN, sal. 41.7 kB, ent. 4.1 kB
            1  21:39:43 → 203.0.113.99:1194 OpenVPN, sal. 40.5 kB, ent. 2.2 kB
Gravedad     15  no aprobado
             10  no-approval: Ninguna aprobación es para este equipo y este
                 destino.
             25  vpn ×2 [T1572]: Un programa de VPN o de túneles. OpenVPN by
                 label
              3  salieron 82.4 kB
             53
Política    APR-DNS no cumple: prefixes, ports, apps
También     ningún otro hallazgo tiene este destino ni este equipo
