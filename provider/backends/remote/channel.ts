import { createHash } from "node:crypto";
import { parseThumbprint, type Thumbprint } from "../../certificate/thumbprint";
import type { ServerFqdn } from "../../model";
import type { OwnChannel } from "../backend";

/** What our TLS connections trust; none at all where they aren't verified. */
export interface ChannelTrust {
  /** The name to expect instead of the URL's host. */
  readonly serverName: string | undefined;
  readonly trusted: readonly Thumbprint[] | undefined;
}

/**
 * The certificates that are trusted by themselves. Without a file of our own they are Node's, all of them CAs; what
 * NODE_EXTRA_CA_CERTS adds to those can't be listed, so then nothing is claimed.
 */
export function trustedOf(
  caPem: string | undefined,
  extraCerts: string | undefined,
): readonly Thumbprint[] | undefined {
  if (caPem === undefined) return extraCerts === undefined || extraCerts === "" ? [] : undefined;
  const blocks = caPem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  return blocks.flatMap((block) => {
    const der = Buffer.from(block.replace(/-----[^-]+-----/g, ""), "base64");
    return parseThumbprint(createHash("sha1").update(der).digest("hex")) ?? [];
  });
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
  return { name: trust.serverName ?? url.hostname, trusted: trust.trusted };
}
