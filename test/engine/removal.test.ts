import {
  EX01,
  certificatesOf,
  enableByHand,
  frontEndOf,
  makeBindings,
  makePfx,
  pfxText,
  programOf,
  type TestPfx,
} from "./bindingProgram";
import { mustSucceed, type EngineProject } from "./engine";

const short = (pfx: TestPfx) => pfx.thumbprint.slice(0, 8);
const declare = (pfx: TestPfx, services = '["IIS", "SMTP"]', more = ""): string =>
  `{ server: "${EX01}", certificate: ${pfxText(pfx)}, services: ${services}, onDelete: "remove"${more} }`;
const isThere = async (project: EngineProject, { thumbprint }: TestPfx): Promise<boolean> =>
  (await certificatesOf(project, EX01)).some((one) => one.Thumbprint === thumbprint);

describe("a certificate that is to be removed, in the real engine", () => {
  const [first, second, third] = [makePfx(), makePfx(), makePfx()];

  it("goes when another one is in place, stays for whoever declares it, and comes back for nobody", async () => {
    const project = await makeBindings({ mail: declare(first) });
    mustSucceed(await project.up("--skip-preview"));

    project.setProgram(programOf({ mail: declare(second) }));
    const preview = mustSucceed(await project.preview());
    expect(preview.combined).toContain(`removes the replaced ${short(first)} (mail.contoso.com`);
    const replaced = mustSucceed(await project.up("--skip-preview"));
    expect(replaced.combined).toContain(`removed ${short(first)} (mail.contoso.com`);
    expect(await isThere(project, first)).toBe(false);
    expect(await frontEndOf(project, EX01)).toBe(second.thumbprint);
    mustSucceed(await project.preview("--expect-no-changes"));
    mustSucceed(await project.refresh("--expect-no-changes"));

    // What the engine replaces by itself is the same certificate: deleting the old resource must not take it away.
    const [resource] = await project.resources();
    const urn = resource?.urn ?? "";
    const again = mustSucceed(await project.up("--skip-preview", "--target-replace", urn));
    expect(again.combined).toContain(`certificate ${short(second)} stays: binding "mail" declares it`);
    mustSucceed(await project.pulumi("state", "taint", "--yes", urn));
    mustSucceed(await project.up("--skip-preview"));
    project.setProgram(programOf({ post: declare(second) }));
    mustSucceed(await project.up("--skip-preview"));
    expect(await isThere(project, second)).toBe(true);
    expect(await frontEndOf(project, EX01)).toBe(second.thumbprint);
  });

  it("deleted before its successor is there, it stays until then, and goes with the next run", async () => {
    const first_ = makePfx();
    const options = "{ deleteBeforeReplace: true }";
    const withOption = (pfx: TestPfx): string => `${declare(pfx)}, ${options}`;
    const project = await makeBindings({ mail: withOption(first_) });
    mustSucceed(await project.up("--skip-preview"));
    project.setProgram(programOf({ mail: withOption(third) }));
    const replaced = mustSucceed(await project.up("--skip-preview"));
    expect(replaced.combined).toContain(`certificate ${short(first_)} stays until the binding that replaces this one`);
    expect(await frontEndOf(project, EX01)).toBe(third.thumbprint);
    mustSucceed(await project.up("--skip-preview"));
    expect(await isThere(project, first_)).toBe(false);
    mustSucceed(await project.preview("--expect-no-changes"));
  });

  it("is refused to a destroy while something needs it, with the way out", async () => {
    const project = await makeBindings({ mail: declare(first) });
    const builtIn = await frontEndOf(project, EX01);
    mustSucceed(await project.up("--skip-preview"));
    const refused = await project.destroy();
    expect(refused.exitCode).not.toBe(0);
    expect(refused.combined).toMatch(/it is bound to the front end of IIS\. Give IIS to another certificate first\./);
    expect(refused.combined).toContain('set onDelete: "retain", run pulumi up, then delete');
    expect(refused.combined).not.toMatch(/\n\s+at /);
    expect(await frontEndOf(project, EX01)).toBe(first.thumbprint);
    await enableByHand(project, EX01, builtIn, "IIS");
    mustSucceed(await project.destroy());
    expect(await isThere(project, first)).toBe(false);
    expect(await project.resources()).toEqual([]);
  });
});
