/**
 * The provider's entry: what the constant in the state requires (`pulumi-exchange-certificates/provider`). The engine's
 * dynamic-provider process loads it once.
 */
import { dynamicProviderOver } from "./frontends/dynamic/dynamicProvider";
import { engineAddressIn, engineLogAt } from "./frontends/engine/engineLog";
import { LineSink } from "./frontends/engine/lineSink";
import { CLOSING_MILLISECONDS, machine, noticeboard, now } from "./frontends/machine";
import { Deployment } from "./lifecycle/deployment";

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
  ...machine,
  noticeboard: noticeboard(() => address),
  say: (told) => {
    sink.say(told);
  },
  note: (text) => {
    console.log(text);
  },
});
const provider = dynamicProviderOver(deployment, sink);

let isEnding = false;
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  // Not once: signal-exit, which comes with the packages of the simulator's file, is asked after this listener, and kills
  // the process when it finds nobody else who listens any more.
  process.on(signal, () => {
    if (isEnding) return;
    isEnding = true;
    const end = (): void => process.exit();
    setTimeout(end, CLOSING_MILLISECONDS);
    void deployment.close().then(end, end);
  });
}

export const { configure, check, diff, create, read, update } = provider;
const remove = provider.delete;
export { remove as delete };
