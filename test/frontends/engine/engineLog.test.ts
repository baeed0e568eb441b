import * as grpc from "@grpc/grpc-js";

import { engineAddressIn, engineLogAt } from "../../../provider/frontends/engine/engineLog";

interface Request {
  getUrn(): string;
  getMessage(): string;
  getSeverity(): number;
}

/* eslint-disable @typescript-eslint/no-require-imports -- the SDK declares types only for those who have its libraries */
const { EngineService } = require("@pulumi/pulumi/proto/engine_grpc_pb") as {
  readonly EngineService: grpc.ServiceDefinition;
};
const { Empty } = require("google-protobuf/google/protobuf/empty_pb") as { readonly Empty: new () => object };
/* eslint-enable */

/** An engine that takes lines, and what it has taken. `until`: how long it keeps an answer back. */
async function startEngine(until: (urn: string) => Promise<unknown> = () => Promise.resolve()): Promise<{
  readonly address: string;
  readonly taken: unknown[];
  readonly end: () => void;
}> {
  const taken: unknown[] = [];
  const server = new grpc.Server();
  server.addService(EngineService, {
    log: ({ request }: { readonly request: Request }, done: (error: null, answer: object) => void) => {
      taken.push([request.getUrn(), request.getSeverity(), request.getMessage()]);
      void until(request.getUrn()).then(() => {
        done(null, new Empty());
      });
    },
  });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, bound) => {
      if (error === null) resolve(bound);
      else reject(error);
    });
  });
  return {
    address: `127.0.0.1:${String(port)}`,
    taken,
    end: () => {
      server.forceShutdown();
    },
  };
}

/** Its log, and what it leaves to somebody else. */
function logAt(address: string, deadline?: number) {
  const log = engineLogAt(address, deadline);
  const lost: string[] = [];
  const show = (urn: string, severity: "info" | "warning", text: string): void => {
    log.show(urn, severity, text, () => lost.push(text));
  };
  return { lost, show, flush: () => log.flush() };
}

describe("the engine's log", () => {
  it("gets a resource's lines in their order, with the resource and the severity", async () => {
    const engine = await startEngine();
    const { lost, show, flush } = logAt(engine.address);
    show("urn:a", "info", "one");
    show("urn:a", "warning", "two");
    await flush();
    engine.end();
    expect(engine.taken).toEqual([
      ["urn:a", 1, "one"],
      ["urn:a", 2, "two"],
    ]);
    expect(lost).toEqual([]);
  });

  it("gets the lines of one resource while it thinks about those of another", async () => {
    let hasCome: () => void = () => undefined;
    const later = new Promise<void>((resolve) => (hasCome = resolve));
    const engine = await startEngine((urn) => {
      if (urn === "urn:a") return later;
      hasCome();
      return later;
    });
    const { lost, show, flush } = logAt(engine.address);
    show("urn:a", "info", "one");
    show("urn:b", "warning", "two");
    await flush();
    engine.end();
    expect(engine.taken).toHaveLength(2);
    expect(engine.taken).toEqual(
      expect.arrayContaining([
        ["urn:a", 1, "one"],
        ["urn:b", 2, "two"],
      ]),
    );
    expect(lost).toEqual([]);
  });

  it("leaves lines to somebody else where it can't be reached, and fails never", async () => {
    const engine = await startEngine();
    engine.end();
    const { lost, show, flush } = logAt(engine.address);
    show("urn:a", "info", "one");
    await flush();
    expect(lost).toEqual(["one"]);
  });

  it("waits no more than once for an engine that answers nothing, and loses no line", async () => {
    let asked = 0;
    const server = new grpc.Server();
    server.addService(EngineService, { log: () => (asked += 1) });
    const port = await new Promise<number>((resolve) => {
      server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (_error, bound) => {
        resolve(bound);
      });
    });
    const { lost, show, flush } = logAt(`127.0.0.1:${String(port)}`, 300);
    for (const text of ["one", "two", "three"]) show("urn:a", "info", text);
    await flush();
    show("urn:a", "info", "four");
    await flush();
    server.forceShutdown();
    expect(lost).toEqual(["one", "two", "three", "four"]);
    expect(asked).toBeLessThanOrEqual(1);
  });

  it.each([
    [["node", "index.js", "127.0.0.1:41047"], "127.0.0.1:41047"],
    [["node", "index.js", "[::1]:41047"], "[::1]:41047"],
    [["node", "index.js"], undefined],
    [["node", "index.js", "--flag"], undefined],
    [[], undefined],
  ])("is at the address that the process was started with: %p", (argv, address) => {
    expect(engineAddressIn(argv)).toBe(address);
  });
});
