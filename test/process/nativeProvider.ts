import { spawn } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { Metadata } from "@grpc/grpc-js";
import { endProcess } from "../../tools/process.cjs";
import { CallError, methodsOf } from "../frontends/native/nativePlugin";
import type { Bag } from "../../provider/lifecycle/requests";
import { clientOf } from "../providerClient";
import { ENGINE, neutralEnvironment, required, temporaryDirectory } from "./dynamicProvider";
import { linkModules } from "./linkModules";

const started: (() => Promise<void> | void)[] = [];
afterAll(async () => {
  for (const end of started.reverse()) await end();
});

export interface NativeProcess extends ReturnType<typeof methodsOf> {
  /** What it has printed so far, both streams. */
  printed(): string;
  /** As the engine ends it. */
  end(): Promise<void>;
}

/**
 * The plugin as it is packed, in a process of its own, as the engine starts it. `configure` has been called when this
 * returns, as the program's own provider of that name where there is one. It ends when the test file has ended.
 */
export async function startNativeProvider(options: {
  readonly temporary: string;
  readonly config: Bag;
  readonly explicit?: string;
}): Promise<NativeProcess> {
  const directory = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "exchange-native-")));
  linkModules(required("HARNESS_MODULES"), directory);
  const script = path.join(directory, "node_modules/pulumi-exchange-certificates/bin/pulumi-resource-exchange.js");
  const child = spawn(process.execPath, [script, ENGINE], {
    cwd: directory,
    env: { ...neutralEnvironment(), ...temporaryDirectory(options.temporary) },
    stdio: ["ignore", "pipe", "pipe"],
  });
  started.push(async () => {
    await endProcess(child);
    fs.rmSync(directory, { recursive: true, force: true });
  });
  let output = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (output += text));
  const lines = createInterface({ input: child.stdout });
  const port = await new Promise<string>((resolve, reject) => {
    lines.once("line", resolve);
    child.once("exit", (code) => {
      reject(new Error(`The plugin ended with ${String(code)}: ${output}`));
    });
  });
  lines.on("line", (line) => (output += `${line}\n`));
  const client = clientOf(port);
  started.push(() => {
    client.close();
  });
  const methods = methodsOf({
    call: (start) =>
      new Promise((resolve, reject) => {
        start(client, new Metadata(), (error, response) => {
          if (error === null) resolve(response);
          else reject(new CallError(error));
        });
      }),
  });
  const urn = `urn:pulumi:dev::shop::pulumi:providers:exchange::${options.explicit ?? "default"}`;
  await methods.configure(options.config, urn);
  return {
    ...methods,
    printed: () => output,
    end: async () => {
      const closed = new Promise((resolve) => child.once("close", resolve));
      await methods.cancel();
      child.kill("SIGINT");
      await closed;
    },
  };
}
