import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import pulumi from "@pulumi/pulumi";

const THUMBPRINT = "85419C578C3EC0F8D3CB4590D8BA0F3B7C2C7DBD";
const valueOf = (output) => new Promise((resolve) => output.apply(resolve));

describe("the farm", () => {
  let bindings;
  before(async () => {
    await pulumi.runtime.setMocks({
      // What the provider would answer: the inputs, and what it would have read from the server.
      newResource: ({ inputs }) => ({
        id: `${inputs.server}/${THUMBPRINT}`,
        state: { ...inputs, thumbprint: THUMBPRINT, heldServices: inputs.services, followUps: [] },
      }),
      call: ({ inputs }) => inputs,
    });
    // Only now: the resources register where they are made.
    ({ bindings } = await import("./farm.cjs"));
  });

  it("has one binding on each server", async () => {
    const servers = await Promise.all(bindings.map(({ server }) => valueOf(server)));
    assert.deepEqual(servers, ["ex01.contoso.com", "ex02.contoso.com"]);
  });

  it("serves IIS and SMTP with it", async () => {
    for (const { heldServices } of bindings) assert.deepEqual(await valueOf(heldServices), ["IIS", "SMTP"]);
  });
});
