import { readFileSync } from "node:fs";
import { join } from "node:path";

import { Deployment } from "../../lifecycle/deployment";
import { engineAddressIn, engineLogAt } from "../engine/engineLog";
import type { EngineLog } from "../engine/engineLog";
import { LineSink } from "../engine/lineSink";
import { machine, noticeboard, now } from "../machine";
import { NativeProvider } from "./nativeProvider";
import { loadSdk } from "./sdk";
import { serve } from "./serve";
import type { Serving } from "./serve";
import { serviceOver } from "./service";

/** What `bin/pulumi-resource-exchange.js` runs: the engine starts it, and reads the port from its first line. */
export async function main(): Promise<void> {
  let log: EngineLog | undefined;
  let engine: string | undefined;
  const connect = (address: string): void => {
    if (address === "") return;
    engine ??= address;
    log ??= engineLogAt(address);
  };
  connect(engineAddressIn(process.argv.slice(2)) ?? "");
  const print = (text: string): void => {
    console.log(text);
  };
  const sink = new LineSink({
    get log() {
      return log;
    },
    everyUrn: true,
    now,
    print,
  });
  const deployment = new Deployment({
    ...machine,
    noticeboard: noticeboard(() => engine),
    say: (told) => {
      sink.say(told);
    },
    note: (text) => {
      if (log === undefined) print(text);
      else
        log.show("", "info", text, () => {
          print(text);
        });
    },
  });
  const provider = new NativeProvider(deployment);
  const sdk = loadSdk();
  const service = serviceOver(sdk, {
    provider,
    schema: () => readFileSync(join(__dirname, "schema.json"), "utf8"),
    version: packageVersion(),
    directory: machine.directory,
    environment: machine.environment,
    connect,
    flush: () => sink.flush(),
  });
  const serving = await serve(sdk, service);
  endWith(provider, serving);
  process.stdout.write(`${String(serving.port)}\n`);
}

/**
 * The process ends when the engine tells it to, once what runs has been answered: the state must hear of it. It ends too
 * when the engine has gone. The engine sends SIGINT to a plugin that it closes, without a word before where the provider
 * resource was changed or removed, or only the schema was asked for; whoever doesn't end is killed seconds later. While
 * something runs it is left to the engine what is to become of that.
 */
function endWith(provider: NativeProvider, serving: Serving): void {
  let isEnding = false;
  const end = (): void => {
    if (isEnding) return;
    isEnding = true;
    const exit = (): void => process.exit();
    setTimeout(exit, ENDING_MILLISECONDS);
    void provider
      .cancel()
      .then(() => serving.close())
      .then(exit, exit);
  };
  // Windows has SIGBREAK for it.
  for (const signal of ["SIGINT", "SIGBREAK"] as const) {
    process.on(signal, () => {
      if (provider.isCancelled || !provider.isBusy) end();
    });
  }
  process.on("SIGTERM", end);
  const engine = process.ppid;
  setInterval(() => {
    if (process.ppid !== engine) end();
  }, PARENT_MILLISECONDS).unref();
}

/** Longer than a cancelled operation takes to say how far it came. */
const ENDING_MILLISECONDS = 15_000;
/** How often it is looked whether the engine is there. */
const PARENT_MILLISECONDS = 2000;

function packageVersion(): string {
  const { version } = JSON.parse(readFileSync(join(__dirname, "../../../package.json"), "utf8")) as {
    readonly version: string;
  };
  return version;
}
