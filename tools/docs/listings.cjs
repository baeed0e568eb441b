"use strict";

/**
 * Runs the stories of scenarios.cjs in the real CLI and puts what they print into the documents.
 */

const fs = require("node:fs");
const path = require("node:path");
const { randomBytes } = require("node:crypto");
const { createWorkspace } = require("../pulumi/workspace.cjs");
const { documents, read, root, withListings } = require("./markdown.cjs");
const { createNormaliser, summaryOf } = require("./normalise.cjs");
const { SCENARIOS } = require("./scenarios.cjs");

/** @typedef {import("./scenarios.cjs").Scenario} Scenario */

const PACKAGE = "pulumi-exchange-certificates";
/** The stack's row of each listing says `mail-dev`. */
const PROJECT = "mail";
const STACK = "dev";

/**
 * What is needed to run them.
 *
 * @typedef {object} Tools
 * @property {string} pulumi The directory of the CLI.
 * @property {string} modules A node_modules with the package, the SDK and TypeScript.
 */

/**
 * @param {Tools} tools
 * @returns {Promise<Map<string, string>>} The listings by name, such as `first/preview`.
 */
async function runScenarios(tools) {
  /** @type {Map<string, string>} */
  const listings = new Map();
  for (const scenario of SCENARIOS) {
    for (const [name, text] of await runScenario(scenario, tools)) listings.set(`${scenario.name}/${name}`, text);
  }
  return listings;
}

/**
 * @param {Scenario} scenario
 * @param {Tools} tools
 * @returns {Promise<Map<string, string>>}
 */
async function runScenario(scenario, tools) {
  const password = randomBytes(18).toString("base64url");
  const workspace = createWorkspace({
    pulumiDirectory: tools.pulumi,
    nodeModules: tools.modules,
    env: { MAIL_PFX_PASSWORD: password },
    files: {
      "Pulumi.yaml": JSON.stringify({ name: PROJECT, runtime: "nodejs" }),
      "package.json": JSON.stringify({ name: PROJECT, dependencies: { "@pulumi/pulumi": "*", [PACKAGE]: "*" } }),
      "tsconfig.json": JSON.stringify({ compilerOptions: { strict: true, skipLibCheck: true }, files: ["index.ts"] }),
      ...scenario.files,
    },
  });
  const { normalise, know } = createNormaliser({ name: scenario.name, directory: workspace.projectDirectory });
  /** @type {Map<string, string>} */
  const listings = new Map();
  /**
   * @param {string} name
   * @param {string} shown
   * @param {string} output
   */
  const list = (name, shown, output) => {
    const text = normalise(output);
    if (name !== "") listings.set(name, `$ ${shown}\n${text}`.trimEnd());
  };
  /**
   * @param {import("../process.cjs").RunResult} result
   * @param {boolean} fails
   */
  const mustEnd = (result, fails) => {
    if ((result.exitCode !== 0) === fails && !result.timedOut) return;
    const wanted = fails ? "should have failed" : "should have succeeded";
    throw new Error(`In the story "${scenario.name}", "${result.command}" ${wanted}:\n${result.combined}`);
  };
  /** @type {Map<string, string>} */
  const learnt = new Map();
  /** Gets to know the certificates that have come since: by their subjects, the second of one by a number more. */
  const learn = async () => {
    for (const server of ["ex01.contoso.com", "ex02.contoso.com"]) {
      const args = ["Get-ExchangeCertificate", "-Server", server, "--json"];
      const { stdout } = await workspace.installedCommand(PACKAGE, "exchange-simulator", args);
      /** @type {{ Thumbprint: string, Subject: string }[]} */
      const certificates = JSON.parse(stdout);
      for (const { Thumbprint, Subject } of certificates) {
        if (learnt.has(Thumbprint)) continue;
        const before = [...learnt.values()].filter((subject) => subject === Subject).length;
        learnt.set(Thumbprint, Subject);
        know(Thumbprint, before === 0 ? Subject : `${Subject} ${String(before + 1)}`);
      }
    }
  };
  try {
    mustEnd(await workspace.pulumi(["stack", "init", STACK]), false);
    mustEnd(await workspace.pulumi(["config", "set", "exchange:backend", "simulator"]), false);
    // Makes the organisation, so that its certificates are some seconds old in each listing.
    mustEnd(await workspace.installedCommand(PACKAGE, "exchange-simulator", ["init"]), false);
    await learn();
    await scenario.run({
      async pulumi(name, args, { fails = false, env = {}, shown = shownAs(args) } = {}) {
        const quiet = ["up", "destroy"].includes(args[0] ?? "") ? ["--skip-preview"] : [];
        const result = await workspace.pulumi([...args, ...quiet], { env });
        mustEnd(result, fails);
        if (args[0] === "up") await learn();
        list(name, shown, summaryOf(result.combined));
      },
      async simulator(name, args) {
        const result = await workspace.installedCommand(PACKAGE, "exchange-simulator", args);
        mustEnd(result, false);
        list(name, `npx --no exchange-simulator ${args.join(" ")}`, result.stdout.trimEnd());
        return result.stdout;
      },
      writeFile: workspace.writeFile,
      readFile: workspace.readFile,
      async writePfx(file, validityDays = 47) {
        const { pfx, thumbprint } = await makePfx(tools.modules, password, validityDays);
        workspace.writeFile(file, pfx);
        learnt.set(thumbprint, file);
        know(thumbprint, file);
      },
    });
    return listings;
  } finally {
    await workspace.dispose();
  }
}

/** @param {readonly string[]} args */
function shownAs(args) {
  return ["pulumi", ...args.filter((each) => each !== "--yes")].join(" ");
}

/**
 * @param {string} modules
 * @param {string} password
 * @param {number} validityDays
 * @returns {Promise<{ pfx: Uint8Array, thumbprint: string }>}
 */
async function makePfx(modules, password, validityDays) {
  const built = (/** @type {string} */ file) => require(path.join(modules, PACKAGE, "lib", file));
  const { makeSelfSigned } = built("certificate/selfSigned.js");
  const { packPfx } = built("certificate/packPfx.js");
  const { Secret } = built("secret.js");
  const wish = {
    subject: "CN=mail.contoso.com, O=Contoso",
    dnsNames: ["mail.contoso.com", "autodiscover.contoso.com"],
    validityDays,
    keySize: 2048,
  };
  const material = await makeSelfSigned(wish, { now: new Date(), randomBytes });
  return { pfx: packPfx(material, new Secret(password)).reveal(), thumbprint: material.facts.thumbprint };
}

/**
 * What a marker stands for: a file of the repository, or a listing.
 *
 * @param {string} marker
 * @param {ReadonlyMap<string, string> | undefined} listings Undefined: listings stay as they are.
 * @returns {string | undefined} Undefined: the marker is none of ours.
 */
function contentOf(marker, listings) {
  const [, kind, name = ""] = /^(listing|file): (\S+)$/.exec(marker) ?? [];
  if (kind === "file") return read(name).trimEnd();
  if (kind !== "listing" || listings === undefined) return undefined;
  const found = listings.get(name);
  if (found === undefined)
    throw new Error(`No story has a listing called ${name}. There are: ${[...listings.keys()].join(", ")}.`);
  return found;
}

/**
 * The documents that aren't what they should be, by path, with what they should be.
 *
 * @param {ReadonlyMap<string, string>} [listings]
 * @returns {Map<string, string>}
 */
function staleDocuments(listings) {
  /** @type {Map<string, string>} */
  const stale = new Map();
  for (const file of documents()) {
    const text = read(file);
    const fresh = withListings(text, (marker) => contentOf(marker, listings));
    if (fresh !== text) stale.set(file, fresh);
  }
  return stale;
}

/** @param {ReadonlyMap<string, string>} stale */
function writeDocuments(stale) {
  for (const [file, text] of stale) fs.writeFileSync(path.join(root, file), text);
}

module.exports = { runScenarios, staleDocuments, writeDocuments };
