import { sentence, type Sentence } from "../sentence";
import type { Reserved } from "./reserved";

/** What a certificate with a role of Exchange's or Windows' own is, to complete "it is …" and "may be …". */
export const RESERVED_NAMES: Readonly<Record<Reserved, Sentence>> = {
  // The previous and the next one count too.
  auth: sentence`an Auth certificate of the organisation`,
  federation: sentence`the certificate of the federation trust`,
  webManagement: sentence`that of the Web Management Service (WMSvc)`,
};

/** Who looks after it instead. */
export const KEEPERS: Readonly<Record<Reserved, Sentence>> = {
  auth: sentence`Set-AuthConfig looks after it`,
  federation: sentence`Set-FederationTrust looks after it`,
  webManagement: sentence`the machine itself looks after it`,
};
