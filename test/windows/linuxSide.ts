import { once } from "node:events";
import net from "node:net";
import readline from "node:readline";
import type { AcceptorBehaviour, AcceptorEvent } from "../remoting/kerberos/acceptor";
import type { AcceptorWish, LinuxRequest, WindowsHarness } from "./linuxProtocol";

const harness = process.env["HARNESS_WINDOWS"];

/** A front end with Kerberos, on the Linux side. */
export interface FrontEnd {
  readonly url: string;
  events<Kind extends AcceptorEvent["event"]>(kind: Kind): Promise<readonly Extract<AcceptorEvent, { event: Kind }>[]>;
  forgetEvents(): Promise<void>;
  behave(changes: Partial<AcceptorBehaviour>): Promise<void>;
  stop(): Promise<void>;
}

/** What these tests have on the Linux side, where Kerberos' own programs run. */
export interface LinuxSide {
  readonly password: string;
  start(wish: Omit<AcceptorWish, "service" | "behaviour"> & Partial<AcceptorWish>): Promise<FrontEnd>;
  /** Puts a ticket into the cache that this process uses. */
  ticket(lifetimeSeconds?: number): Promise<void>;
  noTicket(): Promise<void>;
  close(): void;
}

export async function linuxSide(): Promise<LinuxSide> {
  if (harness === undefined) throw new Error("HARNESS_WINDOWS isn't set: run these tests with npm run test:windows");
  const { port, password } = JSON.parse(harness) as WindowsHarness;
  const socket = net.connect(port, "127.0.0.1");
  await once(socket, "connect");
  const waiting = new Map<number, { resolve: (result: unknown) => void; reject: (error: Error) => void }>();
  readline.createInterface({ input: socket }).on("line", (line) => {
    const { id, result, error } = JSON.parse(line) as { id: number; result?: unknown; error?: string };
    const one = waiting.get(id);
    waiting.delete(id);
    if (error === undefined) one?.resolve(result);
    else one?.reject(new Error(`The Linux side: ${error}`));
  });
  let asked = 0;
  const tell = async (request: LinuxRequest): Promise<void> => {
    await ask(request);
  };
  const ask = (request: LinuxRequest): Promise<unknown> =>
    new Promise((resolve, reject) => {
      asked += 1;
      waiting.set(asked, { resolve, reject });
      socket.write(`${JSON.stringify({ id: asked, request })}\n`);
    });
  return {
    password,
    start: async (wish) => {
      const request = { what: "start", service: "HTTP/localhost", behaviour: {}, ...wish } as const;
      const { id, url } = (await ask(request)) as { id: number; url: string };
      return {
        url,
        events: async <Kind extends AcceptorEvent["event"]>(kind: Kind) =>
          (await ask({ what: "events", id, kind })) as readonly Extract<AcceptorEvent, { event: Kind }>[],
        forgetEvents: () => tell({ what: "forgetEvents", id }),
        behave: (behaviour) => tell({ what: "behave", id, behaviour }),
        stop: () => tell({ what: "stop", id }),
      };
    },
    ticket: (lifetimeSeconds) =>
      tell({ what: "ticket", ...(lifetimeSeconds === undefined ? {} : { lifetimeSeconds }) }),
    noTicket: () => tell({ what: "noTicket" }),
    close: () => {
      socket.destroy();
    },
  };
}
