import { soak, summaryOf } from "./soak";

/* What `npm run soak` starts, with the number of programs and the seed. */

const [programs, seed] = process.argv.slice(2).map(Number);
const PROGRESS = 500;

void soak(programs ?? 1, seed ?? 1, (told) => {
  if (told % PROGRESS === 0) process.stderr.write(`${String(told)} programs\n`);
}).then(({ finding, programs: told, counts }) => {
  const laws = finding === undefined ? "every law held" : `a law was broken:\n${finding}`;
  process.stdout.write(`${summaryOf(counts)}\n${String(told)} programs, seed ${String(seed)}: ${laws}\n`);
  process.exitCode = finding === undefined ? 0 : 1;
});
