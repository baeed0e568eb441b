import type { CertificateFacts } from "../../../certificate/facts";
import { isWildcard, looksLikeDnsName } from "../../../certificate/names";
import type { DisplayedService, ExchangeService, NameService, UmService } from "../../../model";
import { grantKeyToNetworkService, type ReadStoredCertificate } from "../certificateStore";
import { factsOf } from "../derFacts";
import type { CmdletError, CmdletQuestion } from "../cmdlet";
import { rpcError, type CmdletRun } from "../cmdletRun";
import { publishInternalTransportCertificate, writeCertificateName } from "../directoryDelay";
import { UNVERIFIED_TEXTS, VERIFIED_TEXTS } from "../errorTexts";
import type { ServerState } from "../organisation";
import { inEnableOrder } from "./allowedServices";

/** How far enabling got. `server` holds what was done by then. */
export type Enabling =
  | { readonly kind: "done"; readonly server: ServerState; readonly warnings: readonly string[] }
  | { readonly kind: "question"; readonly question: CmdletQuestion }
  | {
      readonly kind: "failed";
      readonly server: ServerState;
      readonly error: CmdletError;
      readonly warnings: readonly string[];
    };

/**
 * Adds services to a certificate of the store, one after the other, as Enable- and New-ExchangeCertificate do.
 * Nothing is ever taken from the certificate itself; IIS, UM and UMCallRouter leave the one that had them.
 */
export function enableServices(
  run: CmdletRun,
  start: ServerState,
  certificate: ReadStoredCertificate,
  services: readonly DisplayedService[],
): Enabling {
  const { facts } = certificate;
  const { faults } = start;
  const warnings: string[] = [];
  let server = start;

  for (const service of inEnableOrder(services, faults.enableOrder)) {
    if (faults.enableHasNoEffectOn?.includes(service) !== true) {
      const step = enableService(run, server, certificate, service);
      if (step.kind === "question") return step;
      if (step.kind === "refused") return { kind: "failed", server, error: step.error, warnings };
      if (step.warning !== undefined) warnings.push(step.warning);
      server = step.server;
    }
    if (faults.enableFailsAfter === service) {
      const error = rpcError(run, "CmdletFailed", VERIFIED_TEXTS.operationFailed, "InvalidOperation");
      return { kind: "failed", server, error, warnings };
    }
  }
  if (run.parameters.flag("NetworkServiceAllowed") === true) {
    server = grantKeyToNetworkService(server, facts.thumbprint);
  }
  return { kind: "done", server, warnings };
}

type Step =
  | { readonly kind: "enabled"; readonly server: ServerState; readonly warning?: string }
  | { readonly kind: "question"; readonly question: CmdletQuestion }
  | { readonly kind: "refused"; readonly error: CmdletError };

function enableService(
  run: CmdletRun,
  server: ServerState,
  certificate: ReadStoredCertificate,
  service: ExchangeService,
): Step {
  switch (service) {
    case "IIS":
      return { kind: "enabled", server: bindToFrontEnd(run, server, certificate.facts) };
    case "IMAP":
    case "POP":
      return nameProtocol(run, server, certificate.facts, service);
    case "SMTP":
      return enableSmtp(run, server, certificate);
    case "UM":
    case "UMCallRouter":
      return assignToUm(run, server, certificate.facts, service);
  }
}

/** Binds the Default Web Site only: the back end stays as it is. Turns "Require SSL" on unless told not to. */
function bindToFrontEnd(run: CmdletRun, server: ServerState, facts: CertificateFacts): ServerState {
  const requireSsl = run.parameters.flag("DoNotRequireSsl") === true ? server.iis.requireSsl : true;
  if (server.iis.frontEnd === facts.thumbprint && server.iis.requireSsl === requireSsl) return server;
  return { ...server, iis: { ...server.iis, frontEnd: facts.thumbprint, requireSsl } };
}

/** Writes the certificate's name into the protocol's settings; a name that no client can ask for gets a warning instead. */
function nameProtocol(run: CmdletRun, server: ServerState, facts: CertificateFacts, service: NameService): Step {
  const name = nameForProtocols(facts);
  if (name === undefined) {
    const subject = facts.commonName ?? facts.dnsNames[0] ?? facts.subject;
    return { kind: "enabled", server, warning: VERIFIED_TEXTS.nameIsNoFqdn(facts.thumbprint, subject, service) };
  }
  const protocol = service === "IMAP" ? "imap" : "pop";
  return { kind: "enabled", server: writeCertificateName(server, protocol, name, run.context.now) };
}

/**
 * Which of its names is written isn't documented. The captured servers speak for the common name: theirs is a short
 * one (E2k16-1), and a certificate that has only the long form of it doesn't show IMAP. Without one none is written.
 */
function nameForProtocols(facts: CertificateFacts): string | undefined {
  if (isWildcard(facts)) return undefined;
  const name = facts.commonName;
  return name !== undefined && looksLikeDnsName(name) ? name : undefined;
}

/**
 * Lets the transport service use the key, and asks whether the certificate is to become the default one. Nothing to
 * overwrite, nothing to ask: an empty attribute is filled.
 */
function enableSmtp(run: CmdletRun, server: ServerState, { stored, facts }: ReadStoredCertificate): Step {
  if (server.faults.privateKeyAccessRefused === true) {
    const text = VERIFIED_TEXTS.keyAccessRefused(facts.thumbprint);
    return { kind: "refused", error: rpcError(run, "PrivateKeyAccess", text) };
  }
  const question = overwriteQuestion(run, server, facts);
  if (question !== undefined) return { kind: "question", question };
  const readable = grantKeyToNetworkService(server, facts.thumbprint);
  if (server.internalTransportCertificate !== null && !replacesDefault(run)) {
    return { kind: "enabled", server: readable };
  }
  const published = publishInternalTransportCertificate(readable, { facts, der: stored.der }, run.context.now);
  return { kind: "enabled", server: published };
}

function replacesDefault(run: CmdletRun): boolean {
  return run.parameters.flag("Force") === true || run.context.answers.overwriteDefaultSmtpCertificate === "yes";
}

/** The question, while it has no answer; `undefined` when there is none to ask. */
function overwriteQuestion(
  run: CmdletRun,
  server: ServerState,
  replacement: Pick<CertificateFacts, "thumbprint" | "notAfter">,
): CmdletQuestion | undefined {
  const current = server.internalTransportCertificate;
  if (current === null || current.thumbprint === replacement.thumbprint) return undefined;
  if (run.parameters.flag("Force") === true) return undefined;
  if (run.context.answers.overwriteDefaultSmtpCertificate !== undefined) return undefined;
  return {
    kind: "overwriteDefaultSmtpCertificate",
    caption: VERIFIED_TEXTS.confirmCaption,
    message: VERIFIED_TEXTS.overwriteQuestion(
      {
        thumbprint: current.thumbprint,
        // Nobody knows when one ended of which nothing but the thumbprint is left.
        notAfter: new Date(current.der === null ? 0 : factsOf(current.der).notAfter),
      },
      { thumbprint: replacement.thumbprint, notAfter: new Date(replacement.notAfter) },
    ),
    defaultAnswer: "yes",
  };
}

/** Unified messaging takes a certificate only while it uses TLS at all. */
function assignToUm(run: CmdletRun, server: ServerState, facts: CertificateFacts, service: UmService): Step {
  const key = service === "UM" ? "um" : "umCallRouter";
  const state = server[key];
  if (state === null) {
    const text = UNVERIFIED_TEXTS.umNotOnThisVersion(service, server.name);
    return { kind: "refused", error: rpcError(run, "CmdletFailed", text) };
  }
  if (state.startupMode === "TCP") {
    const text = UNVERIFIED_TEXTS.umNeedsTls(service, facts.thumbprint);
    return { kind: "refused", error: rpcError(run, "CmdletFailed", text) };
  }
  if (state.certificate === facts.thumbprint) return { kind: "enabled", server };
  return { kind: "enabled", server: { ...server, [key]: { ...state, certificate: facts.thumbprint } } };
}
