import { EX01, defaultSmtpOf, enableByHand, frontEndOf, makePfx, pfxText, type Declared } from "./bindingProgram";
import { mustSucceed, type EngineProject } from "./engine";

/** A front end in the real engine: how its programs are written. */
export interface Kind {
  /** A project on a simulated organisation that is there. */
  readonly make: (bindings: Declared) => Promise<EngineProject>;
  readonly programOf: (bindings: Declared) => string;
  /** What `preview --diff` shows of IIS that has been lost, besides the line. */
  readonly drift?: string;
}

/** The life of a binding, whichever front end serves it. */
export async function live(kind: Kind): Promise<void> {
  const first = makePfx();
  const second = makePfx();
  const declare = (pfx: typeof first, services: string): string =>
    `{ server: "EX01.contoso.com", certificate: ${pfxText(pfx)}, services: ${services} }`;
  const project = await kind.make({ mail: declare(first, '["smtp", "IIS"]') });
  const builtIn = await frontEndOf(project, EX01);

  const preview = mustSucceed(await project.preview());
  expect(preview.combined).toContain(`IIS leaves ${builtIn.slice(0, 8)}`);
  expect(preview.combined).toContain(`the default SMTP certificate stays ${builtIn.slice(0, 8)}`);
  expect(await frontEndOf(project, EX01)).toBe(builtIn);

  mustSucceed(await project.up("--skip-preview"));
  expect(await frontEndOf(project, EX01)).toBe(first.thumbprint);
  expect(await defaultSmtpOf(project, EX01)).toBe(builtIn);
  const [resource] = await project.resources();
  expect(resource?.id).toBe(`${EX01}/${first.thumbprint}`);
  expect(resource?.outputs).toMatchObject({
    thumbprint: first.thumbprint,
    services: ["IIS", "SMTP"],
    heldServices: ["IIS", "SMTP"],
    isDefaultSmtpCertificate: false,
    takenOver: [{ service: "IIS", fromThumbprint: builtIn }],
    stateVersion: 1,
    backend: "simulator",
  });
  mustSucceed(await project.preview("--expect-no-changes"));
  mustSucceed(await project.refresh("--expect-no-changes"));
  mustSucceed(await project.preview("--expect-no-changes"));

  await enableByHand(project, EX01, builtIn, "IIS");
  const drifted = await project.preview("--diff", "--expect-no-changes");
  expect(drifted.exitCode).not.toBe(0);
  expect(drifted.combined).toContain(`DRIFT: IIS is now held by ${builtIn.slice(0, 8)}`);
  if (kind.drift !== undefined) expect(drifted.combined).toContain(kind.drift);
  const refreshed = await project.refresh("--preview-only", "--diff", "--expect-no-changes");
  expect(refreshed.exitCode).not.toBe(0);
  expect(refreshed.combined).toContain(`DRIFT: IIS is now held by ${builtIn.slice(0, 8)}`);
  expect(refreshed.combined).toContain('~ [0]: "IIS" => "SMTP"');
  const repaired = mustSucceed(await project.up("--skip-preview"));
  expect(repaired.combined).toContain("1 updated");
  expect(await frontEndOf(project, EX01)).toBe(first.thumbprint);
  mustSucceed(await project.refresh("--expect-no-changes"));

  project.setProgram(kind.programOf({ mail: declare(first, '["IIS", "SMTP", "IMAP", "POP"]') }));
  const extended = mustSucceed(await project.up("--skip-preview"));
  expect(extended.combined).toContain("enables IMAP and POP");
  expect(extended.combined).not.toContain("enables IIS");
  mustSucceed(await project.preview("--expect-no-changes"));

  project.setProgram(kind.programOf({ mail: declare(first, '["SMTP", "IMAP", "POP"]') }));
  const refused = await project.preview();
  expect(refused.exitCode).not.toBe(0);
  expect(refused.combined).toContain("Exchange can't take a service away");
  expect(refused.combined).not.toMatch(/\n\s+at /);

  project.setProgram(kind.programOf({ mail: declare(second, '["IIS", "SMTP", "IMAP", "POP"]') }));
  expect(await project.plan()).toEqual([expect.objectContaining({ op: "replace", replaceReasons: ["certificate"] })]);
  const replaced = mustSucceed(await project.up("--skip-preview"));
  expect(replaced.combined).toContain(`IIS leaves ${first.thumbprint.slice(0, 8)}`);
  expect(replaced.combined).toContain(`certificate ${first.thumbprint} stays on ${EX01}`);
  expect(await frontEndOf(project, EX01)).toBe(second.thumbprint);
  expect(await defaultSmtpOf(project, EX01)).toBe(builtIn);
  const [replacement] = await project.resources();
  expect(replacement?.outputs).toMatchObject({
    supersedes: [{ id: `${EX01}/${first.thumbprint}`, thumbprint: first.thumbprint, released: [] }],
  });
  mustSucceed(await project.preview("--expect-no-changes"));
  mustSucceed(await project.refresh("--expect-no-changes"));

  const destroyed = mustSucceed(await project.destroy());
  expect(destroyed.combined).toContain(`certificate ${second.thumbprint} stays on ${EX01}`);
  expect(await project.resources()).toEqual([]);
  expect(await frontEndOf(project, EX01)).toBe(second.thumbprint);
}
