import { createHash, randomUUID } from "node:crypto";

import type { Backend } from "../../../provider/backends/backend";
import type {
  Organisation,
  ServerFaults,
  ServerState,
  StoredCertificate,
} from "../../../provider/backends/simulator/organisation";
import { simulatorBackend } from "../../../provider/backends/simulator/simulatorBackend";
import { memoryState, type StateStore } from "../../../provider/backends/simulator/stateFile";
import { tlsCertificateNameOf } from "../../../provider/backends/connectorName";
import type { CertificateMaterial } from "../../../provider/certificate/material";
import { fqdn } from "../../plan/servers";
import { organisation, published, server, stored } from "../../backends/simulator/lab";
import { makeTestAuthority, makeTestCertificate } from "../../certificate/testCertificates";

/** Where the programs of the soak run: three servers, a send connector on two of them, and a clock of their own. */

export const SERVERS = ["ex01.contoso.com", "ex02.contoso.com", "ex03.contoso.com"].map(fqdn);
export const DAY_MS = 24 * 60 * 60 * 1000;
const START = new Date("2026-11-23T20:00:00Z");
const inDays = (days: number): Date => new Date(START.getTime() + days * DAY_MS);

const authority = makeTestAuthority();
/** Issues what gets onto the servers by itself. */
export const ENROLMENT = makeTestCertificate({
  subject: "CN=Contoso Enrolment CA, O=Contoso",
  isAuthority: true,
  key: "rsa2048b",
});
const given = (wish: Parameters<typeof makeTestCertificate>[0]): CertificateMaterial =>
  makeTestCertificate({ issuer: authority, notBefore: inDays(-30), ...wish });

/** What people bring: one name twice (a renewal), others, one that ends soon, one signed by itself, a wildcard. */
export const GIVEN: readonly CertificateMaterial[] = [
  given({ dnsNames: ["mail.contoso.com"] }),
  given({ dnsNames: ["mail.contoso.com"] }),
  given({ dnsNames: ["owa.contoso.com", "mail.contoso.com"] }),
  given({ dnsNames: ["mail.contoso.com"], notAfter: inDays(47) }),
  makeTestCertificate({ dnsNames: ["mail.contoso.com"], notBefore: inDays(-30) }),
  given({ dnsNames: ["*.contoso.com"], subject: "CN=*.contoso.com" }),
];
const pem = (der: Uint8Array): string =>
  `-----BEGIN CERTIFICATE-----\n${Buffer.from(der).toString("base64")}\n-----END CERTIFICATE-----\n`;
/** The `certificate` inputs that bring them. PEM, because nothing has to be derived to read it. */
export const BROUGHT = GIVEN.map(({ der, chain, privateKey }) => ({
  pem: {
    certificate: pem(der),
    privateKey: privateKey.reveal().export({ type: "pkcs8", format: "pem" }).toString(),
    chain: chain.map(pem).join(""),
  },
}));

/** What setup makes, in days from the start: that of the second server ends while the programs run, the third's has. */
const BUILT_IN_ENDS = [undefined, 60, -1] as const;
const BUILT_IN = SERVERS.map((name, index) => {
  const [short = ""] = name.split(".");
  const days = BUILT_IN_ENDS[index];
  const notAfter = days === undefined ? {} : { notAfter: inDays(days) };
  return makeTestCertificate({ dnsNames: [short.toUpperCase(), name], ...notAfter });
});
/** Somebody's own certificate, which no program knows. */
const FOREIGN = given({ dnsNames: ["mail.contoso.com"] });
const ENROLLED_DAYS = 60;
/** Another one for each server, as autoenrolment has it. */
const enrolled = (notBefore: Date): StoredCertificate =>
  stored(
    makeTestCertificate({
      dnsNames: ["mail.contoso.com"],
      issuer: ENROLMENT,
      notBefore,
      notAfter: new Date(notBefore.getTime() + ENROLLED_DAYS * DAY_MS),
    }),
  );
const ENROLLED_BEFORE = SERVERS.map(() => enrolled(inDays(-20)));

function beginning(): Organisation {
  const servers = SERVERS.map((name, index) => {
    const own = BUILT_IN[index];
    if (own === undefined) throw new Error(`no certificate for ${name}`);
    const short = name.slice(0, 4).toUpperCase();
    return server({
      name: short,
      certificates: [
        stored(own, { privateKey: { networkServiceRead: true }, rootStore: "trusted" }),
        ...ENROLLED_BEFORE.slice(index, index + 1),
      ],
      iis: { frontEnd: own.facts.thumbprint, backEnd: own.facts.thumbprint, requireSsl: true },
      imap: { x509CertificateName: short },
      pop: { x509CertificateName: short },
      internalTransportCertificate: published(own),
      receiveConnectors: [{ name: "Relay", fqdn: null, tlsCertificateName: null }],
    });
  });
  const sendConnector = (name: string, sourceServers: readonly string[]) => {
    return { name, fqdn: null, tlsCertificateName: null, sourceServers };
  };
  const sendConnectors = [sendConnector("Outbound", ["EX01", "EX02"]), sendConnector("Partner", ["EX01"])];
  return { ...organisation(servers), sendConnectors };
}

/** What somebody does beside the programs. */
export const BY_HAND = [
  "binds the front end to the certificate of setup",
  "binds the front end to a certificate of their own",
  "binds the back end to the first certificate that was brought",
  "clears the IMAP name",
  "names another for POP",
  "makes the certificate of setup the default of SMTP",
  "removes the newest certificate that nothing points to",
  "removes the certificate of setup",
  "enrols a certificate",
  "names a foreign certificate for the receive connector",
  "names a foreign certificate for the send connectors",
  "clears the send connectors",
] as const;
export type ByHand = (typeof BY_HAND)[number];

export const FAULTS: Readonly<Record<string, ServerFaults>> = {
  unreachable: { unreachable: true },
  "services unknown": { servicesUnknown: true },
  "enabling ends after SMTP": { enableFailsAfter: "SMTP" },
  "enabling ends after IIS": { enableFailsAfter: "IIS" },
  "enabling IIS without effect": { enableHasNoEffectOn: ["IIS"] },
  "enabling SMTP without effect": { enableHasNoEffectOn: ["SMTP"] },
  "private key access refused": { privateKeyAccessRefused: true },
  "no role for certificate names": { hiddenCmdlets: ["Set-ImapSettings", "Get-ImapSettings"] },
  "no role for connectors": { hiddenCmdlets: ["Set-SendConnector", "Get-ReceiveConnector"] },
  "enabling ends after IMAP, no role to set names": {
    enableFailsAfter: "IMAP",
    hiddenCmdlets: ["Set-ImapSettings", "Set-PopSettings"],
  },
  "no role for removals": { hiddenCmdlets: ["Remove-ExchangeCertificate"] },
};

export interface World {
  readonly store: StateStore;
  readonly backend: Backend;
  readonly now: () => Date;
  pass(days: number): void;
  byHand(server: number, what: ByHand): Promise<void>;
  setFaults(server: number, faults: ServerFaults): Promise<void>;
}

export function makeWorld(): World {
  const store = memoryState(beginning());
  let days = 0;
  const now = (): Date => inDays(days);
  const change = async (index: number, how: (state: ServerState) => Partial<ServerState>): Promise<void> => {
    const name = SERVERS[index] ?? "";
    await store.update((before) => {
      const state = before.servers[name];
      if (state === undefined) throw new Error(`there is no server ${name}`);
      return {
        organisation: { ...before, servers: { ...before.servers, [name]: { ...state, ...how(state) } } },
        result: undefined,
      };
    });
  };
  return {
    store,
    backend: simulatorBackend(store, { now, newGuid: randomUUID, pause: () => Promise.resolve() }),
    now,
    pass: (more) => {
      days += more;
    },
    setFaults: (index, faults) => change(index, () => ({ faults })),
    byHand: async (index, what) => {
      if (what.includes("send connector")) {
        const tlsCertificateName = what.startsWith("clears") ? null : tlsCertificateNameOf(FOREIGN.facts);
        await store.update((before) => ({
          organisation: {
            ...before,
            sendConnectors: before.sendConnectors.map((one) => ({ ...one, tlsCertificateName })),
          },
          result: undefined,
        }));
      } else await change(index, (state) => changeByHand(state, { index, what, now: now() }));
    },
  };
}

interface Doing {
  readonly index: number;
  readonly what: ByHand;
  readonly now: Date;
}

function changeByHand(state: ServerState, { index, what, now }: Doing): Partial<ServerState> {
  const own = BUILT_IN[index];
  const first = GIVEN[0];
  if (own === undefined || first === undefined) return {};
  const withCertificate = (material: CertificateMaterial) => {
    const der = Buffer.from(material.der).toString("base64");
    return state.certificates.some((one) => one.der === der)
      ? state.certificates
      : [...state.certificates, stored(material, { privateKey: { networkServiceRead: true } })];
  };
  switch (what) {
    case "binds the front end to the certificate of setup":
      return { certificates: withCertificate(own), iis: { ...state.iis, frontEnd: own.facts.thumbprint } };
    case "binds the front end to a certificate of their own":
      return { certificates: withCertificate(FOREIGN), iis: { ...state.iis, frontEnd: FOREIGN.facts.thumbprint } };
    case "binds the back end to the first certificate that was brought":
      return { certificates: withCertificate(first), iis: { ...state.iis, backEnd: first.facts.thumbprint } };
    case "clears the IMAP name":
      return { imap: { x509CertificateName: null } };
    case "names another for POP":
      return { pop: { x509CertificateName: state.name } };
    case "makes the certificate of setup the default of SMTP":
      return { certificates: withCertificate(own), internalTransportCertificate: published(own) };
    case "removes the newest certificate that nothing points to": {
      const inUse = [state.iis.frontEnd, state.iis.backEnd, state.internalTransportCertificate?.thumbprint];
      const newest = state.certificates.at(-1);
      const isUsed = newest !== undefined && inUse.includes(thumbprintOf(newest.der));
      return isUsed ? {} : { certificates: state.certificates.slice(0, -1) };
    }
    case "removes the certificate of setup":
      return { certificates: state.certificates.filter(({ der }) => thumbprintOf(der) !== own.facts.thumbprint) };
    case "enrols a certificate":
      return { certificates: [...state.certificates, enrolled(new Date(now.getTime() - 3_600_000))] };
    case "names a foreign certificate for the receive connector":
      return {
        certificates: withCertificate(FOREIGN),
        receiveConnectors: state.receiveConnectors.map((one) => ({
          ...one,
          tlsCertificateName: tlsCertificateNameOf(FOREIGN.facts),
        })),
      };
    default:
      return {};
  }
}

const thumbprints = new Map<string, string>();

/** SHA-1 of a certificate in base64. */
export function thumbprintOf(der: string): string {
  const known = thumbprints.get(der);
  if (known !== undefined) return known;
  const thumbprint = createHash("sha1").update(Buffer.from(der, "base64")).digest("hex").toUpperCase();
  thumbprints.set(der, thumbprint);
  return thumbprint;
}
