import { manyCertificates, manyServers } from "../../tools/bench/organisation.cjs";
import { STATE_FILE } from "../engine/bindingProgram";
import { makeNative, NATIVE_CLASSES } from "../engine/nativeProgram";

const PASSWORD = "the password of a file that lives as long as a test";
/** Longer than any test: what hangs, and what is slower than the limit of its binding. */
const NEVER_MILLISECONDS = 3_600_000;
const SLOW_MILLISECONDS = 120_000;

const DEAD = "ex010.contoso.com";
const HANGING = "ex030.contoso.com";
const SLOW = "ex050.contoso.com";
const SILENT = "ex070.contoso.com";
const BROKEN = [DEAD, HANGING, SLOW, SILENT];

describe("a hundred servers, of which four are broken", () => {
  it("fail in the preview, which names one; with --continue-on-error the others are done, and the four are named", async () => {
    const { names, text } = await manyServers(100);
    const file = JSON.parse(text) as { servers: Record<string, { faults: object }> };
    const breakIt = (name: string, faults: object): void => {
      const server = file.servers[name];
      if (server !== undefined) server.faults = faults;
    };
    breakIt(DEAD, { unreachable: true });
    breakIt(HANGING, { slowMilliseconds: NEVER_MILLISECONDS });
    breakIt(SLOW, { slowMilliseconds: SLOW_MILLISECONDS });
    breakIt(SILENT, { servicesUnknown: true });
    const project = await makeNative(
      `${NATIVE_CLASSES}
      for (const server of ${JSON.stringify(names)}) {
        const certificate = { pfxFile: "certificate-0.pfx", passwordEnv: "FARM_PASSWORD" };
        const limit = ${JSON.stringify([HANGING, SLOW])}.includes(server) ? { timeoutSeconds: 5 } : {};
        new ExchangeCertificateBinding("on-" + server, { server, certificate, services: ["SMTP"], ...limit });
      }`,
      {
        config: { "exchange:backend": "simulator", "exchange:servers": JSON.stringify(names) },
        env: { FARM_PASSWORD: PASSWORD },
        files: { [STATE_FILE]: JSON.stringify(file), ...(await manyCertificates(1, PASSWORD)) },
      },
    );
    const preview = await project.preview();
    expect(preview.exitCode).not.toBe(0);
    expect(preview.combined).toContain(DEAD);
    expect(await project.resources()).toEqual([]);

    const up = await project.up("--skip-preview", "--continue-on-error");
    expect(up.exitCode).not.toBe(0);
    const done = (await project.resources()).map(({ id }) => (id ?? "").split("/")[0]);
    expect(done.toSorted()).toEqual(names.filter((name) => !BROKEN.includes(name)).toSorted());
    expect(up.combined).not.toContain("MaxListenersExceededWarning");
    for (const name of BROKEN) expect(up.combined).toMatch(new RegExp(`error: .*${name}`));
  });
});
