import { FaultPlan } from "../../../../provider/backends/simulator/endpoint/behaviour";

describe("the faults that are to happen", () => {
  it("befall the next request, once", () => {
    const plan = new FaultPlan();
    plan.add({ fault: { kind: "throttled" } });
    expect([plan.take("Create"), plan.take("Create")]).toEqual([{ kind: "throttled" }, undefined]);
  });

  it("wait for the operation, spare as many as they are told to, and hit as many", () => {
    const plan = new FaultPlan();
    plan.add({ fault: { kind: "accessDenied" }, operation: "Receive", after: 1, times: 2 });
    const taken = (["Receive", "Command", "Receive", "Send", "Receive", "Receive"] as const).map(
      (operation) => plan.take(operation)?.kind,
    );
    expect(taken).toEqual([undefined, undefined, "accessDenied", undefined, "accessDenied", undefined]);
  });

  it("happen one after the other", () => {
    const plan = new FaultPlan();
    plan.add({ fault: { kind: "throttled" } });
    plan.add({ fault: { kind: "unavailable" } });
    expect([plan.take("Send")?.kind, plan.take("Send")?.kind]).toEqual(["throttled", "unavailable"]);
  });

  it("can be forgotten", () => {
    const plan = new FaultPlan();
    plan.add({ fault: { kind: "throttled" } });
    plan.clear();
    expect(plan.take("Send")).toBeUndefined();
  });
});
