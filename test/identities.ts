import type { BindingIdentity } from "../provider/plan/desired";

/** Who a binding of that name is, without a parent. */
export function identityOf(name: string): BindingIdentity {
  const type = "pulumi-nodejs:dynamic/exchange:ExchangeCertificateBinding";
  return { urn: `urn:pulumi:stack::project::${type}::${name}`, label: name };
}

/** The same as the constructor puts it among the inputs. */
export function called(name: string): { readonly bindingUrn: string; readonly bindingLabel: string } {
  const { urn, label } = identityOf(name);
  return { bindingUrn: urn, bindingLabel: label };
}
