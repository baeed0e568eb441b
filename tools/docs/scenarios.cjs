"use strict";

/**
 * The stories from which the listings of the documents are taken: what is run in the real CLI, and what each listing is
 * called. A listing `first/preview` is put below every `<!-- listing: first/preview -->`.
 */

const fs = require("node:fs");
const path = require("node:path");
const { root } = require("./markdown.cjs");

const SERVER = "ex01.contoso.com";

/**
 * What a story can do.
 *
 * @typedef {object} Stage
 * @property {(name: string, args: readonly string[], options?: Shown) => Promise<void>} pulumi Runs a command of the
 *   CLI; with a name it's a listing, with "" it isn't. Without an expectation it has to succeed.
 * @property {(name: string, args: readonly string[]) => Promise<string>} simulator The same with the simulator.
 * @property {(name: string, content: string | Uint8Array) => void} writeFile
 * @property {(name: string) => string} readFile
 * @property {(file: string, validityDays?: number) => Promise<void>} writePfx A certificate for mail.contoso.com, another
 *   each time; for 47 days by default.
 */

/**
 * @typedef {object} Shown
 * @property {boolean} [fails] Whether the command must fail.
 * @property {Readonly<Record<string, string>>} [env]
 * @property {string} [shown] The command as the listing shows it; by default the real one, without the options that
 *   keep it from asking.
 */

/**
 * @typedef {object} Scenario
 * @property {string} name
 * @property {Readonly<Record<string, string>>} files By path in the project.
 * @property {(stage: Stage) => Promise<void>} run
 */

const program = (/** @type {string} */ name) =>
  fs.readFileSync(path.join(root, "tools", "docs", "programs", name), "utf8");
const template = (/** @type {string} */ name) => fs.readFileSync(path.join(root, "template", name), "utf8");

/** @param {Stage} stage */
async function builtInHolder(stage) {
  const printed = await stage.simulator("", ["Get-ExchangeCertificate", "-Server", SERVER, "--json"]);
  /** @type {{ Thumbprint: string, Subject: string }[]} */
  const certificates = JSON.parse(printed);
  const found = certificates.find(({ Subject }) => Subject === "CN=EX01");
  if (found === undefined) throw new Error(`${SERVER} has no certificate CN=EX01.`);
  return found.Thumbprint;
}

/** @param {string} thumbprint */
const giveIisTo = (thumbprint) => [
  "Enable-ExchangeCertificate",
  "-Server",
  SERVER,
  "-Thumbprint",
  thumbprint,
  "-Services",
  "IIS",
];

/** @type {Scenario} */
const first = {
  name: "first",
  files: { "index.ts": template("index.ts") },
  async run(stage) {
    await stage.pulumi("preview", ["preview"]);
    await stage.pulumi("up", ["up", "--yes"]);
    await stage.simulator("show", ["show"]);
    await stage.pulumi("nothing", ["preview", "--expect-no-changes"]);
  },
};

/** @type {Scenario} */
const mail = {
  name: "mail",
  files: { "index.ts": program("mail.ts") },
  async run(stage) {
    const text = program("mail.ts");
    await stage.writePfx("mail-1.pfx");
    await stage.writePfx("mail-2.pfx", 90);
    await stage.pulumi("", ["config", "set", "pfxFile", "mail-1.pfx"]);
    await stage.pulumi("preview", ["preview"]);
    await stage.simulator("", ["fault", "ex01", "enableFailsAfter", "SMTP"]);
    await stage.pulumi("failed", ["up", "--yes"], { fails: true });
    await stage.simulator("", ["fault", "ex01", "off"]);
    await stage.pulumi("resumed", ["up", "--yes"]);

    await stage.simulator("", giveIisTo(await builtInHolder(stage)));
    await stage.pulumi("drift", ["preview", "--expect-no-changes"], { fails: true });
    await stage.pulumi("refresh", ["refresh", "--preview-only", "--diff", "--expect-no-changes"], { fails: true });
    await stage.pulumi("repair", ["up", "--yes"]);

    stage.writeFile("index.ts", text.replace('["IIS", "SMTP"]', '["SMTP"]'));
    await stage.pulumi("refusal", ["preview"], { fails: true });
    const wrong = text.replace('"ex01.contoso.com"', '"ex01"').replace('["IIS", "SMTP"]', '["IIS", "SMPT" as "SMTP"]');
    stage.writeFile("index.ts", wrong);
    await stage.pulumi("mistakes", ["preview"], { fails: true });
    const asDefault = '["IIS", "SMTP"],\n  replaceDefaultSmtpCertificate: true';
    stage.writeFile("index.ts", text.replace('["IIS", "SMTP"]', asDefault));
    await stage.pulumi("defaultSmtp", ["preview"]);
    stage.writeFile("index.ts", text);

    await stage.simulator("", ["fault", "ex01", "unreachable", "on"]);
    await stage.pulumi("unreachable", ["preview"], { fails: true });
    const lastKnown = { EXCHANGE_ON_UNREACHABLE: "continue" };
    await stage.pulumi("lastKnown", ["preview"], {
      env: lastKnown,
      shown: "EXCHANGE_ON_UNREACHABLE=continue pulumi preview",
    });
    await stage.simulator("", ["fault", "ex01", "off"]);

    await stage.pulumi("", ["config", "set", "pfxFile", "mail-2.pfx"]);
    await stage.pulumi("replacement", ["preview"]);
    await stage.pulumi("replaced", ["up", "--yes"]);
    await stage.pulumi("destroyed", ["destroy", "--yes"]);
  },
};

/** @type {Scenario} */
const component = {
  name: "component",
  files: { "index.ts": program("component.ts") },
  async run(stage) {
    await stage.writePfx("mail.pfx");
    await stage.pulumi("preview", ["preview"]);
  },
};

/** @type {Scenario} */
const several = {
  name: "several",
  files: { "index.ts": program("component.ts") },
  async run(stage) {
    await stage.writePfx("mail.pfx");
    await stage.simulator("", ["fault", "ex01", "enableFailsAfter", "SMTP"]);
    await stage.pulumi("continued", ["up", "--yes", "--continue-on-error"], {
      fails: true,
    });
  },
};

/**
 * The files of an example that a project needs.
 *
 * @param {string} name
 * @returns {Readonly<Record<string, string>>}
 */
function example(name) {
  const directory = path.join(root, "examples", name);
  return Object.fromEntries(
    ["Pulumi.yaml", "package.json", "tsconfig.json", "index.ts"].map((file) => [
      file,
      fs.readFileSync(path.join(directory, file), "utf8"),
    ]),
  );
}

/** @type {Scenario} */
const wildcard = {
  name: "wildcard",
  files: example("wildcard"),
  run: (stage) => stage.pulumi("up", ["up", "--yes"]),
};

/** @type {Scenario} */
const successor = {
  name: "successor",
  files: example("successor"),
  async run(stage) {
    await stage.pulumi("", ["up", "--yes"]);
    await stage.pulumi("", ["config", "set", "ownWebCertificate", "true"]);
    await stage.pulumi("preview", ["preview"]);
  },
};

/** @type {Scenario} */
const unifiedMessaging = {
  name: "unified-messaging",
  files: example("unified-messaging"),
  async run(stage) {
    await stage.pulumi("", ["up", "--yes"]);
    await stage.pulumi("", ["config", "set", "callRouter", "true"]);
    await stage.pulumi("refused", ["preview"], { fails: true });
  },
};

/** @type {readonly Scenario[]} */
const SCENARIOS = [first, mail, component, several, wildcard, successor, unifiedMessaging];

module.exports = { SCENARIOS };
