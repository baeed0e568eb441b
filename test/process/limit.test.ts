import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

import { manyServers } from "../../tools/bench/organisation.cjs";
import { messageOf } from "../../provider/errors";
import { startDynamicProvider } from "./dynamicProvider";
import { checked, makeMailBinding } from "./mailBinding";
import { called } from "../identities";

const [READ, IMPORTED, CHECKED] = ["ex001.contoso.com", "ex002.contoso.com", "ex003.contoso.com"] as const;
const SECONDS = 5;

/**
 * An adapter of one's own that never looks at its signal. It writes down each call, and once there is a file "hangs"
 * that names a server and a method, that call waits for a file "goOn"; then it does what it was asked for.
 */
const HEEDLESS_ADAPTER = `
  const { appendFileSync, existsSync, readFileSync } = require("node:fs");
  const { join } = require("node:path");
  const { openSimulator } = require("pulumi-exchange-certificates/simulator");
  exports.createBackend = ({ say }) => {
    const backend = openSimulator({ file: join(process.env.TOLD, "organisation.json"), say });
    const heedless = { kind: "heedless", close: () => backend.close() };
    for (const method of Object.keys(backend).filter((name) => !(name in heedless))) {
      heedless[method] = async (server, ...rest) => {
        const call = method + " " + server;
        appendFileSync(join(process.env.TOLD, "calls.txt"), call + "\\n");
        const hangs = join(process.env.TOLD, "hangs");
        if (existsSync(hangs) && readFileSync(hangs, "utf8").includes(call)) {
          while (!existsSync(join(process.env.TOLD, "goOn"))) await new Promise((resolve) => setTimeout(resolve, 20));
        }
        const deaf = [...rest.slice(0, -1), { ...rest.at(-1), signal: new AbortController().signal }];
        return backend[method](server, ...deaf);
      };
    }
    return heedless;
  };
`;

describe("an adapter of one's own that pays no heed to its signal", () => {
  let told: string;
  beforeAll(async () => {
    told = mkdtempSync(join(tmpdir(), "exchange-limit-"));
    writeFileSync(join(told, "organisation.json"), (await manyServers(3)).text);
  });
  afterAll(() => {
    rmSync(told, { recursive: true, force: true });
  });
  const start = () =>
    startDynamicProvider({
      config: { "exchange:backend": "./adapter.cjs" },
      env: { TOLD: told },
      files: { "adapter.cjs": HEEDLESS_ADAPTER },
    });
  const calls = () => readFileSync(join(told, "calls.txt"), "utf8");

  it("isn't called any more once preview, refresh and up have failed at their limit", async () => {
    const wish = (server: string) =>
      makeMailBinding(server).inputs({ timeoutSeconds: SECONDS, services: ["SMTP", "IMAP"], ...called(server) });
    const before = await start();
    const made = await before.create(await checked(before, wish(READ)));
    await before.end();

    const provider = await start();
    const inputs = await checked(provider, wish(IMPORTED));
    writeFileSync(join(told, "hangs"), `readSnapshot ${CHECKED}, readSnapshot ${READ}, importCertificate ${IMPORTED}`);
    const failureOf = (run: Promise<unknown>) => run.then((answer) => JSON.stringify(answer), messageOf);
    const [preview, refresh, up] = await Promise.all([
      provider.check({}, wish(CHECKED)).then(({ failures }) => JSON.stringify(failures)),
      failureOf(provider.read(made.id, made.properties)),
      failureOf(provider.create(inputs)),
    ]);
    for (const said of [preview, refresh, up]) expect(said).toContain(`no end after ${String(SECONDS)} seconds`);
    const begun = calls();
    for (const call of ["readSnapshot", "importCertificate"]) expect(begun).toContain(call);
    expect(begun).not.toContain(`enableServices ${IMPORTED}`);
    writeFileSync(join(told, "goOn"), "");
    // What was under way ends now: the import is done after all, and whatever waited for it would go on.
    await pause(1000);
    expect(calls()).toBe(begun);
  });
});
