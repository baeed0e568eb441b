import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import os from "node:os";
import path from "node:path";

import { blocksOf, read } from "../../tools/docs/markdown.cjs";
import { run } from "../../tools/process.cjs";
import { EX01, EX02, programOf, STATE_FILE } from "../engine/bindingProgram";
import { makeProject, mustSucceed } from "../engine/engine";
import { PASSWORD, remoteConfig, serve, USER } from "../engine/served";

const CA_FILE = "exchange-simulator-ca.pem";
const selfSigned = (server: string, services: string): string =>
  `{ server: "${server}", certificate: { selfSigned: { dnsNames: ["mail.contoso.com"] } }, services: ${services} }`;
const BEFORE = programOf({ one: selfSigned(EX01, '["IIS", "SMTP"]'), two: selfSigned(EX02, '["IIS"]') });
const AFTER = programOf({ one: selfSigned(EX01, '["IIS", "SMTP"]'), two: selfSigned(EX02, '["IIS", "SMTP"]') });

const page = read("docs/twin.md");
/** The page's commands in its order. The rest of them are for stacks whose secrets are elsewhere. */
const [
  makeTwin = "",
  rehearseProgram = "",
  serveTwin = "",
  exportStack = "",
  copyStack = "",
  importStack = "",
  rehearse = "",
] = blocksOf(page)
  .filter(({ language }) => language === "bash")
  .map(({ text }) => text);
const whoIsTalkedTo = /`(EXCHANGE_TRACE=1 [^`]+)`/.exec(page)?.[1] ?? "";
const whatIsLeft = /`(pulumi stack export \| grep [^`]+)`/.exec(page)?.[1] ?? "";

let base: string;
beforeAll(() => {
  base = realpathSync(mkdtempSync(path.join(os.tmpdir(), "exchange-twin-")));
});
afterAll(() => {
  rmSync(base, { recursive: true, force: true });
});

async function freePort(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return String(port);
}

it("a whole stack is rehearsed on a twin by the page's commands alone, and no real server is reached", async () => {
  const original = await makeProject({ program: BEFORE });
  mustSucceed(await original.simulator("init"));
  const entry = `https://localhost:${String((await serve(original)).port)}/PowerShell/`;
  const config = remoteConfig(entry, { "exchange:caFile": CA_FILE });
  original.writeFile("Pulumi.test.yaml", JSON.stringify({ config }));
  mustSucceed(await original.pulumi("config", "set", "--secret", "exchange:password", PASSWORD));
  mustSucceed(await original.up("--skip-preview"));
  const serversBefore = original.readFile(STATE_FILE);

  const rehearsal = path.join(base, "rehearsal");
  mkdirSync(rehearsal);
  writeFileSync(path.join(base, "changed.js"), AFTER);
  const environment = original.environment();
  const port = await freePort();
  const here = (text: string): string =>
    text
      .replaceAll("/path/to/twin.json", `${rehearsal}/twin.json`)
      .replaceAll("/path/to/rehearsal", rehearsal)
      // On the page they are beside each other.
      .replaceAll("../rehearsal", rehearsal)
      .replaceAll("/path/to/program", original.directory)
      .replaceAll("18444", port)
      .replaceAll(/\bprod\b/g, "test")
      .replace(/=….*$/m, `="${environment["PULUMI_CONFIG_PASSPHRASE"] ?? ""}"`)
      // The change that is rehearsed; and nobody is there to confirm it.
      .replace(/^pulumi up$/m, `cp ${base}/changed.js index.js\npulumi up --yes --skip-preview`);
  const bin = `${original.directory}/node_modules/pulumi-exchange-certificates/bin`;
  const script = `
    set -eo pipefail
    exchange-certificates() { node ${bin}/exchange-certificates.js "$@"; }
    exchange-simulator() { node ${bin}/exchange-simulator.js "$@"; }
    cd ${rehearsal}
    (
      export EXCHANGE_BACKEND=remote EXCHANGE_ENDPOINT=${entry} EXCHANGE_CA_FILE=${original.directory}/${CA_FILE}
      export EXCHANGE_AUTHENTICATION=basic EXCHANGE_USERNAME=${USER} EXCHANGE_PASSWORD=${PASSWORD}
      ${here(makeTwin)}
    )
    cp -r ${original.directory} ${base}/empty
    rm ${base}/empty/Pulumi.*.yaml
    (
      cd ${base}/empty
      pulumi stack init empty
      ${here(rehearseProgram)}
    )
    echo "--- a terminal of its own"
    (
      ${here(serveTwin)}
    ) > serve.log 2>&1 &
    trap 'pkill -P $! || true; kill $! || true' EXIT
    until grep -q /PowerShell/ serve.log; do sleep 0.2; kill -0 $!; done
    (
      cd ${original.directory}
      ${here(exportStack)}
    )
    ${here(copyStack)}
    ${here(importStack)}
    echo "--- rehearsed"
    ${here(rehearse)}
    echo "--- talked to"
    ${here(whoIsTalkedTo)}
    echo "--- left of the original's settings"
    ${here(whatIsLeft)} || echo none
  `;
  const { stdout } = mustSucceed(
    await run("bash", ["-c", script], { cwd: base, env: environment, timeLimitSeconds: 500 }),
  );
  const part = (title: string): string => stdout.split(`--- ${title}\n`)[1]?.split("\n---")[0]?.trim() ?? "";
  expect(stdout.split("---")[0]).toMatch(/ 3 to create/);
  expect(part("rehearsed")).toContain("1 updated");
  expect(part("talked to")).toMatch(new RegExp(`^\\d+ connecting to 127\\.0\\.0\\.1:${port}$`));
  expect(part("left of the original's settings")).toBe("none");
  // The twin has changed, and the servers haven't.
  expect(readFileSync(path.join(rehearsal, "twin.json"), "utf8")).not.toBe(serversBefore);
  expect(original.readFile(STATE_FILE)).toBe(serversBefore);
});
