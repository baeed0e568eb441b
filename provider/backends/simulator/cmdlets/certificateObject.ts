import {
  findCertificate,
  rootCaTypeOf,
  statusOf,
  storedCertificates,
  type ReadStoredCertificate,
} from "../certificateStore";
import type { CmdletObject } from "../cmdlet";
import { rpcError, type CmdletRun } from "../cmdletRun";
import { displayedServices, formatServices, iisSitesOf, sendsDetails } from "../displayedServices";
import { bindingError, VERIFIED_TEXTS } from "../errorTexts";
import type { Organisation, ServerState } from "../organisation";

/** One ExchangeCertificate, in the order of Format-List; what `Format-List *` adds comes after Thumbprint. */
export function certificateObject(
  organisation: Organisation,
  server: ServerState,
  certificate: ReadStoredCertificate,
  now: Date,
): CmdletObject {
  const { stored, facts } = certificate;
  const RawData = new Uint8Array(Buffer.from(stored.der, "base64"));
  if (!sendsDetails(organisation, server, now)) return { RawData };
  const whatIsShown = {
    RootCAType: rootCaTypeOf(stored),
    Services: formatServices(displayedServices(organisation, server, certificate, now)),
    Status: statusOf(certificate, now),
    Thumbprint: facts.thumbprint,
    FriendlyName: stored.friendlyName,
    Identity: `${server.fqdn}\\${facts.thumbprint}`,
    IISServices: iisSitesOf(server, facts).map((site) => `IIS://${server.name}/W3SVC/${site}`),
    PrivateKeyExportable: stored.privateKey.exportable,
    RawData,
  };
  // Of one that can't be parsed the server knows what it keeps beside the bytes, and what points at them.
  if (facts.isUnreadable === true) return { HasPrivateKey: stored.privateKey.present, ...whatIsShown };
  return {
    AccessRules: accessRules(stored.privateKey.networkServiceRead),
    CertificateDomains: [...facts.dnsNames],
    HasPrivateKey: stored.privateKey.present,
    IsSelfSigned: facts.isSelfSigned,
    Issuer: facts.issuer,
    NotAfter: new Date(facts.notAfter),
    NotBefore: new Date(facts.notBefore),
    PublicKeySize: facts.keySizeBits ?? 0,
    RootCAType: whatIsShown.RootCAType,
    SerialNumber: facts.serialNumber,
    Services: whatIsShown.Services,
    Status: whatIsShown.Status,
    Subject: facts.subject,
    Thumbprint: whatIsShown.Thumbprint,
    FriendlyName: whatIsShown.FriendlyName,
    Identity: whatIsShown.Identity,
    IISServices: whatIsShown.IISServices,
    PrivateKeyExportable: whatIsShown.PrivateKeyExportable,
    RawData,
  };
}

/** One rule each for the system and the administrators, and one for Network Service. */
function accessRules(networkServiceRead: boolean): string[] {
  return Array<string>(networkServiceRead ? 3 : 2).fill("System.Security.AccessControl.CryptoKeyAccessRule");
}

/** The thumbprint in `-Thumbprint`, or in `-Identity` as `SERVER\THUMBPRINT` or alone. */
export function wantedThumbprint(run: CmdletRun): string | undefined {
  const identity = run.parameters.text("Identity") ?? undefined;
  const wanted = run.parameters.text("Thumbprint") ?? identity?.slice(identity.lastIndexOf("\\") + 1);
  return wanted?.trim().toUpperCase();
}

/** The certificate that a changing cmdlet names, or the error that it isn't there. */
export function requireCertificate(run: CmdletRun) {
  const thumbprint = wantedThumbprint(run);
  if (thumbprint === undefined) {
    const message = VERIFIED_TEXTS.parametersMissing(["Thumbprint"]);
    return { kind: "missing", error: bindingError(run.cmdlet, "MissingMandatoryParameter", message) } as const;
  }
  const certificate = findCertificate(run.target, thumbprint);
  if (certificate !== undefined) return { kind: "found", certificate } as const;
  const error = rpcError(run, "CertificateNotFound", VERIFIED_TEXTS.certificateNotFound(thumbprint));
  return { kind: "missing", error } as const;
}

/** Every certificate that the cmdlets list: those with a private key. A certificate without one is there unseen. */
export function listedCertificates(server: ServerState): ReadStoredCertificate[] {
  return storedCertificates(server).filter(({ stored }) => stored.privateKey.present);
}
