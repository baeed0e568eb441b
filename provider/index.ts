export { ExchangeCertificateBinding } from "./exchangeCertificateBinding";
export type {
  ExchangeCertificateBindingArgs,
  PemSource,
  PfxFileSource,
  PfxSource,
  SelfSignedSource,
  ServiceName,
  ThumbprintSource,
} from "./args";
