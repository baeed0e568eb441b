import { formatDate } from "../../../provider/backends/simulator/errorTexts";

describe("formatDate", () => {
  it.each([
    ["2025-11-01T17:59:11Z", "11/1/2025 5:59:11 PM"],
    ["2022-07-15T06:06:02Z", "7/15/2022 6:06:02 AM"],
    ["2026-01-01T00:00:00Z", "1/1/2026 12:00:00 AM"],
    ["2026-12-31T12:30:00Z", "12/31/2026 12:30:00 PM"],
  ])("prints %s as an American server does", (date, text) => {
    expect(formatDate(new Date(date))).toBe(text);
  });
});
