import { soak, summaryOf } from "./soak";

/* What `npm run soak` starts, with the number of programs and the seed. Told to end, it says how far it came. */

const [programs = 1, seed = 1] = process.argv.slice(2).map(Number);
const PROGRESS = 100;

let soFar = (): string => "nothing yet\n";
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    process.stdout.write(`${soFar()}ended before its time\n`);
    process.exit(1);
  });
}

void soak(programs, seed, (told, counts) => {
  soFar = () => `${summaryOf(counts)}\n${String(told)} programs, seed ${String(seed)}: every law held so far\n`;
  if (told % PROGRESS === 0) process.stderr.write(`${String(told)} programs\n`);
}).then(({ finding, programs: told, counts }) => {
  const laws = finding === undefined ? "every law held" : `a law was broken:\n${finding}`;
  process.stdout.write(`${summaryOf(counts)}\n${String(told)} programs, seed ${String(seed)}: ${laws}\n`);
  process.exitCode = finding === undefined ? 0 : 1;
});
