import { oneLine } from "../../provider/remoting/oneLine";

it("takes out what would break a line or steer a terminal", () => {
  expect(oneLine(" The certificate\r\n\twas not found.\u2028\u001b[2K\u009b31mfine\u0007 ")).toBe(
    "The certificate was not found. [2K 31mfine",
  );
});
