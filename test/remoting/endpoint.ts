import {
  startEndpoint,
  type Endpoint,
  type EndpointOptions,
} from "../../provider/backends/simulator/endpoint/endpoint";
import { basicAuthentication } from "../../provider/remoting/http/authentication";
import type { SessionOptions } from "../../provider/remoting/session";
import { Secret } from "../../provider/secret";
import { makeTestCertificate } from "../certificate/testCertificates";
import { pem, tlsIdentity } from "./http/webServer";

export const USER = "administrator@contoso.com";
export const PASSWORD = "the-password-of-the-test";
export const SERVER_NAME = "mail.contoso.com";
const EXCHANGE = "http://schemas.microsoft.com/powershell/Microsoft.Exchange";

let made: { readonly certificate: string; readonly key: string; readonly ca: string } | undefined;

/** Certificate of the endpoint, made once per test file. */
export function endpointIdentity(): { readonly certificate: string; readonly key: string; readonly ca: string } {
  if (made === undefined) {
    const material = makeTestCertificate({ dnsNames: [SERVER_NAME] });
    const { cert, key } = tlsIdentity(material);
    made = { certificate: cert, key, ca: pem("CERTIFICATE", material.der) };
  }
  return made;
}

/** The simulated organisation behind https with one user. */
export function startTestEndpoint(
  options: Pick<EndpointOptions, "store"> & Partial<EndpointOptions>,
): Promise<Endpoint> {
  const { certificate, key } = endpointIdentity();
  return startEndpoint({
    tls: { certificate, privateKey: new Secret(key) },
    user: { name: USER, password: new Secret(PASSWORD) },
    ...options,
  });
}

/** How a session reaches it. */
export function sessionOptionsFor(url: string, changes: Partial<SessionOptions> = {}): SessionOptions {
  return {
    url: new URL(url),
    resourceUri: EXCHANGE,
    authentication: basicAuthentication(USER, new Secret(PASSWORD)),
    tls: { ca: endpointIdentity().ca, serverName: SERVER_NAME },
    operationTimeoutSeconds: 1,
    ...changes,
  };
}
