import type { CertificateFacts } from "../../certificate/facts";
import { readCertificate } from "../../certificate/readCertificate";
import type { ServerFqdn } from "../../model";
import type { OwnChannel } from "../backend";

/** What our TLS connections trust; none at all where they aren't verified. */
export interface ChannelTrust extends Trusted {
  /** The name to expect instead of the URL's host. */
  readonly serverName: string | undefined;
}

type Trusted = Pick<OwnChannel, "trusted" | "authorities">;

/**
 * The certificates that are trusted by themselves. Without a file of our own they are Node's, all of them CAs, and
 * which intermediate ones a server has beside them nobody knows; what NODE_EXTRA_CA_CERTS adds can't be listed either,
 * so then nothing is claimed.
 */
export function trustedOf(caPem: string | undefined, extraCerts: string | undefined): Trusted {
  if (caPem === undefined) return { trusted: extraCerts === undefined || extraCerts === "" ? [] : undefined };
  const blocks = caPem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  const facts = blocks.map((block) => factsOfBlock(block));
  const readable = facts.filter((one) => one !== undefined);
  const trusted = readable.map(({ thumbprint }) => thumbprint);
  // What isn't readable to us may still be to Node.
  return readable.length < facts.length
    ? { trusted }
    : { trusted, authorities: readable.map(({ subject }) => subject) };
}

function factsOfBlock(block: string): CertificateFacts | undefined {
  try {
    return readCertificate(Buffer.from(block.replace(/-----[^-]+-----/g, ""), "base64"));
  } catch {
    return undefined;
  }
}

/**
 * What our connection demands of the server's front end; `undefined` where we don't go through it: over plain http, and
 * where a fixed host is the entry that isn't this server.
 */
export function ownChannelOf(
  template: string,
  server: ServerFqdn,
  trust: ChannelTrust | undefined,
): OwnChannel | undefined {
  if (trust === undefined) return undefined;
  const url = new URL(template.replaceAll("{server}", server));
  if (url.protocol !== "https:" || url.hostname !== server) return undefined;
  const { serverName, ...trusted } = trust;
  return { name: serverName ?? url.hostname, ...trusted };
}
