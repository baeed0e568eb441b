import { check } from "../../provider/lifecycle/check";
import { diff } from "../../provider/lifecycle/diff";
import type { Decision } from "../../provider/lifecycle/requests";
import { binding, BUILT_IN, openBench, RENEWED_PFX, type Bag, type Bench, type Made } from "./bench";

const SERVICES = ["SMTP", "IMAP", "IIS"];

/** What a preview of these inputs decides, in a process of its own. */
async function decided(bench: Bench, made: Made, inputs: Bag): Promise<Decision> {
  const { deployment } = bench.again();
  const checked = await check(deployment, { oldInputs: made.inputs, inputs });
  expect(checked.failures).toEqual([]);
  return diff(deployment, { id: made.id, state: made.outs, inputs: checked.inputs });
}

describe("what a decision names as different", () => {
  let bench: Bench;
  let made: Made;
  beforeEach(async () => {
    bench = openBench();
    made = await bench.make(binding({ services: SERVICES }));
  });

  it("is nothing where nothing is to be done", async () => {
    expect(await decided(bench, made, binding({ services: SERVICES }))).toEqual({
      kind: "none",
      differences: [],
      replaces: [],
    });
  });

  it("is the lost service in its place among the declared ones, which the inputs don't show", async () => {
    await bench.touch("ex01.contoso.com", ({ iis }) => ({ iis: { ...iis, frontEnd: BUILT_IN.facts.thumbprint } }));
    expect(await decided(bench, made, binding({ services: SERVICES }))).toEqual({
      kind: "update",
      differences: [{ path: "services[0]", kind: "add", ofInputs: false }],
      replaces: [],
    });
  });

  it("is the name that somebody changed", async () => {
    const named = binding({ services: SERVICES, imapCertificateName: "imap.contoso.com" });
    made = await bench.again().make(named);
    await bench.touch("ex01.contoso.com", () => ({ imap: { x509CertificateName: "mail.contoso.com" } }));
    expect(await decided(bench, made, named)).toMatchObject({
      differences: [{ path: "imapCertificateName", kind: "update", ofInputs: false }],
    });
  });

  it("is another certificate once, and the inputs of the state alone", async () => {
    const changes = { certificate: RENEWED_PFX, services: SERVICES, timeoutSeconds: 60 };
    expect(await decided(bench, made, binding(changes))).toMatchObject({
      kind: "replace",
      replaces: ["certificate"],
      differences: [
        { path: "certificate", kind: "update" },
        { path: "timeoutSeconds", kind: "add", ofInputs: true },
      ],
    });
  });
});
