import type { Backend } from "../../provider/backends/backend";
import type { Organisation } from "../../provider/backends/simulator/organisation";
import { ExchangeBindingError } from "../../provider/errors";
import { DAY_MS } from "../../provider/model";
import { makeTestAuthority } from "../certificate/testCertificates";
import { RefusedPreview, givenPfx, makeMiniEngine, type MiniEngine, type Run } from "../miniEngine";
import { called } from "../identities";
import { EX01, EX02, NOW, farm, farmOf, fqdn, openBench, type Bag } from "./bench";

/* Connectors that follow a certificate, in the order in which the engine calls the provider. */

const authority = makeTestAuthority();
const mail = givenPfx({ issuer: authority });
const other = givenPfx({ subject: "CN=mail.contoso.com, O=Contoso", issuer: authority });
const NAME = "<I>CN=Contoso Issuing CA, O=Contoso<S>CN=mail.contoso.com";
const OTHER = "<I>CN=Contoso Issuing CA, O=Contoso<S>CN=mail.contoso.com, O=Contoso";

const bound = (server: string, certificate: unknown, connectors: unknown = { send: ["Outbound"] }) => ({
  server,
  certificate,
  services: ["SMTP"],
  connectors,
});

/** One that declares no connector. */
const BARE = { server: EX02, certificate: mail.source, services: ["SMTP"] };

async function begin(sourceServers: readonly string[] = ["EX01", "EX02"]): Promise<MiniEngine> {
  const organisation = farm({ receiveConnectors: [{ name: "Relay", fqdn: null, tlsCertificateName: null }] });
  const sendConnectors = [{ name: "Outbound", fqdn: null, tlsCertificateName: null, sourceServers }];
  return makeMiniEngine({ ...organisation, sendConnectors }, () => NOW);
}

const namedBy = async (engine: MiniEngine): Promise<string | null | undefined> =>
  (await engine.store.read()).sendConnectors[0]?.tlsCertificateName;
const relayOf = async (engine: MiniEngine): Promise<string | null | undefined> =>
  (await engine.store.read()).servers[EX01]?.receiveConnectors[0]?.tlsCertificateName;
const said = (run: Run, text: string) => run.lines.filter((line) => line.includes(text));
const touch = (engine: MiniEngine, change: (organisation: Organisation) => Organisation): Promise<void> =>
  engine.store.update((organisation) => ({ organisation: change(organisation), result: undefined }));

describe("a send connector", () => {
  it("is set by whoever finds every source server ready, and until then the plan says which one it waits for", async () => {
    const engine = await begin();
    const alone = { one: bound(EX01, mail.source) };
    const waits = 'send connector "Outbound" doesn\'t name the certificate yet: its source server EX02 has no valid';
    expect(said(await engine.preview(alone), waits)).toHaveLength(1);
    await engine.up(alone);
    expect(await namedBy(engine)).toBeNull();
    // Waiting is never a change.
    const again = await engine.up(alone);
    expect([again.done["one"], said(again, waits).length]).toEqual(["same", 1]);
    const both = await engine.up({ ...alone, two: bound(EX02, mail.source) });
    expect(await namedBy(engine)).toBe(NAME);
    expect(said(both, 'let send connector "Outbound" name')).toHaveLength(1);
    expect(said(both, "a later run of the Hybrid Configuration Wizard sets its own connectors again")).toHaveLength(2);
    expect((await engine.up({ ...alone, two: bound(EX02, mail.source) })).done).toEqual({ one: "same", two: "same" });
  });

  it("is set in one run where both servers get the certificate in it", async () => {
    const engine = await begin();
    const program = { one: bound(EX01, mail.source), two: bound(EX02, mail.source) };
    await engine.up(program);
    expect(await namedBy(engine)).toBe(NAME);
    expect((await engine.preview(program)).done).toEqual({ one: "same", two: "same" });
  });

  it.each(["the first", "the last"])("is set in one run where %s of its servers declares it alone", async (which) => {
    const engine = await begin();
    const declaring = bound(EX01, mail.source);
    const program = which === "the first" ? { one: declaring, two: BARE } : { two: BARE, one: declaring };
    const up = await engine.up(program);
    expect(await namedBy(engine)).toBe(NAME);
    expect(said(up, 'let send connector "Outbound" name')).toHaveLength(1);
    expect((await engine.preview(program)).done).toEqual({ one: "same", two: "same" });
  });

  it("that waited in an earlier run is set in the one that makes its last server ready, whoever does", async () => {
    const engine = await begin();
    const program = { one: bound(EX01, mail.source) };
    await engine.up(program);
    // Here nothing is to be done with the binding that declares it.
    const up = await engine.up({ ...program, two: BARE });
    expect(up.done).toEqual({ one: "same", two: "create" });
    expect(await namedBy(engine)).toBe(NAME);
    expect(said(up, "a later run of the Hybrid Configuration Wizard sets its own connectors again")).toHaveLength(1);
    expect((await engine.preview({ ...program, two: BARE })).done).toEqual({ one: "same", two: "same" });
  });

  it("that has waited and is ready by what somebody else did is no drift", async () => {
    const engine = await begin();
    const program = { one: bound(EX01, mail.source) };
    await engine.up(program);
    await touch(engine, (organisation) => {
      const [one, two] = [organisation.servers[EX01], organisation.servers[EX02]];
      const brought = one?.certificates.at(-1);
      if (one === undefined || two === undefined || brought === undefined) throw new Error("no such server");
      const servers = { ...organisation.servers, [EX02]: { ...two, certificates: [...two.certificates, brought] } };
      return { ...organisation, servers };
    });
    const up = await engine.up(program);
    expect(up.done).toEqual({ one: "update" });
    expect(await namedBy(engine)).toBe(NAME);
    expect(said(up, "DRIFT")).toEqual([]);
    // From now on it is.
    await touch(engine, (organisation) => ({
      ...organisation,
      sendConnectors: organisation.sendConnectors.map((one) => ({ ...one, tlsCertificateName: null })),
    }));
    expect(said(await engine.preview(program), "DRIFT")).toHaveLength(1);
  });

  it("that couldn't be set by a binding that doesn't declare it fails nobody, and is set by the next run", async () => {
    const engine = await begin();
    const program = { one: bound(EX01, mail.source), two: BARE };
    const refusing = (backend: Backend): Backend => ({
      ...backend,
      setSendConnectorCertificate: () => Promise.reject(new ExchangeBindingError("AccessDenied", "No role for it.")),
    });
    const up = await engine.up(program, refusing);
    expect(up.done).toEqual({ one: "create", two: "create" });
    expect(
      said(
        up,
        'send connector "Outbound" has waited for this server, and couldn\'t be set; the next run tries again. No role',
      ),
    ).toHaveLength(1);
    await engine.up(program);
    expect(await namedBy(engine)).toBe(NAME);
  });

  it("moves on with another certificate, once that is everywhere", async () => {
    const engine = await begin();
    await engine.up({ one: bound(EX01, mail.source), two: bound(EX02, mail.source) });
    await engine.up({ one: bound(EX01, other.source), two: bound(EX02, other.source) });
    expect(await namedBy(engine)).toBe(OTHER);
  });

  it("that moves in the same run is nothing that anybody has to do for the old certificate", async () => {
    const engine = await begin();
    const removing = (certificate: unknown) => ({
      one: { ...bound(EX01, certificate), onDelete: "remove" },
      two: { ...bound(EX02, certificate), onDelete: "remove" },
    });
    await engine.up(removing(mail.source));
    const preview = await engine.preview(removing(other.source));
    expect(said(preview, `so Exchange doesn't let it go until that names the new one`)).toHaveLength(2);
    expect(said(preview, "Set-SendConnector")).toEqual([]);
    const up = await engine.up(removing(other.source));
    expect(said(up, "removed ")).toHaveLength(2);
    expect((await engine.preview(removing(other.source))).done).toEqual({ one: "same", two: "same" });
  });

  it("that waits for another server longer than a run is nothing to do for the old certificate either", async () => {
    const engine = await begin();
    const program = (certificate: unknown) => ({
      one: { ...bound(EX01, certificate), onDelete: "remove" },
      two: { server: EX02, certificate: mail.source, services: ["SMTP"] },
    });
    await engine.up(program(mail.source));
    await engine.up(program(other.source));
    const later = await engine.preview(program(other.source));
    expect(later.done).toEqual({ one: "same", two: "same" });
    expect(said(later, "so Exchange doesn't let it go until that names the new one")).toHaveLength(1);
    expect(said(later, "Set-SendConnector")).toEqual([]);
  });

  it("that somebody changed is drift: told, and set again", async () => {
    const engine = await begin(["EX01"]);
    const program = { one: bound(EX01, mail.source) };
    await engine.up(program);
    await touch(engine, (organisation) => ({
      ...organisation,
      sendConnectors: organisation.sendConnectors.map((one) => ({ ...one, tlsCertificateName: OTHER })),
    }));
    const drift = await engine.preview(program);
    expect(drift.done).toEqual({ one: "update" });
    expect(said(drift, `DRIFT: send connector "Outbound" now names ${OTHER}`)).toHaveLength(1);
    await engine.up(program);
    expect(await namedBy(engine)).toBe(NAME);
  });

  it("waits for a server that can't be asked, which fails nobody", async () => {
    const engine = await begin();
    await touch(engine, (organisation) => {
      const ex02 = organisation.servers[EX02];
      if (ex02 === undefined) throw new Error("no server");
      return {
        ...organisation,
        servers: { ...organisation.servers, [EX02]: { ...ex02, faults: { unreachable: true } } },
      };
    });
    const up = await engine.up({ one: bound(EX01, mail.source) });
    expect(up.done).toEqual({ one: "create" });
    expect(said(up, "whether its source server EX02 has one isn't known")).not.toEqual([]);
    expect(await namedBy(engine)).toBeNull();
  });

  it("is never set while a source server is an Edge server: the command is said", async () => {
    const engine = await begin(["EX01", "EDGE01"]);
    await touch(engine, (organisation) => ({
      ...organisation,
      edgeSubscriptions: [{ name: "EDGE01", site: organisation.servers[EX01]?.site ?? "" }],
    }));
    const up = await engine.up({ one: bound(EX01, mail.source) });
    expect(said(up, "EDGE01 is an Edge server, which can't be asked from here")).not.toEqual([]);
    expect(said(up, "Set-SendConnector 'Outbound' -TlsCertificateName")).not.toEqual([]);
    expect(await namedBy(engine)).toBeNull();
  });

  it("that isn't declared any more is left as it is, and that is said", async () => {
    const engine = await begin(["EX01"]);
    await engine.up({ one: bound(EX01, mail.source) });
    const { connectors: _connectors, ...without } = bound(EX01, mail.source);
    const up = await engine.up({ one: without });
    expect(said(up, 'left as they are: connectors "Outbound"')).toHaveLength(1);
    expect(await namedBy(engine)).toBe(NAME);
  });

  it("that two bindings want to name different certificates is refused, both named", async () => {
    const engine = await begin();
    const refused = engine.preview({ one: bound(EX01, mail.source), two: bound(EX02, other.source) });
    await expect(refused).rejects.toThrow(/bindings "one" and "two" want connector "Outbound" to name different/);
  });
});

describe("a send connector that bindings of made certificates declare", () => {
  const made = (subject: string) => ({ selfSigned: { dnsNames: ["mail.contoso.com"], subject } });

  it("is refused where their names differ, also while they are still to be made", async () => {
    const engine = await begin();
    const one = bound(EX01, made("CN=mail.contoso.com"));
    for (const certificate of [other.source, made("CN=mail.contoso.com, O=Contoso")]) {
      await expect(engine.preview({ one, two: bound(EX02, certificate) })).rejects.toThrow(
        /bindings "one" and "two" want connector "Outbound" to name different/,
      );
    }
  });

  it("is named once both are there where they agree, however the name is written", async () => {
    const engine = await begin();
    const program = {
      one: bound(EX01, made("CN=mail.contoso.com, O=Contoso")),
      two: bound(EX02, made("cn=mail.contoso.com; o=Contoso")),
    };
    await engine.up(program);
    expect(await namedBy(engine)).toBe("<I>CN=mail.contoso.com, O=Contoso<S>CN=mail.contoso.com, O=Contoso");
  });
});

describe("a receive connector", () => {
  it("is set on its server at once, by its name alone", async () => {
    const engine = await begin();
    const program = { one: bound(EX01, mail.source, { receive: ["relay"] }) };
    const preview = await engine.preview(program);
    expect(said(preview, 'plan: lets receive connector "Relay" name')).toHaveLength(1);
    await engine.up(program);
    expect(await relayOf(engine)).toBe(NAME);
    expect((await engine.up(program)).done).toEqual({ one: "same" });
  });
});

describe("a receive connector whose certificate has got no SMTP", () => {
  it("is left as it is, and the run fails", async () => {
    const engine = await begin();
    await touch(engine, (all) => {
      const server = all.servers[EX01];
      const faults = { enableHasNoEffectOn: ["SMTP"] as const };
      return server === undefined ? all : { ...all, servers: { ...all.servers, [EX01]: { ...server, faults } } };
    });
    await expect(engine.up({ one: bound(EX01, mail.source, { receive: ["Relay"] }) })).rejects.toThrow(
      /doesn't show SMTP with the certificate that connector "Relay" is to name/,
    );
    expect(await relayOf(engine)).toBeNull();
  });
});

describe("a receive connector that is to offer an expired certificate", () => {
  it("is refused, also where the certificate has SMTP already and nothing else is to be done", async () => {
    let now = NOW;
    const organisation = farm({ receiveConnectors: [{ name: "Relay", fqdn: null, tlsCertificateName: null }] });
    const engine = await makeMiniEngine(organisation, () => now);
    const ending = givenPfx({ issuer: authority, notAfter: new Date(NOW.getTime() + DAY_MS) });
    const one = { server: EX01, certificate: ending.source, services: ["SMTP"] };
    await engine.up({ one });
    now = new Date(NOW.getTime() + 2 * DAY_MS);
    expect((await engine.preview({ one })).done).toEqual({ one: "same" });
    const naming = { one: bound(EX01, ending.source, { receive: ["Relay"] }) };
    await expect(engine.preview(naming)).rejects.toThrow(/certificate:? .*expired/);
    expect(await relayOf(engine)).toBeNull();
  });
});

describe("connectors are refused", () => {
  it.each<[string, unknown, RegExp]>([
    ["that aren't there", { send: ["Nowhere"] }, /there is no send connector "Nowhere"/],
    ["with the server in front", { receive: ["EX01\\Relay"] }, /Give the name alone/],
    ["under another key", { inbound: ["Relay"] }, /give \{ send: /],
    ["none at all", {}, /at least one name/],
  ])("%s", async (_what, connectors, message) => {
    const engine = await begin();
    await expect(engine.preview({ one: bound(EX01, mail.source, connectors) })).rejects.toThrow(message);
  });

  it("without SMTP", async () => {
    const engine = await begin();
    const program = { one: { ...bound(EX01, mail.source), services: ["IIS"] } };
    await expect(engine.preview(program)).rejects.toThrow(RefusedPreview);
  });
});

it("reads its many source servers a few times each in a run that brings the certificate to all of them", async () => {
  const names = Array.from({ length: 12 }, (_, index) => `EX${String(index + 10)}`);
  const sendConnectors = [{ name: "Outbound", fqdn: null, tlsCertificateName: null, sourceServers: names }];
  const bench = openBench({ ...farmOf(names), sendConnectors });
  const servers = names.map((name) => fqdn(`${name}.contoso.com`));
  // As the engine does it: everything is looked at, then everything is made, side by side.
  const inputs: Bag[] = [];
  for (const server of servers) inputs.push(await bench.checked({ ...called(server), ...bound(server, mail.source) }));
  const before = bench.calls.length;
  await Promise.all(inputs.map((one) => bench.lifecycle.create(one)));
  expect((await bench.store.read()).sendConnectors[0]?.tlsCertificateName).toBe(NAME);
  const readings = bench.calls.slice(before).filter((call) => call.startsWith("readSnapshot"));
  const most = Math.max(...servers.map((server) => readings.filter((call) => call.endsWith(server)).length));
  expect(most).toBeLessThan(10);
});
