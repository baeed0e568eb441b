export { ExchangeCertificateBinding } from "./exchangeCertificateBinding";
export type {
  ExchangeCertificateBindingArgs,
  PemFilesSource,
  PemSource,
  PfxFileSource,
  PfxSource,
  OnServerSource,
  SelfSignedSource,
  ServiceName,
  ThumbprintSource,
} from "./args";
