/**
 * The provider's entry: what the constant in the state requires (`pulumi-exchange-certificates/provider`). The engine's
 * dynamic-provider process loads it once; everything impure comes together here and nowhere else.
 */
import { randomBytes } from "node:crypto";

import { makeSelfSigned } from "./certificate/selfSigned";
import { readSourceFile } from "./certificate/sourceFile";
import { dynamicProviderOver } from "./frontends/dynamic/dynamicProvider";
import { engineAddressIn, engineLogAt } from "./frontends/dynamic/engineLog";
import { LineSink } from "./frontends/dynamic/lineSink";
import { Deployment } from "./lifecycle/deployment";
import { sleep } from "./lifecycle/timeLimit";
import { cleaned } from "./sentence";

const now = (): Date => new Date();

const address = engineAddressIn(process.argv);
const sink = new LineSink({
  log: address === undefined ? undefined : engineLogAt(address),
  stack: process.env["PULUMI_NODEJS_STACK"],
  project: process.env["PULUMI_NODEJS_PROJECT"],
  now,
  print: (text) => {
    console.log(text);
  },
});

const deployment = new Deployment({
  directory: process.cwd(),
  environment: process.env,
  readFile: readSourceFile,
  now,
  randomBytes,
  sleep,
  makeCertificate: ({ subject, ...wish }) =>
    makeSelfSigned({ ...wish, ...(subject === undefined ? {} : { subject }) }, { now: now(), randomBytes }),
  say: (told) => {
    sink.say(told);
  },
  note: (text) => {
    console.log(text);
  },
  trace:
    process.env["EXCHANGE_TRACE"] === "1"
      ? (line) => {
          console.error(cleaned(line, Number.POSITIVE_INFINITY));
        }
      : undefined,
});
const provider = dynamicProviderOver(deployment, sink);

/** The engine tells the process to end when it has done, and kills it some seconds later. */
const CLOSING_MILLISECONDS = 1500;

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    const end = (): void => process.exit();
    setTimeout(end, CLOSING_MILLISECONDS);
    void deployment.close().then(end, end);
  });
}

export const { configure, check, diff, create, read, update } = provider;
const remove = provider.delete;
export { remove as delete };
