import { known, unknown } from "../../provider/model";
import { connectorConflicts, decideReceive, decideSend } from "../../provider/plan/connectors";
import type { SourceServer } from "../../provider/plan/connectors";
import type { ObservedServer } from "../../provider/plan/observedServer";
import { EX01, EX02, MAIL, NOW, RENEWED, certificate, inDays, server, shown } from "./servers";

const NAME = `<I>${MAIL.issuer}<S>${MAIL.subject}`;
const OTHER = "<I>CN=Old CA<S>CN=mail.contoso.com";
const SMTP = { services: ["SMTP"] } as const;

function connector(tlsCertificateName: string | undefined, sourceServers: readonly string[] = ["EX01", "EX02"]) {
  return { name: "Out", fqdn: undefined, tlsCertificateName, sourceServers };
}

function seen(name: string, of: ObservedServer): SourceServer {
  return { kind: "seen", name, server: of };
}

const READY = server([shown(MAIL, SMTP)]);
const NOT_READY = server([shown(MAIL)], { server: EX02 });

function decide(names: string | undefined, ex02: SourceServer) {
  const own = { ...READY, sendConnectors: known([connector(names)]) };
  const sourceOf = (name: string): SourceServer => (name === "EX02" ? ex02 : seen(name, READY));
  return decideSend({ connector: "out", facts: MAIL, server: own, sourceOf, now: NOW });
}

describe("a send connector", () => {
  it("is set once every source server has a fit certificate of that issuer and subject with SMTP", () => {
    const renewedThere = seen("EX02", server([shown(RENEWED, SMTP)], { server: EX02 }));
    expect(decide(OTHER, renewedThere)).toEqual({ kind: "complete", connector: "Out", name: NAME, previous: OTHER });
    expect(decide(undefined, renewedThere)).toMatchObject({ kind: "complete", previous: undefined });
  });

  it.each<[string, SourceServer, object]>([
    ["has no certificate with SMTP", seen("EX02", NOT_READY), { kind: "withoutCertificate", name: "EX02" }],
    [
      "has an expired one",
      seen("EX02", server([shown(certificate("mail.contoso.com", { notAfter: inDays(-1) }), SMTP)])),
      { kind: "withoutCertificate", name: "EX02" },
    ],
    [
      "can't be reached",
      { kind: "unreachable", name: "EX02", reason: "no route" },
      { kind: "unreachable", name: "EX02", reason: "no route" },
    ],
    ["is an Edge server", { kind: "edge", name: "EX02" }, { kind: "edge", name: "EX02" }],
  ])("waits for a source server that %s", (_what, ex02, reason) => {
    expect(decide(OTHER, ex02)).toEqual({ kind: "waiting", connector: "Out", for: [reason] });
  });

  it("that names the certificate already is left, also where a source server isn't ready, whatever the blanks and case", () => {
    expect(decide(NAME.toUpperCase().replace("<I>", "<I>"), seen("EX02", NOT_READY))).toMatchObject({ kind: "set" });
  });

  it("that isn't there, or can't be read, is told apart", () => {
    const request = { facts: MAIL, sourceOf: () => seen("EX01", READY), now: NOW };
    expect(decideSend({ ...request, connector: "None", server: READY })).toMatchObject({ kind: "missing" });
    const unread = { ...READY, sendConnectors: unknown("no role") };
    expect(decideSend({ ...request, connector: "Out", server: unread })).toMatchObject({ reason: "no role" });
  });
});

describe("a receive connector", () => {
  const withName = (tlsCertificateName: string | undefined) => ({
    ...READY,
    receiveConnectors: known([{ identity: "EX01\\Default Frontend EX01", fqdn: undefined, tlsCertificateName }]),
  });

  it("is set when it names another certificate or none, and left when it names this one", () => {
    const decisions = [OTHER, undefined, NAME].map((name) =>
      decideReceive("default frontend ex01", MAIL, withName(name)),
    );
    expect(decisions).toEqual([
      { kind: "change", connector: "Default Frontend EX01", name: NAME, previous: OTHER },
      { kind: "change", connector: "Default Frontend EX01", name: NAME, previous: undefined },
      { kind: "set", connector: "default frontend ex01" },
    ]);
  });

  it("that isn't there, or can't be read, is told apart", () => {
    expect(decideReceive("Relay", MAIL, withName(NAME))).toEqual({ kind: "missing", connector: "Relay" });
    const unread = { ...READY, receiveConnectors: unknown("no role") };
    expect(decideReceive("Relay", MAIL, unread)).toMatchObject({ kind: "unknown", reason: "no role" });
  });
});

describe("two bindings of one connector", () => {
  const claim = (urn: string, certificateName: string | undefined, name = "Out") => ({
    identity: { urn, label: urn },
    server: EX01,
    connector: name,
    certificateName,
  });

  it("conflict when they want different names, in any case", () => {
    expect(connectorConflicts([claim("a", NAME)], [claim("b", OTHER, "OUT")])).toEqual([
      { connector: "Out", other: { urn: "b", label: "b" }, names: [NAME, OTHER] },
    ]);
  });

  it.each<[string, ReturnType<typeof claim>]>([
    ["the same name", claim("b", NAME.toLowerCase())],
    ["a name that isn't known yet", claim("b", undefined)],
    ["another connector", claim("b", OTHER, "In")],
  ])("don't for %s", (_what, other) => {
    expect(connectorConflicts([claim("a", NAME)], [other])).toEqual([]);
  });

  it("don't when they are one", () => {
    expect(connectorConflicts([claim("a", NAME)], [claim("a", OTHER)])).toEqual([]);
  });
});
