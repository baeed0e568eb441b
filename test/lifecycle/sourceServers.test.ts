import { stored } from "../backends/simulator/lab";
import { MAIL, farmOf, fqdn, openBench } from "./bench";

const signal = new AbortController().signal;
const server = (name: string) => fqdn(`${name.toLowerCase()}.contoso.com`);

it("are known as they were just read afresh, whatever an earlier reading told another binding meanwhile", async () => {
  const names = ["EX10", "EX11", "EX12"];
  const outbound = { name: "Outbound", fqdn: null, tlsCertificateName: null, sourceServers: names };
  let goOn = (): void => undefined;
  let isHeld = false;
  const held = new Promise<void>((resolve) => (goOn = resolve));
  const bench = openBench(
    { ...farmOf(names), sendConnectors: [outbound] },
    {
      backend: (real) => ({
        ...real,
        readSnapshot: async (...call) => {
          if (isHeld && call[0] === server("EX12")) await held;
          return real.readSnapshot(...call);
        },
      }),
    },
  );
  const { deployment } = bench;
  const own = await deployment.observe(server("EX10"), signal);
  const certificatesOf = (known: ReturnType<Awaited<ReturnType<typeof deployment.sources.read>>>) =>
    known.kind === "seen" ? known.server.certificates.length : known;
  const before = await deployment.sources.read(own, ["Outbound"], {});
  expect(certificatesOf(before("EX11"))).toBe(1);
  await bench.touch(server("EX11"), ({ certificates }) => ({ certificates: [...certificates, stored(MAIL)] }));
  isHeld = true;
  const reading = deployment.sources.read(own, ["Outbound"], {}, true);
  const known = deployment.sources.of(own.server);
  while (certificatesOf(known("EX11")) === 1) await new Promise((resolve) => setImmediate(resolve));
  await deployment.sources.read(own, ["Outbound"], {});
  goOn();
  expect(certificatesOf((await reading)("EX11"))).toBe(2);
});
