import { live } from "./life";
import { makeNative, nativeProgramOf } from "./nativeProgram";

describe("the native plugin in the real engine", () => {
  it("lives: previewed, made, unchanged, drifted, repaired, extended, refused, replaced, forgotten", () =>
    live({
      make: (bindings) => makeNative(nativeProgramOf(bindings)),
      programOf: nativeProgramOf,
      drift: '+ [0]: "IIS"',
    }));
});
