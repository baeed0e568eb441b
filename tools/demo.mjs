/**
 * `npm run demo`: the whole story of a binding in the real Pulumi CLI, on a simulated Exchange organisation, in a
 * temporary directory of its own. Ends with 0 only when every step showed what it must.
 */

import fs from "node:fs";
import path from "node:path";
import { randomBytes } from "node:crypto";
import { pathToFileURL } from "node:url";
import { ensureBuilt, ensureNodeModules, root } from "./setup.mjs";

await ensureNodeModules();
await ensureBuilt();
const { ensurePulumi } = await import("./pulumi/ensure.mjs");
const { default: workspaces } = await import("./pulumi/workspace.cjs");
const pulumiDirectory = await ensurePulumi();

const SERVER = "ex01.contoso.com";
const PASSWORD = randomBytes(18).toString("base64url");
const started = Date.now();
const failures = [];

const workspace = workspaces.createWorkspace({
  pulumiDirectory,
  nodeModules: path.join(root, "node_modules"),
  files: Object.fromEntries(
    ["index.ts", "Pulumi.yaml", "package.json", "tsconfig.json"].map((name) => [
      name,
      fs.readFileSync(path.join(root, "examples", "rotation", name), "utf8"),
    ]),
  ),
  env: { MAIL_PFX_PASSWORD: PASSWORD, EXCHANGE_BACKEND: "simulator" },
});

/** @param {string} text */
function title(text) {
  console.log(`\n\u001b[1m== ${text}\u001b[0m`);
}

/**
 * Runs a command, shows the lines worth reading, and checks what it must have shown.
 *
 * @param {string} shown
 * @param {Promise<import("./process.cjs").RunResult>} running
 * @param {{ exit: "zero" | "non-zero", says?: (string | RegExp)[] }} expected
 */
async function step(shown, running, expected) {
  console.log(`$ ${shown}`);
  const result = await running;
  const worth = result.combined.split("\n").filter(isWorthReading);
  console.log(worth.map((line) => `  ${line.replace(/^\s{2,}/, "  ")}`).join("\n"));
  const problems = [];
  if (expected.exit === "zero" && result.exitCode !== 0)
    problems.push(`ended with ${String(result.exitCode)} and not 0`);
  if (expected.exit === "non-zero" && result.exitCode === 0) problems.push("ended with 0, and should not have");
  for (const wanted of expected.says ?? []) {
    const found = typeof wanted === "string" ? result.combined.includes(wanted) : wanted.test(result.combined);
    if (!found) problems.push(`didn't say ${String(wanted)}`);
  }
  if (problems.length > 0) {
    failures.push(`${shown}: ${problems.join("; ")}`);
    console.log(`  !! ${problems.join("; ")}\n${result.combined}`);
  } else console.log(`  -- as it should be (${result.seconds.toFixed(1)} s, exit code ${String(result.exitCode)})`);
  return result;
}

/** @param {string} line */
function isWorthReading(line) {
  return (
    line.trim() !== "" &&
    !/^(Previewing|Updating|Refreshing|Destroying|Duration|View |@ |Loading|More information|Downloading|Use `pulumi|The resources in|hash | [ +~-]*pulumi:pulumi:Stack \S+ | [ +~-]*pulumi-nodejs:dynamic|\s+TypeScript)/.test(
      line,
    )
  );
}

const pulumi = (/** @type {string[]} */ ...args) => workspace.pulumi(args);
const simulator = (/** @type {string[]} */ ...args) =>
  workspace.installedCommand("pulumi-exchange-certificates", "exchange-simulator", args);

/** A renewed certificate, as the client of a certificate authority would leave it: a PFX file with a password. */
async function writePfx(/** @type {string} */ file) {
  /** @param {string} file */
  const built = (file) => import(pathToFileURL(path.join(root, "lib", file)).href);
  const { makeSelfSigned } = await built("certificate/selfSigned.js");
  const { packPfx } = await built("certificate/packPfx.js");
  const { Secret } = await built("secret.js");
  const material = await makeSelfSigned(
    {
      subject: "CN=mail.contoso.com, O=Contoso",
      dnsNames: ["mail.contoso.com", "autodiscover.contoso.com"],
      validityDays: 47,
      keySize: 2048,
    },
    { now: new Date(), randomBytes },
  );
  workspace.writeFile(file, packPfx(material, new Secret(PASSWORD)).reveal());
  return material.facts.thumbprint;
}

/** A certificate as lines tell it once it has been told in full: by its first eight digits. */
const short = (/** @type {string} */ thumbprint) => thumbprint.slice(0, 8);
const services = (/** @type {string[]} */ ...names) => pulumi("config", "set", "services", JSON.stringify(names));

try {
  console.log("A certificate binding from first preview to the end, on a simulated Exchange organisation.");
  console.log("No Exchange server is touched, and nothing of your own Pulumi: all of it is in a temporary directory.");
  await pulumi("stack", "init", "demo");
  await pulumi("config", "set", "server", SERVER);
  await pulumi("config", "set", "pfxFile", "mail-1.pfx");
  await services("IIS", "SMTP");
  const first = await writePfx("mail-1.pfx");
  await step("exchange-simulator init", simulator("init"), { exit: "zero" });
  await step("exchange-simulator show", simulator("show"), { exit: "zero", says: [SERVER] });
  /** @type {{ Thumbprint: string, IISServices: string[] }[]} */
  const certificates = JSON.parse((await simulator("Get-ExchangeCertificate", "-Server", SERVER, "--json")).stdout);
  const builtIn =
    certificates.find(({ IISServices }) => IISServices.some((site) => site.endsWith("/1")))?.Thumbprint ?? "none";

  title("A preview names what would be taken from which certificate");
  await step("pulumi preview", pulumi("preview"), {
    exit: "zero",
    says: [first, `IIS leaves ${short(builtIn)}`, `the default SMTP certificate stays ${short(builtIn)}`],
  });

  title("The first up; after it there is nothing to do");
  await step("pulumi up --yes", pulumi("up", "--yes", "--skip-preview"), { exit: "zero", says: [first] });
  await step("pulumi preview --expect-no-changes", pulumi("preview", "--expect-no-changes"), { exit: "zero" });

  title("Somebody gives IIS back to the built-in certificate");
  const steal = ["Enable-ExchangeCertificate", "-Server", SERVER, "-Thumbprint", builtIn, "-Services", "IIS"];
  await step(`exchange-simulator ${steal.join(" ")}`, simulator(...steal), { exit: "zero" });
  await step("pulumi preview --expect-no-changes", pulumi("preview", "--expect-no-changes"), {
    exit: "non-zero",
    says: [`DRIFT: IIS is now held by ${short(builtIn)}`],
  });
  await step("pulumi up --yes (repairs in place)", pulumi("up", "--yes", "--skip-preview"), {
    exit: "zero",
    says: [/1 updated/],
  });

  title("A service is added in place");
  await services("IIS", "SMTP", "IMAP", "POP");
  await step("pulumi up --yes", pulumi("up", "--yes", "--skip-preview"), {
    exit: "zero",
    says: ["enables IMAP and POP", /1 updated/],
  });

  title("A service is removed: Exchange can't do that, so the preview refuses it and names the ways out");
  await services("SMTP", "IMAP", "POP");
  await step("pulumi preview", pulumi("preview"), {
    exit: "non-zero",
    says: ["IIS was removed", "Exchange can't take a service away", "onServiceRemoved"],
  });

  title("A renewed certificate replaces the first one, new one first");
  await services("IIS", "SMTP", "IMAP", "POP");
  const second = await writePfx("mail-2.pfx");
  await pulumi("config", "set", "pfxFile", "mail-2.pfx");
  await step("pulumi up --yes", pulumi("up", "--yes", "--skip-preview"), {
    exit: "zero",
    says: [second, `IIS left ${short(first)}`, /1 replaced/, `certificate ${first} stays on ${SERVER}`],
  });
  await step(
    "pulumi refresh --yes --expect-no-changes",
    pulumi("refresh", "--yes", "--expect-no-changes", "--skip-preview"),
    { exit: "zero" },
  );

  title("Destroy forgets; Exchange keeps what it has");
  await step("pulumi destroy --yes", pulumi("destroy", "--yes", "--skip-preview"), {
    exit: "zero",
    says: [`certificate ${second} stays on ${SERVER}`],
  });

  title("What holds what in the end");
  await step("exchange-simulator show", simulator("show"), { exit: "zero", says: [second] });
  const { stdout } = await simulator("Get-TransportService", "-Identity", SERVER, "--json");
  if (!stdout.includes(builtIn)) failures.push("the default SMTP certificate changed, although nobody asked for it");
  if (workspace.transcriptText().includes(PASSWORD)) failures.push("the password of the PFX appeared in the output");
} finally {
  await workspace.dispose();
}

const seconds = ((Date.now() - started) / 1000).toFixed(0);
if (failures.length > 0) {
  console.log(`\nThe demonstration FAILED after ${seconds} s:\n${failures.map((line) => `- ${line}`).join("\n")}`);
  process.exitCode = 1;
} else console.log(`\nEvery step showed what it must (${seconds} s). The default SMTP certificate is what it was.`);
