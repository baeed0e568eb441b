import { openStateFile } from "../../../provider/backends/simulator/stateFile";
import { organisation, server } from "./lab";

/*
 * A process that changes a simulator file; see stateFile.test.ts. Arguments: the file, a name, and how many Edge
 * subscriptions to add, one change each. With "hang" in the place of the number it stops for ever in the middle of a
 * change, the lock in its hands.
 */
const [file = "", name = "", times = ""] = process.argv.slice(2);

function hang(): never {
  process.stdout.write("hanging\n");
  for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}

async function work(): Promise<void> {
  const store = openStateFile(file, { makeOrganisation: () => Promise.resolve(organisation([server()])) });
  if (times === "hang") await store.update(hang);
  for (let i = 0; i < Number(times); i++) {
    await store.update((before) => ({
      organisation: {
        ...before,
        edgeSubscriptions: [...before.edgeSubscriptions, { name: `${name}-${i}`, site: "contoso.com" }],
      },
      result: undefined,
    }));
  }
}

void work();
