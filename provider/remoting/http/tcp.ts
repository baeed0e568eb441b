import { connect, type Socket } from "node:net";

/** The port that a URL means. */
export function portOf(url: URL): number {
  if (url.port !== "") return Number(url.port);
  return url.protocol === "https:" ? 443 : 80;
}

/** The host of a URL as sockets want it: an IPv6 address without its brackets. */
export function hostOf(url: URL): string {
  return url.hostname.replace(/^\[(.*)\]$/, "$1");
}

/** Begins a TCP connection. `done` is called once: with a socket that is connected, or with an error. */
export function connectPlain(url: URL, done: (error: unknown, socket: Socket | undefined) => void): Socket {
  const socket = connect({ host: hostOf(url), port: portOf(url), noDelay: true });
  const failed = (error: Error): void => {
    done(error, undefined);
  };
  socket.once("error", failed);
  socket.once("connect", () => {
    socket.off("error", failed);
    done(undefined, socket);
  });
  return socket;
}
