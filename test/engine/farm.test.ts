import { manyCertificates, manyServers } from "../../tools/bench/organisation.cjs";
import { STATE_FILE } from "./bindingProgram";
import { makeProject, mustSucceed } from "./engine";

const PASSWORD = "the password of a file that lives as long as a test";

/** An adapter of one's own, around the simulator: it writes down every call. */
const COUNTING_ADAPTER = `
  const { appendFileSync } = require("node:fs");
  const { join } = require("node:path");
  const { openSimulator } = require("pulumi-exchange-certificates/simulator");
  exports.createBackend = ({ programDirectory, say }) => {
    const backend = openSimulator({ file: join(programDirectory, "${STATE_FILE}"), say });
    const counted = { kind: "counted", close: () => backend.close() };
    const methods = [
      "readSnapshot", "importCertificate", "enableServices", "setCertificateName", "setSendConnectorCertificate",
      "setReceiveConnectorCertificate", "removeCertificate",
    ];
    for (const method of methods) {
      counted[method] = (server, ...rest) => {
        appendFileSync(join(programDirectory, "calls.txt"), method + " " + server + "\\n");
        return backend[method](server, ...rest);
      };
    }
    return counted;
  };
`;

/** The program declares `count` bindings on each server, one certificate each. */
function program(servers: readonly string[], count: number): string {
  return `
    const { ExchangeCertificateBinding } = require("pulumi-exchange-certificates");
    for (const server of ${JSON.stringify(servers)}) {
      for (let index = 0; index < ${String(count)}; index += 1) {
        const certificate = { pfxFile: "certificate-" + index + ".pfx", passwordEnv: "FARM_PASSWORD" };
        new ExchangeCertificateBinding(server + "/" + index, { server, certificate, services: ["SMTP"] });
      }
    }
  `;
}

async function farm(serverCount: number, perServer: number, config: Readonly<Record<string, string>> = {}) {
  const { names, text } = await manyServers(serverCount);
  const project = await makeProject({
    program: program(names, perServer),
    config: { "exchange:backend": "./adapter.cjs", "exchange:servers": JSON.stringify(names), ...config },
    env: { FARM_PASSWORD: PASSWORD },
    files: {
      [STATE_FILE]: text,
      "adapter.cjs": COUNTING_ADAPTER,
      "calls.txt": "",
      ...(await manyCertificates(perServer, PASSWORD)),
    },
  });
  const callsSince = (): Record<string, number> => {
    const calls: Record<string, number> = {};
    for (const line of project.readFile("calls.txt").split("\n").filter(Boolean)) calls[line] = (calls[line] ?? 0) + 1;
    project.writeFile("calls.txt", "");
    return calls;
  };
  return { project, names, callsSince };
}

describe("many servers", () => {
  it("are read exactly once each in a preview of 1,000 bindings on 100 servers", async () => {
    const { project, names, callsSince } = await farm(100, 10);
    const preview = mustSucceed(await project.preview());
    expect(preview.combined).toMatch(/\+ 1001 to create/);
    expect(callsSince()).toEqual(Object.fromEntries(names.map((name) => [`readSnapshot ${name}`, 1])));
  });

  it("are changed through an adapter of one's own, and read once each when nothing has to change", async () => {
    const { project, names, callsSince } = await farm(3, 2);
    mustSucceed(await project.up("--skip-preview"));
    const calls = callsSince();
    for (const name of names) {
      expect(calls).toMatchObject({ [`importCertificate ${name}`]: 2, [`enableServices ${name}`]: 2 });
    }
    mustSucceed(await project.preview("--expect-no-changes"));
    expect(callsSince()).toEqual(Object.fromEntries(names.map((name) => [`readSnapshot ${name}`, 1])));
    mustSucceed(await project.refresh("--skip-preview", "--expect-no-changes"));
    expect(callsSince()).toEqual(Object.fromEntries(names.map((name) => [`readSnapshot ${name}`, 1])));
  });

  it("whose state was made through one backend are refused through another, with both named", async () => {
    const { project } = await farm(1, 1);
    mustSucceed(await project.up("--skip-preview"));
    mustSucceed(await project.setConfig("exchange:backend", "simulator"));
    const refused = await project.preview();
    expect(refused.exitCode).not.toBe(0);
    expect(refused.combined).toContain('made through the backend "counted", and now "simulator" is configured');
  });
});
