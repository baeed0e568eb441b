/** A program in TypeScript with the SDK that is made from the schema of the installed plugin. */

import fs from "node:fs";
import path from "node:path";
import { runOrThrow } from "../process.cjs";
import { root } from "../setup.mjs";
import { says } from "./stage.mjs";

/** @typedef {import("./stage.mjs").Stage} Stage */

const BUILD_LIMIT_SECONDS = 900;

export const NODE_FILES = {
  "Pulumi.yaml": JSON.stringify({
    name: "shop",
    runtime: { name: "nodejs", options: { typescript: false } },
    config: { "exchange:backend": { value: "simulator" } },
  }),
  "package.json": JSON.stringify({ name: "shop", private: true, dependencies: { "pulumi-exchange": "*" } }),
  "tsconfig.json": JSON.stringify({
    compilerOptions: {
      strict: true,
      target: "es2022",
      module: "nodenext",
      moduleResolution: "nodenext",
      types: ["node"],
      skipLibCheck: true,
    },
    files: ["index.ts"],
  }),
  "index.ts": `
    import * as exchange from "pulumi-exchange";

    const { IIS, SMTP } = exchange.types.enums.ServiceName;
    const server = "ex01.contoso.com";
    const mail = new exchange.ExchangeCertificateBinding("mail", {
      server,
      certificate: { selfSigned: { dnsNames: ["mail.contoso.com"] } },
      services: [IIS, SMTP],
    });
    const branch = new exchange.Provider("branch", {
      backend: "simulator",
      simulatorFile: "branch.json",
      servers: [server],
    });
    new exchange.ExchangeCertificateBinding(
      "branch-mail",
      { server, certificate: { selfSigned: { dnsNames: ["branch.contoso.com"] } }, services: ["IIS"] },
      { provider: branch },
    );
    export const version = exchange.getServerOutput({ server }).version;
    export const subject = exchange.getCertificateOutput({ server, thumbprint: mail.thumbprint }).subject;
    export const held = exchange.ExchangeCertificateBinding.get("looked", mail.id).heldServices;
    export const count = exchange.getServer({ server: "ex02.contoso.com" }).then((seen) => seen.certificates.length);
  `,
};

/** @param {Stage} stage */
export async function playNode(stage) {
  const { pulumi, refused } = stage;
  await makeSdk(stage);
  await compile(stage, "tsconfig.json");
  await stage.simulator("init", "--file", "branch.json");

  says(await pulumi("preview"), /version *: "15\.2\./);
  const up = await pulumi("up", "--yes", "--skip-preview");
  says(up, /subject *: "CN=mail\.contoso\.com"/);
  says(up, /count *: 3/);
  // The stack, the provider, and three bindings; one of them is only looked at.
  says(up, /\+ 4 created/);
  await stage.drift();
  says(await refused("preview", "--diff", "--expect-no-changes"), /services: \[\s+\+ \[\d\]: "IIS"/);
  await pulumi("up", "--yes", "--skip-preview");
  await pulumi("refresh", "--yes", "--skip-preview", "--expect-no-changes");
  await pulumi("preview", "--expect-no-changes");
  await pulumi("destroy", "--yes", "--skip-preview");
}

/** @param {Stage} stage */
async function makeSdk(stage) {
  const modules = path.join(stage.directory, "node_modules");
  const sdk = path.join(modules, "pulumi-exchange");
  fs.mkdirSync(path.join(modules, "@pulumi"), { recursive: true });
  for (const name of ["@pulumi/pulumi", "@types"])
    fs.symlinkSync(path.join(root, "node_modules", name), path.join(modules, name), "junction");
  const schema = await stage.pulumi("package", "get-schema", "exchange");
  stage.writeFile("schema.json", schema.slice(schema.indexOf("{"), schema.lastIndexOf("}") + 1));
  await runOrThrow("go", ["run", "-mod=readonly", "./sdkgen", path.join(stage.directory, "schema.json"), sdk], {
    cwd: path.join(root, "tools", "pulumi", "cli"),
    env: { ...process.env, GOWORK: "off" },
    timeLimitSeconds: BUILD_LIMIT_SECONDS,
  });
  await compile(stage, sdk);
  // As the SDK's own postinstall does, which needs a registry.
  fs.copyFileSync(path.join(sdk, "package.json"), path.join(sdk, "bin", "package.json"));
}

/**
 * @param {Stage} stage
 * @param {string} project
 */
async function compile(stage, project) {
  await stage.execute(process.execPath, [
    path.join(root, "node_modules", "typescript", "bin", "tsc"),
    "--project",
    project,
  ]);
}
