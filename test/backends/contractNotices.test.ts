import type { Backend, ServerSnapshot } from "../../provider/backends/backend";
import { backendContract, type BackendHarness, type ContractCase } from "../../provider/backends/contract";
import { ExchangeBindingError, messageOf } from "../../provider/errors";
import { known, unknown } from "../../provider/model";
import { backendOver, defaultOrganisation, EX01, makeCertificate, withFaults } from "./simulatedServer";

/*
 * The suite is worth what it notices. Each of these backends breaks one sentence of the contract, the way an adapter
 * would, and the rest of it works.
 */

type Break = (good: Backend) => Partial<Backend>;

const healthy = async (): Promise<Backend> => backendOver(await defaultOrganisation()).backend;
const unreachable = async (): Promise<Backend> =>
  backendOver(withFaults(await defaultOrganisation(), EX01, { unreachable: true })).backend;
const servicesUnknown = async (): Promise<Backend> =>
  backendOver(withFaults(await defaultOrganisation(), EX01, { servicesUnknown: true })).backend;

function broken(breaking: Break): BackendHarness {
  const breakIt = (open: () => Promise<Backend>) => async () => {
    const good = await open();
    return { ...good, ...breaking(good) };
  };
  return {
    server: EX01,
    makeCertificate,
    open: breakIt(healthy),
    situations: {
      unreachable: breakIt(unreachable),
      servicesUnknown: breakIt(servicesUnknown),
      connectors: async () => ({
        backend: await breakIt(healthy)(),
        send: "Outbound to Internet",
        receive: "Default Frontend EX01",
      }),
    },
  };
}

function caseOf(harness: BackendHarness, title: string): ContractCase {
  const found = backendContract(harness).find((one) => one.title === title);
  if (found === undefined) throw new Error(`there is no case "${title}"`);
  return found;
}

/** A snapshot reader that changes what a good one has read. */
function reading(change: (snapshot: ServerSnapshot) => ServerSnapshot): Break {
  return (good) => ({ readSnapshot: async (server, options) => change(await good.readSnapshot(server, options)) });
}

const breaches: readonly (readonly [what: string, title: string, breaking: Break])[] = [
  [
    "takes unknown services for none",
    "calls services unknown, not none, when the server says no more than the certificate's bytes",
    reading((snapshot) => ({
      ...snapshot,
      certificates: snapshot.certificates.map((one) => ({ ...one, displayedServices: known([]), iisSites: known([]) })),
    })),
  ],
  [
    "leaves a part of the snapshot out",
    "says of every part of a snapshot what it is, or why it isn't known",
    reading((snapshot) => ({ ...snapshot, edgeSubscriptions: undefined as never })),
  ],
  [
    "gives no reason for what is unknown",
    "says of every part of a snapshot what it is, or why it isn't known",
    reading((snapshot) => ({ ...snapshot, authCertificates: unknown("") })),
  ],
  [
    "takes an unreachable server for one without certificates",
    "says by its code, in every call, that the server can't be asked",
    (good) => ({
      readSnapshot: async (server, options) => {
        try {
          return await good.readSnapshot(server, options);
        } catch {
          return { ...(await (await healthy()).readSnapshot(server, options)), certificates: [] };
        }
      },
    }),
  ],
  [
    "enables with -Force",
    "keeps the default SMTP certificate when the answer to the overwrite question is No",
    (good) => ({
      enableServices: (server, request, options) =>
        good.enableServices(server, { ...request, replaceDefaultSmtpCertificate: true }, options),
    }),
  ],
  [
    "always answers No",
    "replaces the default SMTP certificate when the answer is Yes, and the old one keeps SMTP",
    (good) => ({
      enableServices: (server, request, options) =>
        good.enableServices(server, { ...request, replaceDefaultSmtpCertificate: false }, options),
    }),
  ],
  [
    "doesn't call Enable for a service that is shown already",
    "replaces the default SMTP certificate by one that has SMTP already",
    (good) => {
      const enabled = new Set<string>();
      return {
        enableServices: async (server, request, options) => {
          if (enabled.has(request.thumbprint)) return { warnings: [] };
          enabled.add(request.thumbprint);
          return good.enableServices(server, request, options);
        },
      };
    },
  ],
  [
    "drops the server's warnings",
    "passes on the server's warning that a wildcard certificate can't have IMAP and POP by itself",
    (good) => ({
      enableServices: async (server, request, options) => {
        await good.enableServices(server, request, options);
        return { warnings: [] };
      },
    }),
  ],
  [
    "calls every import an import",
    "leaves a certificate as it is when it is imported again",
    (good) => ({
      importCertificate: async (server, request, options) => {
        await good.importCertificate(server, request, options);
        return { outcome: "imported" };
      },
    }),
  ],
  [
    "ignores whether the key may be exported",
    "imports with the friendly name and the exportability that were asked for",
    (good) => ({
      importCertificate: (server, request, options) =>
        good.importCertificate(server, { ...request, privateKeyExportable: false }, options),
    }),
  ],
  [
    "shows the password in the error of an import",
    "refuses an import with a wrong password, without showing it, and stores nothing",
    (good) => ({
      importCertificate: async (server, request, options) => {
        try {
          return await good.importCertificate(server, request, options);
        } catch (error) {
          const hidden = new Error(`Import-ExchangeCertificate -Password ${request.password.reveal()}`);
          throw new ExchangeBindingError("ImportRefused", messageOf(error), { cause: hidden });
        }
      },
    }),
  ],
  [
    "fails when a certificate is gone already",
    "removes a certificate, and calls it gone when it is removed again",
    (good) => ({
      removeCertificate: async (server, thumbprint, options) => {
        const result = await good.removeCertificate(server, thumbprint, options);
        if (result.outcome === "alreadyGone") throw new ExchangeBindingError("CertificateNotFound", "it isn't there");
        return result;
      },
    }),
  ],
  [
    "says that it has removed what it hasn't",
    "removes a certificate, and calls it gone when it is removed again",
    () => ({ removeCertificate: () => Promise.resolve({ outcome: "removed" }) }),
  ],
  [
    "throws whatever comes along",
    "refuses to remove the default SMTP certificate and leaves everything as it is",
    (good) => ({
      removeCertificate: async (server, thumbprint, options) => {
        try {
          return await good.removeCertificate(server, thumbprint, options);
        } catch (error) {
          throw new Error(messageOf(error), { cause: error });
        }
      },
    }),
  ],
  [
    "sets the other protocol's name as well",
    "sets and clears the names of IMAP and POP, each by itself and as often as one likes",
    (good) => ({
      setCertificateName: async (server, _service, name, options) => {
        await good.setCertificateName(server, "IMAP", name, options);
        await good.setCertificateName(server, "POP", name, options);
      },
    }),
  ],
  [
    "can't clear a name",
    "sets and clears the names of IMAP and POP, each by itself and as often as one likes",
    (good) => ({
      setCertificateName: (server, service, name, options) =>
        good.setCertificateName(server, service, name ?? "none", options),
    }),
  ],
  [
    "does nothing to send connectors",
    "sets and clears the certificate name of one send connector, as often as one likes",
    () => ({ setSendConnectorCertificate: () => Promise.resolve() }),
  ],
  [
    "does nothing to receive connectors",
    "sets and clears the certificate name of one receive connector, as often as one likes",
    () => ({ setReceiveConnectorCertificate: () => Promise.resolve() }),
  ],
  [
    "leaves a send connector its name when it should be cleared",
    "sets and clears the certificate name of one send connector, as often as one likes",
    (good) => ({
      setSendConnectorCertificate: async (server, connector, name, options) => {
        if (name !== undefined) await good.setSendConnectorCertificate(server, connector, name, options);
      },
    }),
  ],
  [
    "changes every receive connector of the server",
    "sets and clears the certificate name of one receive connector, as often as one likes",
    (good) => ({
      setReceiveConnectorCertificate: async (server, connector, name, options) => {
        await good.setReceiveConnectorCertificate(server, connector, name, options);
        await good.setReceiveConnectorCertificate(server, "Client Frontend EX01", name, options);
      },
    }),
  ],
  [
    "takes a missing connector for one without a name",
    "says by its code that there is no connector of that name, and names it",
    () => ({ setReceiveConnectorCertificate: () => Promise.resolve() }),
  ],
  [
    "pays no heed to the signal",
    "begins no call whose time is up, and changes nothing",
    (good) => ({
      setCertificateName: (server, service, name) =>
        good.setCertificateName(server, service, name, { signal: new AbortController().signal }),
    }),
  ],
  [
    "answers for any server, whatever its name",
    "says by its code, in every call, that there is no such server",
    (good) => ({ readSnapshot: (_server, options) => good.readSnapshot(EX01, options) }),
  ],
  [
    "takes it amiss to be closed twice",
    "closes once, twice, and without having been used",
    () => {
      let isClosed = false;
      return {
        close: () => {
          if (isClosed) return Promise.reject(new Error("closed already"));
          isClosed = true;
          return Promise.resolve();
        },
      };
    },
  ],
];

describe("the contract suite notices a backend that", () => {
  it.each(breaches)("%s", async (_what, title, breaking) => {
    await expect(caseOf(broken(breaking), title).run()).rejects.toThrow();
    await expect(
      caseOf(
        broken(() => ({})),
        title,
      ).run(),
    ).resolves.toBeUndefined();
  });
});

describe("the contract suite", () => {
  it("skips what the harness can't bring about, and says what is missing", () => {
    const cases = backendContract({ server: EX01, open: healthy });
    const skipped = cases.filter(({ skip }) => skip !== undefined);
    expect(skipped.map(({ title }) => title)).toContain(
      "says by its code, in every call, that the server can't be asked",
    );
    expect(skipped.every(({ skip }) => /can't bring about the situation "\w+"/.test(skip ?? ""))).toBe(true);
    expect(cases.length - skipped.length).toBeGreaterThan(skipped.length);
  });

  it("has a title of its own for every case", () => {
    const titles = backendContract({ server: EX01, open: healthy }).map(({ title }) => title);
    expect(new Set(titles).size).toBe(titles.length);
  });

  it("puts the server back as it was, also after a case that failed", async () => {
    const { backend } = backendOver(await defaultOrganisation());
    const before = await backend.readSnapshot(EX01, { signal: new AbortController().signal });
    const one: BackendHarness = { server: EX01, makeCertificate, open: () => Promise.resolve(openAgain(backend)) };
    for (const title of [
      "enables several services in one call",
      "replaces the default SMTP certificate when the answer is Yes, and the old one keeps SMTP",
      "sets and clears the names of IMAP and POP, each by itself and as often as one likes",
    ]) {
      await caseOf(one, title).run();
      expect(await backend.readSnapshot(EX01, { signal: new AbortController().signal })).toEqual(before);
    }
    const failing: BackendHarness = {
      server: EX01,
      makeCertificate,
      open: () =>
        Promise.resolve({
          ...openAgain(backend),
          enableServices: async (server, request, options) => {
            await backend.enableServices(server, request, options);
            throw new Error("the answer was lost");
          },
        }),
    };
    await expect(caseOf(failing, "enables several services in one call").run()).rejects.toThrow("the answer was lost");
    const after = await backend.readSnapshot(EX01, { signal: new AbortController().signal });
    expect(after.certificates.map(({ der }) => der)).toEqual(before.certificates.map(({ der }) => der));
  });
});

/** The same backend for every case, as a lab server is. */
function openAgain(backend: Backend): Backend {
  return { ...backend, close: () => Promise.resolve() };
}
