Hallazgo 13 · gravedad 20 de 100 · activo

NII-0008 envió 5.0 kB en nombres DNS bajo tunnel.example; sospechoso:
dns-tunnel.

Qué hacer   Busque el programa que habla así y compare con los días anteriores.
            Después: garita review 13
Quién       NII-0008 (rapiscan, cargo portal, Carril 4)
A quién     tunnel.example
Cuándo      2026-11-21 21:39:17 America/Mexico_City (UTC-06:00)
            2026-11-22 03:39:17Z, 121 ms
Cuánto      5.0 kB de salida, 0 B de entrada
Gravedad     20  dns-tunnel 51/100 [T1071.004, T1048.003, T1572] 5.0 kB: En
                 nombres DNS sale más información de la que un nombre necesita.
                 5032 bytes in 37 names this hour, 5032 in 37 this day; 0 names
                 contacted
             20
También     mismo equipo, otros hallazgos: 3. 12 (40) → AS64498, 8.2 kB:
            no-approval, resolver-not-approved
