import { lastKnownServer } from "../../provider/lifecycle/lastKnown";
import { known, unknown, valueOr } from "../../provider/model";
import { findCertificate, heldServices } from "../../provider/plan/holdings";
import { readState } from "../../provider/state";
import { EX01, EX02, MAIL, RENEWED_PFX, binding, failure, openBench } from "./bench";
import type { Bag, BenchOptions } from "./bench";
import { called } from "../identities";

/** Outputs of a binding, as a state may hold them. */
async function outputs(changes: Bag = {}): Promise<{ readonly id: string; readonly outs: Bag; readonly inputs: Bag }> {
  return openBench().make(binding(changes));
}

const OFFLINE: BenchOptions = { config: { "exchange:offline": "true" } };
const NOT_ASKED =
  "[ex01.contoso.com] mail: the server wasn't asked (exchange:offline is set); planned from the last known state, drift can't be seen";

describe("the server as the state remembers it", () => {
  it("has the one certificate with what it held, and knows nothing else", async () => {
    const { id, outs } = await outputs({ services: ["IIS", "SMTP", "IMAP"] });
    const server = lastKnownServer(readState(id, outs), "not asked");
    const certificate = server && findCertificate(server, MAIL.facts.thumbprint);
    expect(server && certificate && heldServices(server, certificate)).toEqual(known(["IIS", "IMAP", "SMTP"]));
    expect(server).toMatchObject({
      server: EX01,
      version: unknown("not asked"),
      defaultSmtpThumbprint: unknown("not asked"),
      sendConnectors: unknown("not asked"),
    });
  });

  it("has the default SMTP certificate only where that is the binding's own", async () => {
    const { id, outs } = await outputs({ replaceDefaultSmtpCertificate: true });
    const server = lastKnownServer(readState(id, outs), "not asked");
    expect(server?.defaultSmtpThumbprint).toEqual(known(MAIL.facts.thumbprint));
  });

  it("has a declared name also where nobody declared the service", async () => {
    const { id, outs } = await outputs({ imapCertificateName: "imap.fabrikam.com" });
    const server = lastKnownServer(readState(id, outs), "not asked");
    expect(server && valueOr(server.imapCertificateName, undefined)).toBe("imap.fabrikam.com");
  });

  it("is none where the state doesn't hold enough", async () => {
    const { id, outs } = await outputs();
    for (const key of ["heldServices", "subject", "notAfter"]) {
      const { [key]: _, ...less } = outs;
      expect(lastKnownServer(readState(id, less), "not asked")).toBeUndefined();
    }
  });
});

describe("planned from the last known state", () => {
  const offline = async (made: Bag, wish: Bag) => {
    const { id, outs, inputs } = await outputs(made);
    const bench = openBench(undefined, OFFLINE);
    const checked = await bench.checked(binding(wish), inputs);
    const answer = await bench.lifecycle.diff(id, outs, checked);
    expect(bench.calls).toEqual([]);
    expect(bench.lines).toContain(NOT_ASKED.replace(EX01, String(checked["server"])));
    return { answer, lines: bench.lines };
  };

  it.each([
    ["nothing", {}],
    ["nothing where names are declared without their services", { imapCertificateName: "imap.fabrikam.com" }],
    ["nothing where the default SMTP role is held", { replaceDefaultSmtpCertificate: true }],
    ["nothing with IMAP and IIS", { services: ["IIS", "IMAP", "SMTP"] }],
  ])("an unchanged binding has %s to do", async (_what, changes) => {
    expect((await offline(changes, changes)).answer).toEqual({ changes: false });
  });

  it("an added service is a change, with the step that it takes", async () => {
    const { answer, lines } = await offline({}, { services: ["SMTP", "IIS"] });
    expect(answer).toEqual({ changes: true });
    expect(lines.join("\n")).toContain(`enables IIS for ${MAIL.facts.thumbprint.slice(0, 8)}`);
  });

  it("another certificate replaces, although what it would need can't be judged", async () => {
    const { answer } = await offline({}, { certificate: RENEWED_PFX });
    expect(answer).toEqual({ changes: true, replaces: ["certificate"], deleteBeforeReplace: false });
  });

  it("a move to another server replaces, and says nothing of what nobody knows there", async () => {
    const { answer, lines } = await offline({}, { server: EX02 });
    expect(answer).toEqual({ changes: true, replaces: ["server"], deleteBeforeReplace: false });
    expect(lines).toHaveLength(1);
  });

  it("a released service is a change that isn't refused before anybody was asked", async () => {
    const { answer } = await offline({ services: ["IIS", "SMTP"] }, { services: ["SMTP"] });
    expect(answer).toEqual({ changes: true });
  });
});

it("only its own changes of a server that can't be reached fail when previews may continue", async () => {
  const { id, outs, inputs } = await outputs();
  const bench = openBench(undefined, { config: { "exchange:onUnreachable": "continue" } });
  await bench.break(EX01, { unreachable: true });
  const news = await bench.checked(binding({ services: ["SMTP", "IIS"] }), inputs);
  expect(await bench.lifecycle.diff(id, outs, news)).toEqual({ changes: true });
  expect(bench.lines.join("\n")).toContain("the server wasn't asked (");
  const failed = await failure(bench.lifecycle.update(id, outs, news));
  expect(failed).toMatchObject({ code: "ServerUnreachable" });
  expect(failed.id).toBeUndefined();
  const other = await bench.make(binding({ ...called("other"), server: EX02 }));
  expect(other.id).toBe(`${EX02}/${MAIL.facts.thumbprint}`);
});
