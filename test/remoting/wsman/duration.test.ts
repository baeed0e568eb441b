import fc from "fast-check";
import { formatDuration, parseDuration } from "../../../provider/remoting/wsman/duration";

describe("durations", () => {
  it.each<[string, number]>([
    ["PT20S", 20],
    ["PT7200.000S", 7200],
    ["PT0.5S", 0.5],
    ["P0DT0H0M0S", 0],
    ["P1DT2H3M4S", 93784],
    ["PT15M", 900],
    ["P2D", 172800],
    ["-PT1S", -1],
    [" PT1S ", 1],
  ])("reads %s", (text, seconds) => {
    expect(parseDuration(text)).toBe(seconds);
  });

  it.each(["", "P", "PT", "P1DT", "20", "PT-1S", "P1Y", "P1M", "PT1.S", "PTS", "pt1s", "PT99999999999999S"])(
    "doesn't read %j",
    (text) => {
      expect(parseDuration(text)).toBeUndefined();
    },
  );

  it("are written so that they are read the same, to the millisecond", () => {
    expect(formatDuration(20)).toBe("PT20S");
    expect(formatDuration(0.25)).toBe("PT0.25S");
    expect(formatDuration(-1)).toBe("PT0S");
    expect(formatDuration(Number.POSITIVE_INFINITY)).toBe("PT0S");
    fc.assert(
      fc.property(fc.nat({ max: 86_400_000 }), (milliseconds) => {
        expect(parseDuration(formatDuration(milliseconds / 1000))).toBeCloseTo(milliseconds / 1000, 6);
      }),
    );
  });
});
