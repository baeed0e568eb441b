import { readRequestFaults } from "../../../../provider/backends/simulator/console/requestFaults";

describe("faults of requests as they are typed", () => {
  it("are a list of names, each with its number, operation, and counts", () => {
    expect(readRequestFaults("throttled@receive+1x3, responseCut=100,SLOW=5@Create,requestLost+2")).toEqual([
      { fault: { kind: "throttled" }, operation: "Receive", after: 1, times: 3 },
      { fault: { kind: "responseCut", atByte: 100 }, after: 0, times: 1 },
      { fault: { kind: "slow", milliseconds: 5 }, operation: "Create", after: 0, times: 1 },
      { fault: { kind: "requestLost" }, after: 2, times: 1 },
    ]);
  });

  it.each([
    "",
    "nothing",
    "throttled=1",
    "responseCut",
    "slow@Receive",
    "throttled@Nowhere",
    "throttled,,",
    "throttled x2",
  ])("make no sense: %j", (text) => {
    expect(readRequestFaults(text)).toBeUndefined();
  });
});
