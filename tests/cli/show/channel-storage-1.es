Hallazgo 1 · gravedad 54 de 100 · activo

NII-0007 envió 129 kB a AS64497 (198.51.100.200, Example Object Storage Inc, US)
por TLS.Alibaba; sin aprobación.

Qué hacer   Pregunte si ese servicio se contrató para este equipo; si no,
            bloquéelo. Después: garita review 1
Quién       NII-0007 (nuctech, cargo portal, Carril 3, cargo-xray), 192.0.2.10,
            c0:9b:f4:b0:00:07
A quién     198.51.100.200
            Columbus, US, AS64497 Example Object Storage Inc, Alibaba Cloud,
            bajo la ley de CN
Nombres     images.oss-cn-hangzhou.aliyuncs.com: SNI de TLS; NO se cree, ninguna
            respuesta DNS lo dio
Qué         TLS.Alibaba tcp/443, cifrado: 129 kB de salida, 2.7 kB de entrada
            por cloud-storage: Alibaba Cloud OSS (Alibaba Cloud)
Cuándo      2026-11-22 04:44:12 – 04:44:13 America/Mexico_City (UTC-06:00)
            2026-11-22 10:44:12Z – 10:44:13Z, 29 ms
Cuánto      129 kB de salida, 2.7 kB de entrada, 1 transferencia (1), 98
            paquetes de salida, 18 de entrada
Gravedad     15  no aprobado
             10  no-approval: Ninguna aprobación es para este equipo y este
                 destino.
             20  cloud-storage [T1567.002, T1537]: Almacenamiento de un
                 proveedor de nube. Alibaba Cloud OSS by host, bucket images,
                 region cn-hangzhou, under the law of CN
              5  name-not-answered [T1090.004]: Ninguna respuesta DNS dio el
                 nombre declarado. images.oss-cn-hangzhou.aliyuncs.com
              4  salieron 129 kB
             54
Política    APR-DNS no cumple: prefixes, ports, apps
También     mismo equipo, otros hallazgos: 1. 2 (50) → files.abroad.example, 256
            kB: no-approval, cloud-storage
