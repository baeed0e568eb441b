import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import type { CertificateMaterial } from "../../../provider/certificate/material";

/** What a request brought, and on which TCP connection (counted from 1). */
export interface Arrived {
  readonly headers: IncomingMessage["headers"];
  readonly body: Buffer;
  readonly connection: number;
  readonly socket: Socket;
}

export type Handler = (request: Arrived, response: ServerResponse) => void | Promise<void>;

export interface WebServer {
  readonly port: number;
  readonly arrived: readonly Arrived[];
  readonly connections: () => number;
  readonly close: () => Promise<void>;
}

export function pem(label: string, der: Uint8Array): string {
  return `-----BEGIN ${label}-----\n${Buffer.from(der).toString("base64")}\n-----END ${label}-----\n`;
}

/** Certificate with chain, and key, as Node's TLS takes them. */
export function tlsIdentity(material: CertificateMaterial): { readonly cert: string; readonly key: string } {
  const key = material.privateKey.reveal().export({ format: "pem", type: "pkcs8" }) as string;
  return { cert: [material.der, ...material.chain].map((der) => pem("CERTIFICATE", der)).join(""), key };
}

/** A web server on a free port of the loopback interface. With an identity it speaks TLS. */
export async function startWebServer(handler: Handler, identity?: CertificateMaterial): Promise<WebServer> {
  const arrived: Arrived[] = [];
  const numbers = new Map<Socket, number>();
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    const pieces: Buffer[] = [];
    request.on("data", (piece: Buffer) => pieces.push(piece));
    request.on("end", () => {
      const { headers, socket } = request;
      const one = { headers, body: Buffer.concat(pieces), connection: numbers.get(socket) ?? 0, socket };
      arrived.push(one);
      void handler(one, response);
    });
  };
  const server =
    identity === undefined ? createHttpServer(listener) : createHttpsServer(tlsIdentity(identity), listener);
  const sockets = new Set<Socket>();
  server.on(identity === undefined ? "connection" : "secureConnection", (socket: Socket) => {
    numbers.set(socket, numbers.size + 1);
    sockets.add(socket);
    socket.on("error", () => undefined);
  });
  server.on("tlsClientError", () => undefined);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    arrived,
    connections: () => numbers.size,
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        for (const socket of sockets) socket.destroy();
        server.closeAllConnections();
      }),
  };
}
