import type { CertificateFacts } from "../certificate/facts";
import type { Thumbprint } from "../certificate/thumbprint";
import {
  type DisplayedService,
  type ExchangeService,
  type NameService,
  type Observed,
  DAY_MS,
  isNameService,
  known,
  SERVICES,
  sortServices,
} from "../model";
import { receiveConnectorName, sameConnector } from "./connectors";
import { findCertificate } from "./holdings";
import { nameWrittenByEnable } from "./names";
import type { ObservedCertificate, ObservedServer } from "./observedServer";
import type { CertificateRef, ConnectorStep, Step } from "./planTypes";
import { factsOf, namesOfWish, subjectOfWish } from "./target";
import type { Target } from "./target";

/** Stands for a certificate that is still to be made: no real one has it. */
export const MADE_THUMBPRINT = "0".repeat(40) as Thumbprint;

/** What can be said of a certificate before it is in the store; of one that is to be made, its wish. */
export function factsBefore(target: Target, now: Date): CertificateFacts | undefined {
  if (target.kind !== "toBeMade") return factsOf(target);
  const { wish } = target;
  const subject = subjectOfWish(wish);
  const names = namesOfWish(wish);
  return {
    thumbprint: MADE_THUMBPRINT,
    subject,
    issuer: subject,
    serialNumber: "",
    commonName: names.commonName,
    dnsNames: names.dnsNames,
    notBefore: now.toISOString(),
    notAfter: new Date(now.getTime() + wish.validityDays * DAY_MS).toISOString(),
    keyAlgorithm: "RSA",
    keySizeBits: wish.keySize,
    isSelfSigned: true,
  };
}

function imported(facts: CertificateFacts): ObservedCertificate {
  return {
    facts,
    displayedServices: known([]),
    iisSites: known([]),
    status: known("Valid"),
    friendlyName: known(""),
    hasPrivateKey: known(true),
    privateKeyExportable: known(false),
  };
}

function changed<T>(observed: Observed<T>, change: (value: T) => T): Observed<T> {
  return observed.kind === "known" ? known(change(observed.value)) : observed;
}

function withFlag(certificate: ObservedCertificate, flag: DisplayedService, isOn: boolean): ObservedCertificate {
  const displayedServices = changed(certificate.displayedServices, (shown) =>
    sortServices(isOn ? [...shown, flag] : shown.filter((one) => one !== flag)),
  );
  return { ...certificate, displayedServices };
}

function withFrontEnd(certificate: ObservedCertificate, isOn: boolean): ObservedCertificate {
  const iisSites = changed(certificate.iisSites, (sites) => {
    const others = sites.filter((site) => site !== 1);
    return isOn ? [1, ...others] : others;
  });
  const hasSite = iisSites.kind === "known" ? iisSites.value.length > 0 : isOn;
  return { ...withFlag(certificate, "IIS", hasSite), iisSites };
}

function withName(server: ObservedServer, service: NameService, name: string | undefined): ObservedServer {
  return { ...server, [SERVICES[service].nameIn]: known(name) };
}

function enabled(server: ObservedServer, thumbprint: Thumbprint, service: ExchangeService): ObservedServer {
  const isIt = ({ facts }: ObservedCertificate): boolean => facts.thumbprint === thumbprint;
  if (isNameService(service)) {
    const facts = server.certificates.find(isIt)?.facts;
    const name = facts === undefined ? undefined : nameWrittenByEnable(facts);
    return name === undefined ? server : withName(server, service, name);
  }
  const certificates = server.certificates.map((one) => {
    if (service === "IIS") return withFrontEnd(one, isIt(one));
    if (service === "SMTP") return isIt(one) ? withFlag(one, "SMTP", true) : one;
    return withFlag(one, service, isIt(one));
  });
  return { ...server, certificates };
}

/** With connectors that name what the steps say, as far as these are certain. */
export function withConnectors(server: ObservedServer, steps: readonly ConnectorStep[]): ObservedServer {
  return steps.reduce((after, { type, connector, name: tlsCertificateName, waits = false }) => {
    if (waits) return after;
    return type === "send"
      ? {
          ...after,
          sendConnectors: changed(after.sendConnectors, (all) =>
            all.map((one) => (sameConnector(one.name, connector) ? { ...one, tlsCertificateName } : one)),
          ),
        }
      : {
          ...after,
          receiveConnectors: changed(after.receiveConnectors, (all) =>
            all.map((one) =>
              sameConnector(receiveConnectorName(one.identity), connector) ? { ...one, tlsCertificateName } : one,
            ),
          ),
        };
  }, server);
}

/** The server as it will be once the steps are done: what a removal at the end of a plan is judged by. */
export function serverAfter(server: ObservedServer, steps: readonly Step[], target: Target, now: Date): ObservedServer {
  const own = factsBefore(target, now);
  const resolve = (ref: CertificateRef): Thumbprint => (ref.kind === "known" ? ref.thumbprint : MADE_THUMBPRINT);
  let after = server;
  // What another binding of the program brings is there when this plan is carried out.
  if (own !== undefined && target.kind !== "present") {
    after = { ...after, certificates: [...after.certificates, imported(own)] };
  }
  for (const step of steps) {
    switch (step.kind) {
      case "makeCertificate":
      case "importCertificate":
        break;
      case "setConnector":
        after = withConnectors(after, [step]);
        break;
      case "removeCertificate":
        after = {
          ...after,
          certificates: after.certificates.filter((one) => one.facts.thumbprint !== step.certificate.thumbprint),
        };
        break;
      case "setCertificateName":
        after = withName(after, step.service, step.name);
        break;
      case "enable": {
        const thumbprint = resolve(step.certificate);
        for (const service of step.services) after = enabled(after, thumbprint, service);
        if (step.defaultSmtp === "replace") after = { ...after, defaultSmtpThumbprint: known(thumbprint) };
        break;
      }
    }
  }
  return after;
}

export function withoutCertificate(server: ObservedServer, thumbprint: Thumbprint): ObservedServer {
  const gone = findCertificate(server, thumbprint);
  return { ...server, certificates: server.certificates.filter((one) => one !== gone) };
}
