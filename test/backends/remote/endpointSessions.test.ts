import { EndpointSessions } from "../../../provider/backends/remote/endpointSessions";
import type { Endpoint } from "../../../provider/backends/simulator/endpoint/endpoint";
import { memoryState, type StateStore } from "../../../provider/backends/simulator/stateFile";
import { openSession, sessionEnv } from "../../../provider/remoting/session";
import { defaultOrganisation, EX01 } from "../simulatedServer";
import { sessionOptionsFor, startTestEndpoint } from "../../remoting/endpoint";
import { remotingFailure } from "../../failures";

const { signal } = new AbortController();
const READ = [{ name: "Get-ExchangeServer", parameters: {} }];
const RENAME = { name: "Set-ImapSettings", parameters: { Server: EX01, X509CertificateName: "imap.contoso.com" } };

const ends: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

interface Surroundings {
  readonly endpoint: Endpoint;
  readonly store: StateStore;
  readonly url: URL;
  readonly sessions: EndpointSessions;
  /** Sessions that were opened. */
  readonly opened: () => number;
  readonly clock: { now: number };
}

async function surroundings(): Promise<Surroundings> {
  const store = memoryState(await defaultOrganisation());
  const endpoint = await startTestEndpoint({ store });
  const clock = { now: Date.parse("2026-03-01T12:00:00Z") };
  let opened = 0;
  const sessions = new EndpointSessions({
    open: (url, limit) => {
      opened += 1;
      return openSession(sessionOptionsFor(url.href), { ...sessionEnv, now: () => new Date(clock.now) }, limit);
    },
    pause: () => Promise.resolve(),
    retryDelaysMilliseconds: [0],
  });
  ends.push(() => endpoint.close());
  ends.push(() => sessions.close());
  return { endpoint, store, url: new URL(endpoint.url), sessions, opened: () => opened, clock };
}

const nameOf = async (store: StateStore): Promise<string | undefined> =>
  (await store.read()).servers[EX01]?.imap.x509CertificateName ?? undefined;

describe("the sessions of a backend", () => {
  it("are one for an endpoint, as long as it is used", async () => {
    const { url, sessions, opened, endpoint } = await surroundings();
    for (let i = 0; i < 3; i++) expect(await sessions.read(url, READ, signal)).toMatchObject({ state: "Completed" });
    expect(opened()).toBe(1);
    expect(endpoint.shellCount()).toBe(1);
  });

  it("are opened anew when nobody used them for long: a change never finds its shell gone", async () => {
    const { url, sessions, opened, endpoint, clock, store } = await surroundings();
    await sessions.read(url, READ, signal);
    // What a change would meet in the old shell.
    endpoint.inject({ operation: "Delete", fault: { kind: "shellExpired" } });
    // The last request may be under way still; its answer is owed within a second.
    clock.now += 46_000;
    expect(await sessions.change(url, RENAME, signal)).toMatchObject({ state: "Completed", errors: [] });
    expect(await nameOf(store)).toBe("imap.contoso.com");
    expect(opened()).toBe(2);
    expect(endpoint.shellCount()).toBe(1);
  });

  it("are closed with everything that runs, and opened again for whoever asks afterwards", async () => {
    const { url, sessions, opened, endpoint, store } = await surroundings();
    await sessions.read(url, READ, signal);
    sessions.memoryOf(url).certificates = "whole";
    await Promise.all([sessions.close(), sessions.close()]);
    expect(endpoint.shellCount()).toBe(0);
    expect(await sessions.change(url, RENAME, signal)).toMatchObject({ state: "Completed", errors: [] });
    expect(await nameOf(store)).toBe("imap.contoso.com");
    expect(opened()).toBe(2);
    // What the endpoint has taught stays true.
    expect(sessions.memoryOf(url).certificates).toBe("whole");
  });

  it("are closed also while they are being opened, and leave no shell behind", async () => {
    const { url, sessions, endpoint } = await surroundings();
    endpoint.inject({ operation: "Receive", fault: { kind: "slow", milliseconds: 600_000 } });
    const failure = remotingFailure(sessions.read(url, READ, signal));
    while (endpoint.shellCount() === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    await sessions.close();
    expect(endpoint.shellCount()).toBe(0);
    expect((await failure).facts.fate).toBe("notDone");
  });

  it("leave to the server's idle time-out what can't be closed in time", async () => {
    const { url, sessions, endpoint } = await surroundings();
    await sessions.read(url, READ, signal);
    endpoint.inject({ operation: "Delete", fault: { kind: "slow", milliseconds: 600_000 } });
    await sessions.close();
    expect(endpoint.shellCount()).toBe(1);
    expect(await sessions.read(url, READ, signal)).toMatchObject({ state: "Completed" });
  });
});
