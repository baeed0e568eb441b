export { ExchangeCertificateBinding } from "./exchangeCertificateBinding";
export type {
  ExchangeCertificateBindingArgs,
  PemFilesSource,
  PemSource,
  PfxFileSource,
  PfxSource,
  SelfSignedSource,
  ServiceName,
  ThumbprintSource,
} from "./args";
