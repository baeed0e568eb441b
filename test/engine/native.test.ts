import { EX01, enableByHand, frontEndOf, makePfx, pfxText } from "./bindingProgram";
import { mustSucceed } from "./engine";
import { makeNative, nativeProgramOf } from "./nativeProgram";

describe("the native plugin in the real engine", () => {
  it("lives: previewed, made, unchanged, drifted, repaired, refused, replaced, refreshed, forgotten", async () => {
    const first = makePfx();
    const second = makePfx();
    const declare = (pfx: typeof first, services: string): string =>
      `{ server: "EX01.contoso.com", certificate: ${pfxText(pfx)}, services: ${services} }`;
    const project = await makeNative(nativeProgramOf({ mail: declare(first, '["smtp", "IIS"]') }));
    const builtIn = await frontEndOf(project, EX01);

    const preview = mustSucceed(await project.preview());
    expect(preview.combined).toMatch(/\(mail\):\n.*on ex01\.contoso\.com: comes: /);
    expect(preview.combined).toContain(`IIS leaves ${builtIn.slice(0, 8)}`);
    expect(await frontEndOf(project, EX01)).toBe(builtIn);

    mustSucceed(await project.up("--skip-preview"));
    expect(await frontEndOf(project, EX01)).toBe(first.thumbprint);
    const [resource] = await project.resources();
    expect(resource?.id).toBe(`${EX01}/${first.thumbprint}`);
    expect(resource?.outputs).toMatchObject({ heldServices: ["IIS", "SMTP"], thumbprint: first.thumbprint });
    expect(resource?.inputs).not.toHaveProperty("bindingUrn");
    mustSucceed(await project.refresh("--expect-no-changes"));

    await enableByHand(project, EX01, builtIn, "IIS");
    const drifted = await project.preview("--diff", "--expect-no-changes");
    expect(drifted.exitCode).not.toBe(0);
    expect(drifted.combined).toContain(`warning: on ${EX01}: DRIFT: IIS is now held by ${builtIn.slice(0, 8)}`);
    expect(drifted.combined).toContain('+ [0]: "IIS"');
    mustSucceed(await project.up("--skip-preview"));
    expect(await frontEndOf(project, EX01)).toBe(first.thumbprint);

    project.setProgram(nativeProgramOf({ mail: declare(first, '["SMTP"]') }));
    const refused = await project.preview();
    expect(refused.exitCode).not.toBe(0);
    expect(refused.combined).toContain('Binding "mail": IIS was removed, but');

    project.setProgram(nativeProgramOf({ mail: declare(second, '["IIS", "SMTP"]') }));
    expect(await project.plan()).toEqual([expect.objectContaining({ op: "replace", replaceReasons: ["certificate"] })]);
    mustSucceed(await project.up("--skip-preview"));
    expect(await frontEndOf(project, EX01)).toBe(second.thumbprint);
    mustSucceed(await project.preview("--expect-no-changes"));

    const destroyed = mustSucceed(await project.destroy());
    expect(destroyed.combined).toContain(`certificate ${second.thumbprint} stays on ${EX01}`);
    expect(await project.resources()).toEqual([]);
  });
});
