import type { Bag } from "../../lifecycle/requests";
import { nameIn } from "../engine/urn";

/** What a program's constructor says of the binding where nobody else does: here the engine does. */
export function hiddenInputs(urn: string): Bag {
  return { bindingUrn: urn, bindingLabel: nameIn(urn) };
}

/** Without what the engine says anyhow, and without what the dynamic resource's state has. */
export function withoutHidden(bag: Bag): Bag {
  const { bindingUrn: _urn, bindingLabel: _label, __provider: _code, ...rest } = bag;
  return rest;
}
